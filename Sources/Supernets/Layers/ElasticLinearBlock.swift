internal import Architectures
internal import Networks
internal import Tensors

/// Convolution to an elastic number of channels and a pointwise one back with nothing but norms
/// between them (SESR, arXiv 2103.09404); export makes one convolution of it. Paths: `expand...`,
/// `project...`.
final class ElasticLinearBlock: ElasticBlock {
  private let expand: ElasticConvolution
  private let project: ElasticConvolution
  private let activation: Tensors.Activation
  /// Inner channels of the choices of expansion, ascending.
  private let mids: [Int]

  init(_ layer: ElasticLayer, _ random: inout RandomStream) {
    let block = layer.largest
    mids = layer.mids
    activation = block.activation.function
    let norm = block.hasNorm ? block.epsilon : nil
    expand = ElasticConvolution(
      block.input[0], block.mid, kernels: layer.kernels, stride: block.stride, isDepthwise: false,
      activation: .none, norm: norm, isElastic: layer.isElastic, &random)
    project = ElasticConvolution(
      block.mid, block.out, kernels: [1], stride: 1, isDepthwise: false, activation: .none,
      norm: norm, isElastic: layer.isElastic, &random)
  }

  var members: [Member] { [.layer("expand", expand), .layer("project", project)] }

  func callAsFunction(_ x: Variable, _ block: Block, _ pass: Pass) throws -> Variable {
    let y = try expand(x, outputs: block.mid, kernel: block.kernel, pass)
    return try project(
      y, outputs: block.out, adding: block.addsInput ? x : nil, activation: activation, pass)
  }

  func extract(into target: any ElasticBlock, _ engine: Engine) throws {
    guard let target = target as? ElasticLinearBlock else { return }
    try expand.extract(into: target.expand, engine)
    try project.extract(into: target.project, engine)
  }

  func sortChannels(kept stage: Int) {
    guard mids.count > 1 else { return }
    let order = ChannelOrder(project.weight.value.importanceOfInputs, kept: stage, of: mids)
    project.permuteInputs(order)
    expand.permuteOutputs(order)
  }
}
