public import Tensors

/// Convolution of images `[N, height, width, inputs]`; depthwise if each channel is its own group.
/// Paths: `weight`, `bias`.
public final class Conv2d: UnaryLayer {
  /// `[kernel, kernel, inputs / groups, outputs]`, or `[kernel, kernel, channels]` if depthwise.
  public let weight: Parameter
  public let bias: Parameter?
  public let options: Convolution
  private let role: Role

  /// A square kernel with padding `(kernel - 1) / 2 * dilation` unless `padding` says otherwise.
  /// Weights start as He et al. have it.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, dilation: Int = 1,
    groups: Int = 1, padding: Convolution.Padding? = nil, bias: Bool = false,
    _ random: inout RandomStream
  ) {
    let isDepthwise = groups > 1 && groups == inputs && groups == outputs
    role = isDepthwise ? .depthwise : .convolution
    let shape =
      isDepthwise ? [kernel, kernel, outputs] : [kernel, kernel, inputs / groups, outputs]
    let fanIn = kernel * kernel * inputs / groups
    weight = Parameter(Initialization.he(shape, fanIn: fanIn, &random))
    self.bias =
      bias ? Parameter(Initialization.fan([outputs], fanIn: fanIn, &random)) : nil
    var options = Convolution(kernel: kernel, stride: stride, dilation: dilation, groups: groups)
    if let padding { options.padding = padding }
    self.options = options
  }

  public var members: [Member] {
    [.parameter("weight", weight, role)] + (bias.map { [.parameter("bias", $0, .vector)] } ?? [])
  }

  public func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable {
    try x.convolution(
      pass.tape.parameter(weight), bias: bias.map(pass.tape.parameter), options)
  }
}
