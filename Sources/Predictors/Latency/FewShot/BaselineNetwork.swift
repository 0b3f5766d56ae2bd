internal import Tensors

/// What the learned baselines share: layers as lists of tensors, and Adam over them.
enum BaselineNetwork {
  /// Weights `[in, out]` and biases of fully connected layers, He-initialised.
  static func layers(_ sizes: [Int], random: inout RandomStream) -> [Tensor] {
    zip(sizes, sizes.dropFirst()).flatMap { width, out in
      [
        random.normal([width, out], deviation: (2 / Float(width)).squareRoot()),
        Tensor(zeros: [out]),
      ]
    }
  }

  /// ReLU as a product with a mask, which has gradients of every order: Meta-SGD's two steps need
  /// the third.
  static func relu(_ value: Variable) throws -> Variable {
    let mask = try Tensor(value.value.array.map { $0 > 0 ? 1 : 0 }, shape: value.shape)
    return try value * value.tape.constant(mask)
  }

  /// ReLU between the layers.
  static func forward(_ input: Variable, _ layers: ArraySlice<Variable>, lastIsLinear: Bool)
    throws -> Variable
  {
    var value = input
    var index = layers.startIndex
    while index < layers.endIndex {
      value = try value.linear(layers[index], bias: layers[index + 1])
      index += 2
      if index < layers.endIndex || !lastIsLinear { value = try relu(value) }
    }
    return value
  }
}

/// Adam (Kingma and Ba 2015) over a list of tensors.
struct BaselineAdam {
  private var means: [[Float]]
  private var squares: [[Float]]
  private var powers: (Float, Float) = (1, 1)

  init(_ tensors: [Tensor]) {
    means = tensors.map { [Float](repeating: 0, count: $0.count) }
    squares = means
  }

  mutating func step(_ tensors: inout [Tensor], gradients: [[Float]], rate: Float) {
    powers = (powers.0 * 0.9, powers.1 * 0.999)
    let (scale1, scale2) = (1 / (1 - powers.0), 1 / (1 - powers.1))
    for index in tensors.indices {
      let gradient = gradients[index]
      tensors[index].update { span in
        for i in 0..<gradient.count {
          means[index][i] = 0.9 * means[index][i] + 0.1 * gradient[i]
          squares[index][i] = 0.999 * squares[index][i] + 0.001 * gradient[i] * gradient[i]
          span[i] -=
            rate * means[index][i] * scale1 / ((squares[index][i] * scale2).squareRoot() + 1e-8)
        }
      }
    }
  }
}
