import Testing

@testable import Tensors

/// Checks an operator's gradients against central differences of its own forward pass.
///
/// The loss is the sum of the result times fixed random numbers. Differences of a float32 forward
/// pass carry the error eps * |loss| / h; the loss is summed in double. Differences over h = 2^-7
/// and 2 h are combined (Richardson) so that what is left of curvature is of order h^4. The
/// tolerance is a few times the sum of both for values of order 1.
struct GradientCheck: Sendable, CustomTestStringConvertible {
  let name: String
  /// Shapes of the inputs.
  let shapes: [[Int]]
  /// Inputs are uniform here; kinks must be outside or `keepsAway`.
  var range: Range<Float> = -1..<1
  /// Distance that inputs keep from these points.
  var kinks: [Float] = []
  /// How much larger than the result its inner values' rounding errors are.
  var conditioning = 1.0
  let operation: @Sendable ([Variable]) throws -> Variable

  var testDescription: String { name }

  func inputs(_ seed: UInt64) -> [Tensor] {
    var random = RandomStream(seed: seed)
    return shapes.map { shape in
      var t = random.uniform(shape, in: range)
      t.update { span in
        for i in span.indices {
          for kink in kinks where abs(span[i] - kink) < 0.05 { span[i] = kink + 0.05 }
        }
      }
      return t
    }
  }

  func run(engine: Engine, seed: UInt64) throws {
    let inputs = inputs(seed)
    let tape = Tape(engine)
    let leaves = inputs.map { tape.leaf($0) }
    let output = try operation(leaves)
    var random = RandomStream(seed: seed).derived("weights")
    let weights = random.uniform(output.shape, in: -1..<1)
    let loss = try (output * tape.constant(weights)).sum()
    let gradients = try tape.gradients(of: loss, for: leaves)
    func value(_ inputs: [Tensor]) throws -> Double {
      let plain = Tape(engine, recording: false)
      let y = try operation(inputs.map { plain.constant($0) }).value
      return zip(y.array, weights.array).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let h: Float = 0x1p-7
    let scale = weights.array.reduce(0) { $0 + Double($1 * $1) }.squareRoot() + 1
    for (i, gradient) in gradients.enumerated() {
      let analytic = gradient.value.array
      for j in 0..<min(inputs[i].count, 24) {
        let at = j * 7919 % inputs[i].count
        func difference(_ step: Float) throws -> Double {
          var (up, down) = (inputs, inputs)
          up[i].update { $0[at] += step }
          down[i].update { $0[at] -= step }
          return try (value(up) - value(down)) / Double(2 * step)
        }
        let numeric = try (4 * difference(h) - difference(2 * h)) / 3
        let tolerance =
          Double(Float.ulpOfOne) * 6 * (scale + abs(numeric)) * conditioning / Double(h)
          + Double(h * h * h * h) * 100 * (1 + abs(numeric))
        #expect(
          abs(numeric - Double(analytic[at])) <= tolerance,
          "\(name), seed \(seed), input \(i) at \(at): \(analytic[at]), differences \(numeric)")
      }
    }
  }
}
