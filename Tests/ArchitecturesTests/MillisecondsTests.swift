import Architectures
import Testing

@Test func millisecondsOrder() {
  #expect(Milliseconds(1) + Milliseconds(2) > Milliseconds(2.5))
}
