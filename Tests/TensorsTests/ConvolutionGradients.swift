@testable import Tensors

/// Convolutions, norms and pools, registered for the central-difference checks.
enum ConvolutionGradients {
  static let all: [GradientCheck] = convolutions + norms

  static let convolutions: [GradientCheck] = [
    GradientCheck(name: "convolution, pointwise", shapes: [[2, 3, 4, 5], [1, 1, 5, 7], [7]]) {
      try $0[0].convolution($0[1], bias: $0[2])
    },
    GradientCheck(name: "convolution, leading channels", shapes: [[2, 3, 4, 5], [1, 1, 8, 9]]) {
      try $0[0].convolution($0[1].leading(5, 7))
    },
    GradientCheck(name: "convolution, 3x3", shapes: [[2, 5, 4, 3], [3, 3, 3, 4], [4]]) {
      try $0[0].convolution($0[1], bias: $0[2], Convolution(kernel: 3))
    },
    GradientCheck(
      name: "convolution, stride, dilation, asymmetric padding, groups",
      shapes: [[2, 7, 8, 4], [3, 2, 2, 6]]
    ) {
      try $0[0].convolution(
        $0[1],
        Convolution(
          stride: .init(2, 1), padding: .init(top: 0, left: 1, bottom: 2, right: 0),
          dilation: .init(1, 2), groups: 2))
    },
    GradientCheck(name: "convolution, depthwise 5x5", shapes: [[2, 6, 7, 19], [5, 5, 19], [19]]) {
      try $0[0].convolution($0[1], bias: $0[2], Convolution(kernel: 5))
    },
    GradientCheck(name: "convolution, depthwise stride 2", shapes: [[2, 7, 6, 5], [3, 3, 5]]) {
      try $0[0].convolution($0[1], Convolution(kernel: 3, stride: 2))
    },
    GradientCheck(
      name: "convolution, depthwise leading", shapes: [[1, 6, 6, 17], [7, 7, 24]]
    ) {
      try $0[0].convolution(
        $0[1].slice(axis: 2, 0..<17).slice(axis: 0, 1..<6).slice(axis: 1, 1..<6),
        Convolution(kernel: 5))
    },
  ]

  static let norms: [GradientCheck] = [
    GradientCheck(name: "batchNorm", shapes: [[3, 2, 2, 5], [5], [5]]) {
      try $0[0].batchNorm(scale: $0[1], shift: $0[2], activation: .tanh).0
    },
    GradientCheck(name: "batchNorm, frozen", shapes: [[3, 2, 2, 2], [2], [2]]) {
      try $0[0].batchNorm(
        scale: $0[1], shift: $0[2], mean: Tensor([0.1, 0.2]), variance: Tensor([1, 2]))
    },
    GradientCheck(
      name: "inverted residual",
      shapes: [
        [2, 4, 4, 3], [1, 1, 3, 9], [9], [9], [3, 3, 9], [9], [9], [1, 1, 9, 3], [3], [3],
      ],
      conditioning: 10, operation: invertedResidual),
    GradientCheck(
      name: "squeeze and excite",
      shapes: [[2, 4, 4, 3], [1, 1, 3, 9], [9], [9], [1, 1, 9, 9], [1, 1, 9, 3], [3, 3, 9]],
      conditioning: 10, operation: excited),
  ]

  /// Batch norm, a gate for each image and channel, and each kind of reader of the product.
  @Sendable static func excited(_ v: [Variable]) throws -> Variable {
    let x = try v[0].convolution(v[1], moments: true)
      .batchNorm(scale: v[2] + 2, shift: v[3], activation: .swish).0
    let gate = try x.mean(over: [1, 2], keepAxes: true).convolution(v[4]).sigmoid()
    let y = try x * gate
    let wide = try y.convolution(v[6], Convolution(kernel: 3))
    return try Variable.concatenated([y.convolution(v[5]), wide], axis: -1) + (y * y).mean()
  }

  /// Expand, depthwise, project, with batch norms: the deferred values' whole way.
  @Sendable static func invertedResidual(_ v: [Variable]) throws -> Variable {
    let a = try v[0].convolution(v[1], moments: true)
      .batchNorm(scale: v[2] + 2, shift: v[3], activation: .swish).0
    let b = try a.convolution(v[4], Convolution(kernel: 3), moments: true)
      .batchNorm(scale: v[5] + 2, shift: v[6], activation: .sigmoid).0
    let c = try b.convolution(v[7], moments: true).batchNorm(scale: v[8] + 2, shift: v[9]).0
    return try c + v[0]
  }
}
