import Architectures

/// What kind of work an operator is: kinds have a regressor each.
public enum KernelKind: String, Codable, CaseIterable, Sendable {
  /// Convolution over a window, all channels with all.
  case convolution
  /// Convolution of one pixel: a matrix product over channels.
  case pointwise
  /// One filter a channel.
  case depthwise
  /// Convolution in several groups of several channels.
  case grouped
  /// Matrix products.
  case linear
  case pool
  /// Reductions over all pixels.
  case globalPool
  case normalization
  /// One operand, elementwise.
  case activation
  /// Two operands, elementwise.
  case elementwise
  /// Copies: concatenation, slices, transposition, padding.
  case movement
  /// Other shapes for the same elements; mostly free.
  case view
  case other

  /// The kind of `node`, whose operands' types come from `graph`.
  init(_ node: Node, in graph: OperatorGraph) {
    switch node.op {
    case "Conv":
      let weight =
        node.inputs.count > 1 ? node.inputs[1].flatMap { graph.type(of: $0).fixedShape } : nil
      let groups = node.attributes.int("group") ?? 1
      if groups > 1 {
        self = weight?[1] == 1 ? .depthwise : .grouped
      } else {
        self = weight?.dropFirst(2).allSatisfy { $0 == 1 } == true ? .pointwise : .convolution
      }
    case "Gemm", "MatMul": self = .linear
    case "MaxPool", "AveragePool", "LpPool": self = .pool
    case "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax", "ReduceSum":
      self = .globalPool
    case "BatchNormalization", "LayerNormalization", "InstanceNormalization", "LRN", "Softmax":
      self = .normalization
    case "Relu", "Clip", "HardSwish", "HardSigmoid", "Sigmoid", "Tanh", "LeakyRelu", "PRelu",
      "Elu", "Erf", "Gelu", "Swish", "Softplus", "Exp", "Sqrt", "Cast":
      self = .activation
    case "Add", "Mul", "Sub", "Div", "Sum", "Max", "Min", "Pow": self = .elementwise
    case "Concat", "Slice", "Split", "Transpose", "Pad", "Gather", "Resize", "Expand",
      "DepthToSpace", "SpaceToDepth":
      self = .movement
    case "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Constant", "Shape":
      self = .view
    default: self = .other
    }
  }

  /// What regressors are for: each kind in plain and in blocked layout; see `KernelLayout`.
  static let layouts = allCases.flatMap { ["\($0.rawValue)", "\($0.rawValue).blocked"] }

  /// Whether it does multiply-accumulates over a window or a matrix.
  public var isConvolution: Bool {
    switch self {
    case .convolution, .pointwise, .depthwise, .grouped: true
    default: false
    }
  }
}
