import Tensors
import Testing

/// A step's tape must go when the step is over, or training leaks every parameter at each step.
struct TapeLifetimeTests {
  @Test(arguments: [true, false])
  func aTapeEndsWithItsStep(goesBack: Bool) throws {
    let engine = try Engine(threads: 1)
    let weight = Parameter(Tensor(repeating: 1, shape: [4, 3], engine: engine))
    weak var tape: Tape?
    do {
      let step = Tape(engine)
      tape = step
      let loss = try step.constant(Tensor(repeating: 1, shape: [2, 4], engine: engine))
        .linear(step.parameter(weight)).relu()
      if goesBack { try loss.backward() }
      #expect(tape != nil)
    }
    #expect(tape == nil)
  }
}
