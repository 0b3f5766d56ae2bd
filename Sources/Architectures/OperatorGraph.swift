/// A neural network as operators on values, in ONNX's vocabulary (operator set 17).
///
/// The one form every architecture takes, whether a search space built it or an ONNX file was
/// read. Weights are known by shape only; constants that shape the computation (the target of a
/// `Reshape`, the bounds of a `Clip`) are kept with their values. Names are labels for people
/// and files: they never take part in comparison.
public struct OperatorGraph: Hashable, Sendable {
  public var inputs: [GraphInput]
  public var parameters: [Parameter]
  /// Every node follows the nodes it reads.
  public var nodes: [Node]
  public var outputs: [ValueReference]
  /// Version of each operator set domain; the default domain `""` is `ai.onnx`.
  public var opsets: [String: Int]

  public init(
    inputs: [GraphInput] = [], parameters: [Parameter] = [], nodes: [Node] = [],
    outputs: [ValueReference] = [], opsets: [String: Int] = ["": OperatorGraph.opset]
  ) {
    self.inputs = inputs
    self.parameters = parameters
    self.nodes = nodes
    self.outputs = outputs
    self.opsets = opsets
  }

  /// The operator set that spaces build and export writes.
  public static let opset = 17

  /// Type of a value; `unknown` for a value captured from an outer graph.
  public func type(of reference: ValueReference) -> TensorType {
    switch reference {
    case .input(let index): inputs[index].type
    case .parameter(let index): parameters[index].type
    case .node(let index, let output): nodes[index].outputs[output]
    case .captured(_, let type): type
    }
  }
}

/// Where a value comes from.
public enum ValueReference: Hashable, Sendable {
  case input(Int)
  case parameter(Int)
  case node(Int, output: Int = 0)
  /// Inside a subgraph: the value at this position of the enclosing node's `captures`.
  case captured(Int, type: TensorType)
}

public struct GraphInput: Hashable, Sendable {
  public var name: Label
  public var type: TensorType
  public init(name: String, type: TensorType) {
    self.name = Label(name)
    self.type = type
  }
}

/// A tensor stored with the network: a trained weight (shape only) or a structural constant.
public struct Parameter: Hashable, Sendable {
  public var name: Label
  public var type: TensorType
  /// The content when it shapes the computation; `nil` for a weight.
  public var constant: ConstantContent?
  public init(name: String, type: TensorType, constant: ConstantContent? = nil) {
    self.name = Label(name)
    self.type = type
    self.constant = constant
  }
}

/// Content of a structural constant, row-major.
public enum ConstantContent: Hashable, Sendable {
  case ints([Int])
  case floats([Double])
  case strings([String])
  /// Too large to spell out: a digest of the content, which keeps different ones apart.
  case digest(String)
}

/// One operator with its operands.
public struct Node: Hashable, Sendable {
  public var name: Label
  /// ONNX operator type, such as `Conv`.
  public var op: String
  /// Operator domain; empty for `ai.onnx`.
  public var domain: String
  /// Operands; `nil` where an optional one is left out.
  public var inputs: [ValueReference?]
  /// Types of the results; `nil` shape where unknown.
  public var outputs: [TensorType]
  public var attributes: [String: Attribute]
  /// Outer values that the subgraphs among `attributes` read.
  public var captures: [ValueReference]

  public init(
    _ op: String, name: String = "", domain: String = "", inputs: [ValueReference?],
    outputs: [TensorType] = [], attributes: [String: Attribute] = [:],
    captures: [ValueReference] = []
  ) {
    self.op = op
    self.name = Label(name)
    self.domain = domain
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
    self.captures = captures
  }
}

public enum Attribute: Hashable, Sendable {
  case int(Int)
  case float(Float)
  case string(String)
  case ints([Int])
  case floats([Float])
  case strings([String])
  case tensor(TensorType, ConstantContent)
  case graph(OperatorGraph)
  case graphs([OperatorGraph])
  /// A kind that has no structure here (type, sparse tensor), as a digest.
  case other(String)
}

extension Attribute: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(floatLiteral value: Float) { self = .float(value) }
}

/// A name that takes no part in comparison.
public struct Label: Hashable, Sendable, CustomStringConvertible {
  public var text: String
  public init(_ text: String) { self.text = text }
  public static func == (a: Self, b: Self) -> Bool { true }
  public func hash(into hasher: inout Hasher) {}
  public var description: String { text }
}
