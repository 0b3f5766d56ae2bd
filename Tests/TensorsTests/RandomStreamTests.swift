import Testing

@testable import Tensors

@Suite struct RandomStreamTests {
  @Test func streamsRepeatAndResume() {
    var a = RandomStream(seed: 5)
    let first = (0..<10).map { _ in a.next() }
    var b = RandomStream(seed: 5)
    b.position = 5
    #expect((0..<5).map { _ in b.next() } == Array(first[5...]))
    var c = RandomStream(seed: 5).derived("x")
    var d = RandomStream(seed: 5).derived("y")
    #expect(c.next() != d.next())
  }

  /// Mean and variance within 5 standard errors.
  @Test func momentsAreRight() {
    var random = RandomStream(seed: 11)
    let n = 100_000
    let u = random.uniform([n])
    #expect(abs(u.sum / Double(n) - 0.5) < 5 / (12 * Double(n)).squareRoot())
    let z = random.normal([n])
    #expect(abs(z.sum / Double(n)) < 5 / Double(n).squareRoot())
    #expect(abs(z.sumOfSquares / Double(n) - 1) < 5 * (2 / Double(n)).squareRoot())
    #expect(random.permutation(100).sorted() == Array(0..<100))
  }
}
