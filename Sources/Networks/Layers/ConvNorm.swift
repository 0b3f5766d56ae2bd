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
    let weight = pass.tape.parameter(conv.weight)
    if !pass.isTraining, !pass.tape.isRecording, norm.recalibration == nil {
      let (scale, shift) = pass.folded(norm)
      let isDepthwise = conv.weight.value.rank == 3
      let epilogue = ConvolutionEpilogue(
        scale: scale, shift: shift,
        activation: isDepthwise && shortcut != nil ? .identity : activation,
        residual: isDepthwise ? nil : shortcut?.value)
      let y = try x.convolution(weight, conv.options, epilogue: epilogue)
      guard isDepthwise, let shortcut else { return y }
      return try (y + shortcut).activated(activation)
    }
    let y = try x.convolution(weight, conv.options, moments: true)
    guard let shortcut else { return try norm(y, activation: activation, pass) }
    return try (norm(y, pass) + shortcut).activated(activation)
  }
}
