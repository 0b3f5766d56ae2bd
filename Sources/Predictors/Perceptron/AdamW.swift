internal import Tensors

/// AdamW (Loshchilov and Hutter 2017, arXiv 1711.05101) with PyTorch's defaults.
struct AdamW {
  private var items: [(parameter: Parameter, decay: Float, mean: [Float], square: [Float])]
  private var powers: (Float, Float) = (1, 1)

  init(_ parameters: [(Parameter, decay: Float)]) {
    items = parameters.map { parameter, decay in
      let zeros = [Float](repeating: 0, count: parameter.value.count)
      return (parameter, decay, zeros, zeros)
    }
  }

  /// One step; gradients start anew.
  mutating func step(rate: Double) throws {
    let (beta1, beta2, rate) = (Float(0.9), Float(0.999), Float(rate))
    powers = (powers.0 * beta1, powers.1 * beta2)
    let (scale1, scale2) = (1 / (1 - powers.0), 1 / (1 - powers.1))
    for index in items.indices {
      let parameter = items[index].parameter
      guard let gradient = parameter.gradient?.array else { continue }
      let shrink = 1 - rate * items[index].decay
      parameter.value.update { value in
        for i in 0..<gradient.count {
          let mean = beta1 * items[index].mean[i] + (1 - beta1) * gradient[i]
          let square = beta2 * items[index].square[i] + (1 - beta2) * gradient[i] * gradient[i]
          items[index].mean[i] = mean
          items[index].square[i] = square
          value[i] =
            value[i] * shrink - rate * mean * scale1 / ((square * scale2).squareRoot() + 1e-8)
        }
      }
      parameter.zeroGradient()
    }
  }
}
