@testable import Tensors

/// Pools and the other layers, registered for the central-difference checks.
enum LayerGradients {
  static let all: [GradientCheck] = [
    GradientCheck(name: "maxPool", shapes: [[2, 5, 6, 3]], range: -100..<100, conditioning: 60) {
      try $0[0].maxPool(kernel: .init(3, 2), Convolution(stride: .init(2), padding: .init(1)))
    },
    GradientCheck(name: "averagePool", shapes: [[2, 5, 6, 3]]) {
      try $0[0].averagePool(kernel: .init(3), Convolution(stride: .init(2), padding: .init(1)))
    },
    GradientCheck(name: "averagePool, inside only", shapes: [[2, 5, 6, 3]]) {
      try $0[0].averagePool(
        kernel: .init(3), Convolution(stride: .init(2), padding: .init(1)), countsPadding: false)
    },
    GradientCheck(name: "adaptiveAveragePool", shapes: [[2, 5, 7, 3]]) {
      try $0[0].adaptiveAveragePool(height: 2, width: 3)
    },
    GradientCheck(name: "globalAveragePool", shapes: [[2, 5, 7, 3]]) {
      try $0[0].globalAveragePool()
    },
    GradientCheck(name: "layerNorm", shapes: [[4, 9], [9], [9]]) {
      try $0[0].layerNorm(scale: $0[1], shift: $0[2])
    },
    GradientCheck(name: "embedding", shapes: [[5, 3]]) { try $0[0].embedding([4, 1, 1, 0]) },
    GradientCheck(name: "attention", shapes: [[2, 3, 4], [2, 5, 4], [2, 5, 6]]) {
      try $0[0].attention(keys: $0[1], values: $0[2])
    },
    GradientCheck(name: "dropout", shapes: [[5, 6]]) {
      var random = RandomStream(seed: 4)
      return try $0[0].dropout(probability: 0.4, random: &random)
    },
    GradientCheck(name: "stochasticDepth", shapes: [[5, 2, 2, 1]]) {
      var random = RandomStream(seed: 4)
      return try $0[0].stochasticDepth(probability: 0.4, random: &random)
    },
    GradientCheck(name: "channelShuffled", shapes: [[2, 2, 6]]) {
      try $0[0].channelShuffled(groups: 3)
    },
  ]
}
