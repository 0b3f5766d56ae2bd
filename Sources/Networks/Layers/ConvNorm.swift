public import Tensors

/// Convolution, batch norm and activation as one step. Paths: `conv.weight`, `bn.weight`, ...
///
/// In training the convolution takes the sums that the norm needs, and the normalised activation is
/// computed by whoever reads it. In inference the norm becomes part of the convolution.
public final class ConvNorm: UnaryLayer {
  public let conv: Conv2d
  public let norm: BatchNorm
  public let activation: Activation

  public init(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1,
    activation: Activation, _ random: inout RandomStream
  ) {
    conv = Conv2d(inputs, outputs, kernel: kernel, stride: stride, groups: groups, &random)
    norm = BatchNorm(outputs)
    self.activation = activation
  }

  public var members: [Member] { [.layer("conv", conv), .layer("bn", norm)] }

  public func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable {
    try self(x, adding: nil, pass)
  }

  /// With a shortcut: `activation(norm(conv(x)) + shortcut)`.
  public func callAsFunction(
    _ x: Variable, adding shortcut: Variable?, _ pass: Pass
  ) throws -> Variable {
    try x.convolution(
      pass.tape.parameter(conv.weight), conv.options, norm: norm, activation: activation,
      adding: shortcut, pass)
  }
}

extension Variable {
  /// Convolution, batch norm, shortcut, activation: `activation(norm(conv(x)) + shortcut)`. The
  /// weight may be part of a larger one; the norm then is that of its first channels.
  public func convolution(
    _ weight: Variable, _ options: Convolution, norm: BatchNorm, activation: Activation,
    adding shortcut: Variable? = nil, _ pass: Pass
  ) throws -> Variable {
    if !pass.isTraining, !pass.tape.isRecording, norm.recalibration == nil {
      let filter = weight.shape
      let (scale, shift) = pass.folded(norm, channels: filter.last ?? 0)
      let isDepthwise = filter.count == 3
      let epilogue = ConvolutionEpilogue(
        scale: scale, shift: shift,
        activation: isDepthwise && shortcut != nil ? .identity : activation,
        residual: isDepthwise ? nil : shortcut?.value)
      let y = try convolution(weight, options, epilogue: epilogue)
      guard isDepthwise, let shortcut else { return y }
      return try (y + shortcut).activated(activation)
    }
    let y = try convolution(weight, options, moments: true)
    guard let shortcut else { return try norm(y, activation: activation, pass) }
    return try (norm(y, pass) + shortcut).activated(activation)
  }
}
