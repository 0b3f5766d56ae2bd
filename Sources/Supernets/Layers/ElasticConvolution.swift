internal import Architectures
public import Networks
public import Tensors

/// A convolution that holds all its narrower forms: their weights are the first channels of its
/// own, smaller depthwise kernels come from larger ones, and one norm serves all (Cai et al. 2020,
/// arXiv 1908.09791, section 3).
///
/// Paths are once-for-all's: `conv.conv.weight`, `conv.7to5_matrix`, `bn.bn.weight`, ... where
/// something is elastic, and `conv.weight`, `bn.weight`, ... where nothing is.
public final class ElasticConvolution: Layer {
  /// `[kernel, kernel, inputs, outputs]`, or `[kernel, kernel, channels]` if depthwise.
  public let weight: Tensors.Parameter
  /// From each kernel to the next smaller one, over the positions of the smaller, largest first.
  public let transforms: [KernelTransform]
  /// Absent if the layer has none.
  public let norm: BatchNorm?
  public let stride: Int
  public let activation: Tensors.Activation
  let isElastic: Bool

  /// `smaller = matrix * centre(larger)` over a kernel's positions, row by row.
  public struct KernelTransform {
    public let from: Int
    public let to: Int
    /// `[to * to, to * to]`, the identity at first.
    public let matrix: Tensors.Parameter

    var name: String { "\(from)to\(to)_matrix" }
  }

  /// - Parameter kernels: kernels to hold, ascending; several only if depthwise.
  init(
    _ inputs: Int, _ outputs: Int, kernels: [Int], stride: Int, isDepthwise: Bool,
    activation: Architectures.Activation, norm epsilon: Float?, isElastic: Bool,
    _ random: inout RandomStream
  ) {
    let kernel = kernels.last ?? 1
    // Normal with deviation sqrt(2 / fan-out), once-for-all's `he_fout`.
    let fanOut = kernel * kernel * (isDepthwise ? 1 : outputs)
    let shape = [kernel, kernel] + (isDepthwise ? [outputs] : [inputs, outputs])
    weight = Parameter(Initialization.he(shape, fanIn: fanOut, &random))
    let pairs = zip(kernels.dropFirst(), kernels).reversed()
    transforms = pairs.map { larger, smaller in
      KernelTransform(
        from: larger, to: smaller, matrix: Parameter(Self.identity(smaller * smaller)))
    }
    norm = epsilon.map { BatchNorm(outputs, epsilon: $0) }
    self.stride = stride
    self.activation = activation.function
    self.isElastic = isElastic
  }

  private static func identity(_ n: Int) -> Tensor {
    var matrix = Tensor(zeros: [n, n])
    matrix.update { span in for i in 0..<n { span[i * n + i] = 1 } }
    return matrix
  }

  var isDepthwise: Bool { weight.value.rank == 3 }

  public var members: [Member] {
    let role: Role = isDepthwise ? .depthwise : .convolution
    // A layer without a norm is never elastic in the published networks.
    let inner = isElastic && norm != nil
    var members: [Member] = [
      .parameter(inner ? "conv.conv.weight" : "conv.weight", weight, role)
    ]
    members += transforms.map { .parameter("conv.\($0.name)", $0.matrix, .table) }
    if let norm { members.append(.layer(inner ? "bn.bn" : "bn", norm)) }
    return members
  }

  /// The weight of a form of the layer.
  func activeWeight(
    inputs: Int, outputs: Int, kernel: Int, _ tape: Tape
  ) throws -> Variable {
    var weight = tape.parameter(weight)
    guard isDepthwise else { return try weight.leading(inputs, outputs) }
    weight = try weight.slice(axis: 2, 0..<outputs)
    for transform in transforms where transform.from > kernel {
      let (border, size) = ((transform.from - transform.to) / 2, transform.to)
      let centre = try weight.slice(axis: 0, border..<border + size)
        .slice(axis: 1, border..<border + size).reshaped([size * size, outputs])
      weight = try tape.parameter(transform.matrix).matmul(centre)
        .reshaped([size, size, outputs])
    }
    return weight
  }

  /// - Parameters:
  ///   - x: `[N, H, W, C]`, C at most the layer's inputs.
  ///   - outputs: channels of the result.
  public func callAsFunction(
    _ x: Variable, outputs: Int, kernel: Int = 1, adding shortcut: Variable? = nil,
    activation: Tensors.Activation? = nil, _ pass: Pass
  ) throws -> Variable {
    let inputs = x.shape[3]
    let weight = try activeWeight(inputs: inputs, outputs: outputs, kernel: kernel, pass.tape)
    let options = Convolution(
      kernel: kernel, stride: stride, groups: isDepthwise ? inputs : 1)
    let activation = activation ?? self.activation
    guard let norm else {
      let y = try x.convolution(weight, options)
      return try (shortcut.map { try y + $0 } ?? y).activated(activation)
    }
    return try x.convolution(
      weight, options, norm: norm, activation: activation, adding: shortcut, pass)
  }

  /// Copies the form that `target` is into it.
  func extract(into target: ElasticConvolution, _ engine: Engine) throws {
    let shape = target.weight.value.shape
    target.weight.value = try activeWeight(
      inputs: shape[2], outputs: shape[shape.count - 1], kernel: shape[0],
      Tape(engine, recording: false)
    ).value.copied()
    guard let norm, let into = target.norm else { return }
    let channels = 0..<into.weight.value.count
    for (source, copy) in zip(norm.parameters, into.parameters) {
      copy.value = try source.value.slice(axis: 0, channels).copied()
    }
  }
}

extension BatchNorm {
  /// Scale, shift and running statistics.
  var parameters: [Tensors.Parameter] { [weight, bias, runningMean, runningVariance] }
}

extension Architectures.Activation {
  /// The engine's function.
  var function: Tensors.Activation {
    switch self {
    case .none: .identity
    case .relu: .relu
    case .relu6: .relu6
    case .hswish: .hardSwish
    case .swish: .swish
    case .hsigmoid: .hardSigmoid
    case .sigmoid: .sigmoid
    }
  }
}
