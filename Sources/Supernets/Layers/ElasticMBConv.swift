internal import Architectures
internal import Networks
internal import Tensors

/// Inverted residual of elastic kernel and expansion, optionally with squeeze-and-excite. Paths
/// begin with `conv.`: `conv.inverted_bottleneck...`, `conv.depth_conv...`, `conv.point_linear...`.
final class ElasticMBConv: ElasticBlock {
  private let expansion: ElasticConvolution?
  private let depthwise: ElasticConvolution
  private let attention: SqueezeExcite?
  private let projection: ElasticConvolution
  /// Inner channels of the choices of expansion, ascending.
  private let mids: [Int]

  init(_ layer: ElasticLayer, _ random: inout RandomStream) {
    let block = layer.largest
    mids = layer.mids
    func convolution(
      _ inputs: Int, _ outputs: Int, kernels: [Int]? = nil, stride: Int = 1,
      _ activation: Architectures.Activation
    ) -> ElasticConvolution {
      ElasticConvolution(
        inputs, outputs, kernels: kernels ?? [1], stride: stride, isDepthwise: kernels != nil,
        activation: activation, norm: block.epsilon, isElastic: layer.isElastic, &random)
    }
    expansion = block.hasExpansion ? convolution(block.input[0], block.mid, block.activation) : nil
    depthwise = convolution(
      block.mid, block.mid, kernels: layer.kernels, stride: block.stride, block.activation)
    attention =
      block.squeezeExcite ? SqueezeExcite(block.mid, reduced: block.squeezed, &random) : nil
    projection = convolution(block.mid, block.out, .none)
  }

  var members: [Member] {
    var members: [Member] = []
    if let expansion { members.append(.layer("conv.inverted_bottleneck", expansion)) }
    members.append(.layer("conv.depth_conv", depthwise))
    if let attention { members.append(.layer("conv.depth_conv.se", attention)) }
    return members + [.layer("conv.point_linear", projection)]
  }

  func callAsFunction(_ x: Variable, _ block: Block, _ pass: Pass) throws -> Variable {
    var y = x
    if let expansion, block.hasExpansion { y = try expansion(y, outputs: block.mid, pass) }
    y = try depthwise(y, outputs: block.mid, kernel: block.kernel, pass)
    if let attention { y = try attention(y, reduced: block.squeezed, pass) }
    return try projection(y, outputs: block.out, adding: block.addsInput ? x : nil, pass)
  }

  func extract(into target: any ElasticBlock, _ engine: Engine) throws {
    guard let target = target as? ElasticMBConv else { return }
    if let expansion, let into = target.expansion { try expansion.extract(into: into, engine) }
    try depthwise.extract(into: target.depthwise, engine)
    try projection.extract(into: target.projection, engine)
    guard let attention, let into = target.attention else { return }
    for (from, to) in [(attention.reduce, into.reduce), (attention.expand, into.expand)] {
      let shape = to.weight.value.shape
      to.weight.value = try from.weight.value.leading(shape[2], shape[3]).copied()
      if let bias = from.bias {
        to.bias?.value = try bias.value.slice(axis: 0, 0..<shape[3]).copied()
      }
    }
  }

  func sortChannels(kept stage: Int) {
    guard mids.count > 1 else { return }
    let order = ChannelOrder(projection.weight.value.importanceOfInputs, kept: stage, of: mids)
    projection.permuteInputs(order)
    depthwise.permuteOutputs(order)
    expansion?.permuteOutputs(order)
    guard let attention else { return }
    attention.expand.permuteOutputs(order)
    attention.reduce.permuteInputs(order)
    let inner = ChannelOrder(attention.expand.weight.value.importanceOfInputs)
    attention.expand.permuteInputs(inner)
    attention.reduce.permuteOutputs(inner)
  }
}
