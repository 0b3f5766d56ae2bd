@testable import Tensors

/// Gradients of gradients: what meta-learning takes, checked by differences of first gradients.
enum SecondOrderGradients {
  static let all: [GradientCheck] = [
    check("linear, tanh, mean squared error", [[4, 3], [3, 5], [5], [5, 2]]) { v in
      try v[0].linear(v[1], bias: v[2]).tanh().linear(v[3]).squared().mean()
    },
    check("swish, layer norm, cross entropy", [[4, 3], [3, 6], [6], [6]]) { v in
      try v[0].linear(v[1]).activated(.swish).layerNorm(scale: v[2], shift: v[3])
        .crossEntropy(labels: [0, 5, 2, 2])
    },
    check("gelu, attention", [[1, 3, 4], [1, 5, 4]]) { v in
      try v[0].gelu().attention(keys: v[1], values: v[1]).squared().sum()
    },
    check("huber", [[6], [6]]) { v in try v[0].sigmoid().huber(v[1] * 3, delta: 0.4) },
  ]

  /// The first gradients of `loss` for all inputs, one behind the other.
  static func check(
    _ name: String, _ shapes: [[Int]], _ loss: @escaping @Sendable ([Variable]) throws -> Variable
  ) -> GradientCheck {
    GradientCheck(name: "second order: \(name)", shapes: shapes, conditioning: 8) { inputs in
      let outer = inputs[0].tape
      let tape = outer.isRecording ? outer : Tape(outer.engine)
      let leaves = outer.isRecording ? inputs : inputs.map { tape.leaf($0.value) }
      let first = try tape.gradients(of: loss(leaves), for: leaves, createGraph: true)
      let flat = try Variable.concatenated(first.map { try $0.reshaped([-1]) }, axis: 0)
      return outer.isRecording ? flat : outer.constant(flat.value)
    }
  }
}
