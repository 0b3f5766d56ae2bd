internal import Architectures

/// What an operator does, as far as its cost follows from it: a handful of kinds that every
/// network of any format is made of.
public enum OperatorKind: Int, CaseIterable, Sendable {
  /// Dense convolution with a 1 x 1 kernel.
  case pointwise
  /// Dense convolution with a larger kernel, transposed ones too.
  case convolution
  /// Convolution in groups of several channels.
  case grouped
  /// Convolution of each channel by itself.
  case depthwise
  /// `Gemm`, `MatMul`.
  case product
  case maxPool, averagePool, globalPool
  case normalisation
  /// Any function of one value at a time.
  case activation
  /// `Add`, `Sub`, `Sum`.
  case sum
  /// `Mul`, `Div`: gates among them.
  case gate
  case concatenation
  /// Moves numbers and computes none: `Reshape`, `Transpose`, `Slice` and the like.
  case movement
  case softmax
  case other

  /// Kinds that carry trained weights or a window: the steps of a path.
  var isStep: Bool { rawValue <= Self.globalPool.rawValue }

  init(_ node: Node, in graph: OperatorGraph) {
    guard node.domain.isEmpty else {
      self = .other
      return
    }
    switch node.op {
    case "Conv", "ConvInteger", "QLinearConv", "ConvTranspose", "FusedConv":
      let weight = node.inputs.count > 1 ? node.inputs[1] : nil
      let shape = weight.flatMap { graph.type(of: $0).fixedShape } ?? []
      let groups = node.attributes.int("group") ?? 1
      if groups > 1 {
        // Weights are [out, in / groups, ...].
        self = shape.count > 1 && shape[1] == 1 ? .depthwise : .grouped
      } else {
        self = shape.dropFirst(2).allSatisfy { $0 == 1 } ? .pointwise : .convolution
      }
    case "Gemm", "MatMul", "MatMulInteger", "QLinearMatMul", "Einsum", "LSTM", "GRU", "RNN":
      self = .product
    case "MaxPool": self = .maxPool
    case "AveragePool", "LpPool": self = .averagePool
    case "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceSum", "ReduceMax":
      self = .globalPool
    case "BatchNormalization", "LayerNormalization", "InstanceNormalization",
      "GroupNormalization", "LRN", "LpNormalization":
      self = .normalisation
    case "Relu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "LeakyRelu", "PRelu", "Elu",
      "Selu", "Gelu", "Erf", "Softplus", "Mish", "Exp", "Sqrt", "Pow", "Abs", "Neg", "Cast",
      "QuantizeLinear", "DequantizeLinear":
      self = .activation
    case "Add", "Sub", "Sum": self = .sum
    case "Mul", "Div": self = .gate
    case "Concat": self = .concatenation
    case "Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Split", "Pad",
      "Gather", "Expand", "Identity", "DepthToSpace", "SpaceToDepth", "Resize", "Upsample",
      "Dropout", "Shape", "Constant":
      self = .movement
    case "Softmax", "LogSoftmax": self = .softmax
    default: self = .other
    }
  }
}
