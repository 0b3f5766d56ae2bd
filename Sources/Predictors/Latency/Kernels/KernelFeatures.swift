import Foundation

/// What regressors know of a kernel.
enum KernelFeatures {
  static let names = [
    "macs", "inputBytes", "outputBytes", "weightBytes", "intensity", "inputChannels",
    "outputChannels", "pixels", "width", "kernel", "stride", "groups", "inputRemainder",
    "outputRemainder", "operator", "activation", "fusesAddition", "blocks", "packed", "unpacked",
  ]

  /// Quantities in binary logarithms, so that a split is a ratio; `intensity` is multiply-accumulates
  /// a byte moved, remainders are channels beyond the last whole vector of 16. What tells a short
  /// network from a whole one is left out: trees would learn to tell probes apart by it.
  static func vector(_ kernel: Kernel) -> [Float] {
    let moved = kernel.inputBytes + kernel.outputBytes + kernel.weightBytes
    func share(_ part: Double, _ whole: Double) -> Double { whole > 0 ? part / whole : 0 }
    return [
      log2(1 + kernel.macs), log2(1 + kernel.inputBytes), log2(1 + kernel.outputBytes),
      log2(1 + kernel.weightBytes), log2(1 + kernel.macs / max(1, moved)),
      log2(kernel.inputChannels), log2(kernel.outputChannels), log2(kernel.pixels), kernel.width,
      kernel.kernel, kernel.stride, log2(kernel.groups),
      kernel.inputChannels.truncatingRemainder(dividingBy: 16),
      kernel.outputChannels.truncatingRemainder(dividingBy: 16),
      Double(operators.firstIndex(of: kernel.op) ?? operators.count),
      Double(activations.firstIndex(of: kernel.activation) ?? activations.count),
      kernel.fusesAddition ? 1 : 0, (kernel.outputChannels / 16).rounded(.up),
      share(kernel.packedBytes, kernel.inputBytes),
      share(kernel.unpackedBytes, kernel.outputBytes),
    ].map { Float(max(0, $0)) }
  }

  /// Operators by number: those that cost much the same are neighbours.
  private static let operators = [
    "Conv", "PointwiseConv", "DepthwiseConv", "GroupedConv", "Gemm", "MatMul", "MaxPool",
    "AveragePool", "GlobalMaxPool", "GlobalAveragePool", "ReduceMean", "ReduceMax", "ReduceSum",
    "BatchNormalization", "LayerNormalization", "Softmax", "Relu", "Clip", "LeakyRelu", "PRelu",
    "HardSigmoid", "HardSwish", "Sigmoid", "Swish", "Tanh", "Elu", "Erf", "Gelu", "Add", "Sub",
    "Mul", "Div", "Sum", "Max", "Min", "Pow", "Concat", "Slice", "Split", "Pad", "Gather",
    "Transpose", "Resize", "DepthToSpace", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity",
    "Dropout",
  ]
  private static let activations = [
    "", "Relu", "Clip", "LeakyRelu", "HardSigmoid", "HardSwish", "Sigmoid", "Swish", "Tanh",
  ]
  /// Features that are numbers of a category, and how many categories each has.
  static let categories = [
    names.firstIndex(of: "operator")!: operators.count + 1,
    names.firstIndex(of: "activation")!: activations.count + 1,
  ]

  /// Terms of a roofline, each with a cost of its own: a start, arithmetic with channels padded to
  /// whole vectors, traffic, changes of layout, and patches that
  /// are copied for a matrix product.
  static func terms(_ kernel: Kernel) -> [Double] {
    func padded(_ channels: Double) -> Double { (channels / 16).rounded(.up) * 16 }
    let padding =
      kernel.groups > 1
      ? padded(kernel.outputChannels) / max(1, kernel.outputChannels)
      : padded(kernel.outputChannels) / max(1, kernel.outputChannels)
        * (padded(kernel.inputChannels) / max(1, kernel.inputChannels))
    let data = kernel.inputBytes + kernel.outputBytes
    let cold = cold(networkBytes: kernel.networkWeightBytes + kernel.networkActivationBytes)
    let hasGate = !["", "Relu", "Clip"].contains(kernel.activation)
    return [
      1, kernel.macs / 1e6, kernel.macs * padding / 1e6, kernel.inputBytes / 1e6,
      kernel.outputBytes / 1e6, kernel.packedBytes / 1e6, kernel.unpackedBytes / 1e6,
      hasGate ? kernel.outputBytes / 1e6 : 0,
      kernel.kind.isConvolution ? kernel.inputBytes * kernel.kernel * kernel.kernel / 1e6 : 0,
      kernel.kind.isConvolution ? kernel.macs / max(1, kernel.width) / 1e6 : 0,
      kernel.weightBytes / 1e6,
    ] + cold.flatMap { [$0 * kernel.weightBytes / 1e6, $0 * data / 1e6] }
  }

  /// For caches of 2, 8 and 32 MB, the share of a network's bytes that was pushed out since the
  /// last run.
  static func cold(networkBytes: Double) -> [Double] {
    [21.0, 23, 25].map { min(1, max(0, (log2(1 + networkBytes) - $0 + 1) / 2)) }
  }

  static let termNames = [
    "start", "macs", "paddedMACs", "inputBytes", "outputBytes", "packed", "unpacked", "gate",
    "patches", "edges", "weightBytes", "coldWeights2MB", "coldData2MB", "coldWeights8MB",
    "coldData8MB", "coldWeights32MB", "coldData32MB",
  ]
  /// The last terms are the memory's, which costs all kinds the same.
  static let sharedTerms = 7
  /// Of these, those that depend on the network's size: weights and data for each cache.
  static let coldTerms = termNames.count - 6..<termNames.count
}
