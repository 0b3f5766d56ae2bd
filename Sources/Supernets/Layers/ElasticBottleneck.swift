internal import Architectures
internal import Networks
internal import Tensors

/// Residual bottleneck of elastic width and inner width with an average-pooled shortcut
/// (ResNet-D). Paths: `conv1...`, `conv2...`, `conv3...`, `downsample...`.
final class ElasticBottleneck: ElasticBlock {
  private let reduce: ElasticConvolution
  private let spatial: ElasticConvolution
  private let expand: ElasticConvolution
  private let downsample: ElasticConvolution?
  private let activation: Tensors.Activation
  /// Inner channels of the choices of expansion, ascending.
  private let mids: [Int]

  init(_ layer: ElasticLayer, _ random: inout RandomStream) {
    let block = layer.largest
    mids = layer.mids
    activation = block.activation.function
    func convolution(
      _ inputs: Int, _ outputs: Int, kernels: [Int] = [1], stride: Int = 1,
      _ activation: Architectures.Activation
    ) -> ElasticConvolution {
      ElasticConvolution(
        inputs, outputs, kernels: kernels, stride: stride, isDepthwise: false,
        activation: activation, norm: block.epsilon, isElastic: layer.isElastic, &random)
    }
    reduce = convolution(block.input[0], block.mid, block.activation)
    spatial = convolution(
      block.mid, block.mid, kernels: layer.kernels, stride: block.stride, block.activation)
    expand = convolution(block.mid, block.out, .none)
    downsample = block.hasDownsample ? convolution(block.input[0], block.out, .none) : nil
  }

  var members: [Member] {
    [.layer("conv1", reduce), .layer("conv2", spatial), .layer("conv3", expand)]
      + (downsample.map { [.layer("downsample", $0)] } ?? [])
  }

  func callAsFunction(_ x: Variable, _ block: Block, _ pass: Pass) throws -> Variable {
    var shortcut = x
    if let downsample {
      if block.stride != 1 { shortcut = try x.pooledRoundingUp(block.stride) }
      shortcut = try downsample(shortcut, outputs: block.out, pass)
    }
    var y = try reduce(x, outputs: block.mid, pass)
    y = try spatial(y, outputs: block.mid, kernel: block.kernel, pass)
    return try expand(
      y, outputs: block.out, adding: shortcut, activation: activation, pass)
  }

  func extract(into target: any ElasticBlock, _ engine: Engine) throws {
    guard let target = target as? ElasticBottleneck else { return }
    try reduce.extract(into: target.reduce, engine)
    try spatial.extract(into: target.spatial, engine)
    try expand.extract(into: target.expand, engine)
    if let downsample, let into = target.downsample { try downsample.extract(into: into, engine) }
  }

  func sortChannels(kept stage: Int) {
    guard mids.count > 1 else { return }
    let second = ChannelOrder(expand.weight.value.importanceOfInputs, kept: stage, of: mids)
    expand.permuteInputs(second)
    spatial.permuteOutputs(second)
    let first = ChannelOrder(spatial.weight.value.importanceOfInputs, kept: stage, of: mids)
    spatial.permuteInputs(first)
    reduce.permuteOutputs(first)
  }
}

extension Variable {
  /// Means of squares of side `n`, those at the far edges of what is there (ONNX's and PyTorch's
  /// average pool with `ceil_mode`).
  fileprivate func pooledRoundingUp(_ n: Int) throws -> Variable {
    let missing = [shape[1], shape[2]].map { (n - $0 % n) % n }
    var options = Convolution(stride: Convolution.Pair(n))
    options.padding = Convolution.Padding(top: 0, left: 0, bottom: missing[0], right: missing[1])
    return try averagePool(kernel: Convolution.Pair(n), options, countsPadding: false)
  }
}
