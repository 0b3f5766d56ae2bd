internal import Architectures
internal import Networks
internal import Tensors

/// A layer of a supernet: computes any block of its position.
protocol ElasticBlock: Layer {
  /// Computes `block`, whose operand `x` is, `[N, H, W, C]`.
  func callAsFunction(_ x: Variable, _ block: Block, _ pass: Pass) throws -> Variable
  /// Copies the weights of `block` into a layer made for this block alone.
  func extract(into target: any ElasticBlock, _ engine: Engine) throws
  /// Orders inner channels by importance; see `Supernet.sortChannels`.
  func sortChannels(kept stage: Int)
}

extension ElasticBlock {
  func sortChannels(kept stage: Int) {}
}

/// Makes the layer for a position.
/// - Throws: `unsupportedSpace` for a block that once-for-all networks do not have.
func makeBlock(_ layer: ElasticLayer, _ random: inout RandomStream) throws -> any ElasticBlock {
  switch layer.largest.kind {
  case .mbconv: return ElasticMBConv(layer, &random)
  case .bottleneck: return ElasticBottleneck(layer, &random)
  case .linearBlock, .convolution:
    guard layer.kernels.count == 1 else {
      throw SupernetsError(
        .unsupportedSpace,
        "layer '\(layer.largest.name)': a once-for-all network has one kernel for each "
          + "\(layer.largest.kind), not \(layer.kernels.sorted()); mbconv may have several")
    }
    if layer.largest.kind == .linearBlock { return ElasticLinearBlock(layer, &random) }
    guard !layer.largest.isPreActivated, !layer.largest.hasBias,
      layer.largest.groups == 1
    else { break }
    return ElasticConvBlock(layer, &random)
  case .linear: return ElasticLinear(layer, &random)
  case .maxPool, .averagePool, .globalPool, .identity: return FixedBlock()
  case .reduction, .normActivation, .zero: break
  }
  throw SupernetsError(
    .unsupportedSpace,
    "layer '\(layer.largest.name)': a once-for-all network cannot hold this \(layer.largest.kind)")
}

/// Pools and identities: no weights.
final class FixedBlock: ElasticBlock {
  var members: [Member] { [] }

  func callAsFunction(_ x: Variable, _ block: Block, _ pass: Pass) throws -> Variable {
    let options = Convolution(kernel: block.kernel, stride: block.stride)
    let kernel = Convolution.Pair(block.kernel)
    switch block.kind {
    case .globalPool: return try x.mean(over: [1, 2], keepAxes: true)
    case .maxPool: return try x.maxPool(kernel: kernel, options)
    case .averagePool: return try x.averagePool(kernel: kernel, options)
    default: return x
    }
  }

  func extract(into target: any ElasticBlock, _ engine: Engine) throws {}
}

/// Convolution, norm and activation, with a shortcut if the block is residual.
final class ElasticConvBlock: ElasticBlock {
  private let convolution: ElasticConvolution
  private let isResidual: Bool

  init(_ layer: ElasticLayer, _ random: inout RandomStream) {
    let block = layer.largest
    convolution = ElasticConvolution(
      block.input[0], block.out, kernels: layer.kernels, stride: block.stride, isDepthwise: false,
      activation: block.activation, norm: block.hasNorm ? block.epsilon : nil,
      isElastic: layer.isElastic, &random)
    isResidual = block.isResidual
  }

  /// The published networks wrap a residual layer once more.
  var members: [Member] {
    isResidual ? [.layer("conv", convolution)] : convolution.members
  }

  func callAsFunction(_ x: Variable, _ block: Block, _ pass: Pass) throws -> Variable {
    let y = try convolution(x, outputs: block.out, kernel: block.kernel, pass)
    return block.addsInput ? try y + x : y
  }

  func extract(into target: any ElasticBlock, _ engine: Engine) throws {
    guard let target = target as? ElasticConvBlock else { return }
    try convolution.extract(into: target.convolution, engine)
  }
}

/// The classifier. Paths: `linear.weight`, or `linear.linear.weight` if its inputs are elastic.
final class ElasticLinear: ElasticBlock {
  private let linear: Linear
  private let isElastic: Bool

  init(_ layer: ElasticLayer, _ random: inout RandomStream) {
    linear = Linear(layer.largest.input[0], layer.largest.out, &random)
    if let bias = linear.bias { bias.value = Tensor(zeros: bias.value.shape) }
    isElastic = layer.isElastic
  }

  var members: [Member] { [.layer(isElastic ? "linear.linear" : "linear", linear)] }

  func callAsFunction(_ x: Variable, _ block: Block, _ pass: Pass) throws -> Variable {
    let features = try x.reshaped([x.shape[0], -1])
    let weight = try pass.tape.parameter(linear.weight).leading(features.shape[1], block.out)
    return try features.linear(weight, bias: linear.bias.map(pass.tape.parameter))
  }

  func extract(into target: any ElasticBlock, _ engine: Engine) throws {
    guard let target = target as? ElasticLinear else { return }
    let shape = target.linear.weight.value.shape
    target.linear.weight.value = try linear.weight.value.leading(shape[0], shape[1]).copied()
    if let bias = linear.bias { target.linear.bias?.value = bias.value.copied() }
  }
}
