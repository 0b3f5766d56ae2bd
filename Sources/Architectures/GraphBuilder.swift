/// Builds a graph operator by operator, with result types inferred and parameters named.
public struct GraphBuilder {
  public private(set) var graph = OperatorGraph()
  /// Dotted path that precedes the names of operators and parameters, such as `blocks.3.conv`.
  public var path: [String] = []

  public init() {}

  public mutating func input(_ shape: [Int], name: String = "input") -> ValueReference {
    graph.inputs.append(GraphInput(name: name, type: TensorType(shape)))
    return .input(graph.inputs.count - 1)
  }

  public mutating func output(_ value: ValueReference) { graph.outputs.append(value) }

  public mutating func weight(_ name: String, _ shape: [Int]) -> ValueReference {
    graph.parameters.append(Parameter(name: qualified(name), type: TensorType(shape)))
    return .parameter(graph.parameters.count - 1)
  }

  public mutating func constant(_ name: String, ints values: [Int]) -> ValueReference {
    constant(
      Parameter(name: name, type: TensorType([values.count], .int64), constant: .ints(values)))
  }

  public mutating func constant(_ name: String, scalar value: Double) -> ValueReference {
    constant(Parameter(name: name, type: TensorType([Int]()), constant: .floats([value])))
  }

  private mutating func constant(_ parameter: Parameter) -> ValueReference {
    if let index = graph.parameters.firstIndex(where: { $0.constant != nil && $0 == parameter }) {
      return .parameter(index)
    }
    graph.parameters.append(parameter)
    return .parameter(graph.parameters.count - 1)
  }

  /// Appends an operator with one result.
  /// - Throws: `invalidGraph` with the operator's path when the operands do not fit.
  public mutating func add(
    _ op: String, _ inputs: [ValueReference], _ attributes: [String: Attribute] = [:],
    name: String = ""
  ) throws -> ValueReference {
    let name = qualified(name.isEmpty ? op.lowercased() : name)
    var node = Node(op, name: name, inputs: inputs, attributes: attributes)
    do {
      guard let outputs = try ShapeInference.outputs(of: node, in: graph) else {
        throw ArchitecturesError(.invalidGraph, "\(op): the result's shape can't be told")
      }
      node.outputs = outputs
    } catch let error as ArchitecturesError {
      throw ArchitecturesError(error.code, "\(name): \(error.message)")
    }
    graph.nodes.append(node)
    return .node(graph.nodes.count - 1, output: 0)
  }

  /// Channels of a value `[N, C, ...]`.
  public func channels(_ value: ValueReference) -> Int {
    graph.type(of: value).shape?.dropFirst().first?.value ?? 0
  }

  private func qualified(_ name: String) -> String { (path + [name]).joined(separator: ".") }

  /// Runs `body` with `component` added to the path.
  public mutating func scope<Result>(
    _ component: String, _ body: (inout GraphBuilder) throws -> Result
  ) rethrows -> Result {
    path.append(component)
    defer { path.removeLast() }
    return try body(&self)
  }
}
