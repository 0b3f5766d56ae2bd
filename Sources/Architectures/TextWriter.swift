/// Writes a canonical graph as architecture text.
struct TextWriter {
  private(set) var result = ""

  mutating func write(_ graph: OperatorGraph, separator: String) {
    var naming = Naming(graph)
    for domain in graph.opsets.keys.sorted() {
      let version = graph.opsets[domain]!
      if domain.isEmpty {
        if version != OperatorGraph.opset { result += "opset \(version)\(separator)" }
      } else {
        result += "opset \(TextString.quote(domain)) \(version)\(separator)"
      }
    }
    for (index, input) in graph.inputs.enumerated() {
      result += "Input\(index + 1):"
      result += TextShape.text(input.type)
      result += separator
    }
    for index in graph.nodes.indices {
      write(graph.nodes[index], graph, &naming)
      if naming.chains[index] {
        let inferred = try? ShapeInference.outputs(of: graph.nodes[index], in: graph)
        if inferred != graph.nodes[index].outputs {
          result += ":"
          result += TextShape.text(graph.nodes[index].outputs[0])
        }
        result += " --> "
      } else {
        result += " --> "
        for output in graph.nodes[index].outputs.indices {
          if output > 0 { result += ", " }
          result += naming.name(closing: index, output: output)
          result += ":"
          result += TextShape.text(graph.nodes[index].outputs[output])
        }
        result += separator
      }
    }
    for (index, output) in graph.outputs.enumerated() where naming.needsAlias(index, output) {
      result += "Out\(index + 1)="
      write(output, graph, &naming, consumer: nil)
      result += separator
    }
    if result.hasSuffix(separator) { result.removeLast(separator.count) }
  }

  private mutating func write(_ node: Node, _ graph: OperatorGraph, _ naming: inout Naming) {
    if !node.domain.isEmpty { result += TextString.quote(node.domain) + "::" }
    result += Self.isPlain(node.op) ? node.op : TextString.quote(node.op)
    result += "("
    for (index, input) in node.inputs.enumerated() {
      if index > 0 { result += ", " }
      if let input { write(input, graph, &naming, consumer: naming.current) } else { result += "_" }
    }
    result += ")"
    if !node.captures.isEmpty {
      result += "["
      for (index, capture) in node.captures.enumerated() {
        if index > 0 { result += ", " }
        write(capture, graph, &naming, consumer: nil)
      }
      result += "]"
    }
    writeAttributes(of: node, in: graph)
    naming.current += 1
  }

  /// `(group=2,kernel_shape=3)`; nothing where there are none.
  mutating func writeAttributes(of node: Node, in graph: OperatorGraph) {
    guard !node.attributes.isEmpty else { return }
    let rank = node.spatialRank(in: graph)
    result += "("
    for (index, name) in node.attributes.keys.sorted().enumerated() {
      if index > 0 { result += "," }
      result += Self.isPlain(name) ? name : TextString.quote(name)
      result += "="
      let value = node.attributes[name]!
      if let rank, let multiple = Node.spatialAttributes[name], case .ints(let list) = value,
        let first = list.first, list == Array(repeating: first, count: rank * multiple)
      {
        result += String(first)
      } else {
        write(value)
      }
    }
    result += ")"
  }

  private mutating func write(
    _ reference: ValueReference, _ graph: OperatorGraph, _ naming: inout Naming, consumer: Int?
  ) {
    switch reference {
    case .input(let index): result += "Input\(index + 1)"
    case .captured(let index, let type): result += "Captured\(index + 1):\(TextShape.text(type))"
    case .node(let index, let output):
      if let consumer, index == consumer - 1, naming.chains[index] {
        result += "prev"
      } else {
        result += naming.name(reading: index, output: output)
      }
    case .parameter(let index):
      let parameter = graph.parameters[index]
      result += parameter.constant == nil ? "Param" : "Const"
      if parameter.constant == nil, naming.parameterUses[index] > 1 {
        result += "#\(naming.number(ofShared: index))"
      }
      if parameter.type.elementType != .float32 {
        result += ":\(parameter.type.elementType.name)"
      }
      result += "["
      if let shape = parameter.type.fixedShape {
        result += shape.map(String.init).joined(separator: ",")
      } else {
        result += TextShape.text(parameter.type.shape)
      }
      result += "]"
      if parameter.constant != nil { result += naming.content(of: index) }
    }
  }

  static func text(_ constant: ConstantContent) -> String {
    var writer = TextWriter()
    writer.write(constant)
    return writer.result
  }

  private mutating func write(_ constant: ConstantContent) {
    switch constant {
    case .ints(let values): result += "{" + values.map(String.init).joined(separator: ",") + "}"
    case .floats(let values):
      result += "{" + values.map { $0.description }.joined(separator: ",") + "}"
    case .strings(let values):
      result += "{" + values.map(TextString.quote).joined(separator: ",") + "}"
    case .digest(let digest): result += "{#" + TextString.quote(digest) + "}"
    }
  }

  mutating func write(_ attribute: Attribute) {
    switch attribute {
    case .int(let value): result += String(value)
    case .float(let value): result += value.description
    case .string(let value): result += TextString.quote(value)
    case .ints(let values): result += "[" + values.map(String.init).joined(separator: ",") + "]"
    case .floats(let values):
      result += "f[" + values.map { $0.description }.joined(separator: ",") + "]"
    case .strings(let values):
      result += "s[" + values.map(TextString.quote).joined(separator: ",") + "]"
    case .tensor(let type, let content):
      result += "<\(TextShape.text(type)) "
      write(content)
      result += ">"
    case .graph(let graph): write(subgraph: graph)
    case .graphs(let graphs):
      result += "g["
      for (index, graph) in graphs.enumerated() {
        if index > 0 { result += "," }
        write(subgraph: graph)
      }
      result += "]"
    case .other(let digest): result += "#" + TextString.quote(digest)
    }
  }

  private mutating func write(subgraph graph: OperatorGraph) {
    var inner = TextWriter()
    inner.write(graph, separator: "; ")
    result += "{" + inner.result + "}"
  }

  static func isPlain(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(48...57).contains(first) else { return false }
    return name.utf8.allSatisfy {
      (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95
    }
  }
}

/// Which values have names in a text, and which.
private struct Naming {
  /// Node whose result the next node reads as `prev`.
  var chains: [Bool]
  var parameterUses: [Int]
  var current = 0
  private var names: [[String?]]
  private var valueCount = 0
  private var sharedNumbers: [Int: Int] = [:]
  /// Contents of constants: one may be read very often.
  private var contents: [Int: String] = [:]
  private let graph: OperatorGraph

  init(_ graph: OperatorGraph) {
    self.graph = graph
    chains = Array(repeating: false, count: graph.nodes.count)
    names = graph.nodes.map { Array(repeating: nil, count: $0.outputs.count) }
    parameterUses = Array(repeating: 0, count: graph.parameters.count)
    var uses = [Int](repeating: 0, count: graph.nodes.count)
    for reference in graph.references {
      switch reference {
      case .node(let index, _): uses[index] += 1
      case .parameter(let index): parameterUses[index] += 1
      default: break
      }
    }
    for index in graph.nodes.indices.dropLast()
    where uses[index] == 1 && graph.nodes[index].outputs.count == 1 {
      chains[index] = graph.nodes[index + 1].inputs.contains(.node(index, output: 0))
    }
    for (index, output) in graph.outputs.enumerated() {
      if case .node(let node, let result) = output, names[node][result] == nil {
        names[node][result] = "Out\(index + 1)"
      }
    }
  }

  mutating func name(closing node: Int, output: Int) -> String {
    if let name = names[node][output] { return name }
    valueCount += 1
    let name = "Value\(valueCount)"
    names[node][output] = name
    return name
  }

  func name(reading node: Int, output: Int) -> String { names[node][output] ?? "?" }

  mutating func number(ofShared parameter: Int) -> Int {
    if let number = sharedNumbers[parameter] { return number }
    sharedNumbers[parameter] = sharedNumbers.count + 1
    return sharedNumbers.count
  }

  mutating func content(of parameter: Int) -> String {
    if let content = contents[parameter] { return content }
    let content = graph.parameters[parameter].constant.map(TextWriter.text) ?? ""
    contents[parameter] = content
    return content
  }

  /// An output that is no node's result of its own: an input passed on, or one given twice.
  func needsAlias(_ index: Int, _ output: ValueReference) -> Bool {
    guard case .node(let node, let result) = output else { return true }
    return names[node][result] != "Out\(index + 1)"
  }
}
