public import Tensors

/// Channel attention: pool, two pointwise layers, a gate (Hu et al. 2017, arXiv 1709.01507).
/// Paths: `fc.reduce.weight`, `fc.expand.bias`, ...
public final class SqueezeExcite: UnaryLayer {
  public let reduce: Conv2d
  public let expand: Conv2d

  public init(_ channels: Int, reduced: Int, _ random: inout RandomStream) {
    reduce = Conv2d(channels, reduced, kernel: 1, bias: true, &random)
    expand = Conv2d(reduced, channels, kernel: 1, bias: true, &random)
  }

  public var members: [Member] { [.layer("fc.reduce", reduce), .layer("fc.expand", expand)] }

  public func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable {
    try self(x, reduced: reduce.weight.value.shape[3], pass)
  }

  /// The first `reduced` inner channels on an input that may have fewer channels than the layer.
  public func callAsFunction(_ x: Variable, reduced: Int, _ pass: Pass) throws -> Variable {
    let channels = x.shape[3]
    func layer(_ conv: Conv2d, _ x: Variable, _ outputs: Int) throws -> Variable {
      try x.convolution(
        pass.tape.parameter(conv.weight).leading(x.shape[3], outputs),
        bias: conv.bias.map { try pass.tape.parameter($0).slice(axis: 0, 0..<outputs) })
    }
    let pooled = try x.mean(over: [1, 2], keepAxes: true)
    let inner = try layer(reduce, pooled, reduced).activated(.relu)
    return try x * layer(expand, inner, channels).activated(.hardSigmoid)
  }
}

/// Inverted bottleneck: expand, depthwise, project, and around it all a shortcut if the shapes
/// allow (Sandler et al. 2018, arXiv 1801.04381). Paths as in once-for-all:
/// `inverted_bottleneck.conv.weight`, `depth_conv.bn.weight`, `depth_conv.se.fc.reduce.weight`,
/// `point_linear.conv.weight`, ...
public final class MBConv: UnaryLayer {
  public struct Options: Sendable {
    public var kernel: Int
    public var stride: Int
    /// Inner channels per input channel; 1 leaves the expansion out.
    public var expand: Int
    public var activation: Activation
    /// Inner channels of the squeeze-and-excite layer, if there is one.
    public var squeezed: Int?

    public init(
      kernel: Int = 3, stride: Int = 1, expand: Int = 6, activation: Activation = .relu,
      squeezed: Int? = nil
    ) {
      self.kernel = kernel
      self.stride = stride
      self.expand = expand
      self.activation = activation
      self.squeezed = squeezed
    }
  }

  public let expansion: ConvNorm?
  public let depthwise: ConvNorm
  public let attention: SqueezeExcite?
  public let projection: ConvNorm
  public let hasShortcut: Bool

  public init(_ inputs: Int, _ outputs: Int, _ options: Options, _ random: inout RandomStream) {
    let inner = inputs * options.expand
    expansion =
      options.expand == 1
      ? nil : ConvNorm(inputs, inner, kernel: 1, activation: options.activation, &random)
    depthwise = ConvNorm(
      inner, inner, kernel: options.kernel, stride: options.stride, groups: inner,
      activation: options.activation, &random)
    if let squeezed = options.squeezed {
      attention = SqueezeExcite(inner, reduced: squeezed, &random)
    } else {
      attention = nil
    }
    projection = ConvNorm(inner, outputs, kernel: 1, activation: .identity, &random)
    hasShortcut = options.stride == 1 && inputs == outputs
  }

  public var members: [Member] {
    var members: [Member] = []
    if let expansion { members.append(.layer("inverted_bottleneck", expansion)) }
    members.append(.layer("depth_conv", depthwise))
    if let attention { members.append(.layer("depth_conv.se", attention)) }
    return members + [.layer("point_linear", projection)]
  }

  public func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable {
    var y = try expansion?(x, pass) ?? x
    y = try depthwise(y, pass)
    y = try attention?(y, pass) ?? y
    return try projection(y, adding: hasShortcut ? x : nil, pass)
  }
}
