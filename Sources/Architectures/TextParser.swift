/// Reads architecture text back into the graph it came from.
struct TextParser {
  var bytes: [UInt8]
  var at = 0
  private var depth = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  /// The whole text as one graph.
  mutating func graph() throws -> OperatorGraph {
    while bytes.last.map({ $0 == 10 || $0 == 32 || $0 == 13 }) == true { bytes.removeLast() }
    let graph = try body()
    guard at == bytes.count else { throw error("the end of the text") }
    return graph
  }

  /// State of one graph while its lines are read.
  struct Scope {
    var graph = OperatorGraph()
    var names: [String: ValueReference] = [:]
    var outputs: [Int: ValueReference] = [:]
    var shared: [Int: Int] = [:]
    /// By their text: numbers that compare equal may differ (0 and -0).
    var constants: [String: Int] = [:]
    var prev: ValueReference?
  }

  /// Lines up to the end of the text or the brace that closes a subgraph.
  private mutating func body() throws -> OperatorGraph {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 32 else { throw error("at most 32 nested subgraphs") }
    var scope = Scope()
    while at < bytes.count, bytes[at] != UInt8(ascii: "}") {
      try line(&scope)
      if !accept("\n"), !accept("; ") { break }
    }
    for index in 0..<scope.outputs.count {
      guard let reference = scope.outputs[index + 1] else {
        throw error("Out\(index + 1), since there are \(scope.outputs.count) outputs")
      }
      scope.graph.outputs.append(reference)
    }
    return scope.graph
  }

  private mutating func line(_ scope: inout Scope) throws {
    let start = at
    if accept("opset ") {
      if bytes.indices.contains(at), bytes[at] == UInt8(ascii: "\"") {
        let domain = try quoted()
        try expect(" ")
        scope.graph.opsets[domain] = try integer()
      } else {
        scope.graph.opsets[""] = try integer()
      }
      return
    }
    if let word = peekWord() {
      if let number = Self.number(word, after: "Input"), follows(word, ":") {
        guard number == scope.graph.inputs.count + 1 else {
          throw error("Input\(scope.graph.inputs.count + 1)")
        }
        at += word.utf8.count + 1
        let type = try type()
        scope.names[word] = .input(number - 1)
        scope.graph.inputs.append(GraphInput(name: word, type: type))
        return
      }
      if let number = Self.number(word, after: "Out"), follows(word, "=") {
        at += word.utf8.count + 1
        guard scope.outputs[number] == nil else { throw error("another output than \(word)") }
        scope.outputs[number] = try reference(&scope)
        return
      }
    }
    guard at == start else { return }
    scope.prev = nil
    repeat { try node(&scope) } while scope.prev != nil
  }

  /// One operator and either `-->` with the next one or the names of its results.
  private mutating func node(_ scope: inout Scope) throws {
    var domain = ""
    var op = try name()
    if accept("::") {
      domain = op
      op = try name()
    }
    var node = Node(op, domain: domain, inputs: [])
    try expect("(")
    if !accept(")") {
      repeat {
        node.inputs.append(accept("_") ? nil : try reference(&scope))
      } while accept(", ")
      try expect(")")
    }
    if accept("[") {
      repeat { node.captures.append(try reference(&scope)) } while accept(", ")
      try expect("]")
    }
    if accept("(") {
      repeat {
        let key = try name()
        try expect("=")
        guard node.attributes[key] == nil else { throw error("each attribute once, not \(key)") }
        node.attributes[key] = try attribute(key, node.spatialRank(in: scope.graph))
      } while accept(",")
      try expect(")")
    }
    let stated: TensorType? = accept(":") ? try type() : nil
    try expect(" --> ")
    scope.prev = nil
    let index = scope.graph.nodes.count
    if let word = peekWord(), word.hasPrefix("Value") || word.hasPrefix("Out"), follows(word, ":") {
      var output = 0
      repeat {
        let name = try plainName()
        try expect(":")
        node.outputs.append(try type())
        let reference = ValueReference.node(index, output: output)
        guard scope.names.updateValue(reference, forKey: name) == nil else {
          throw error("a new name, not \(name)")
        }
        if let number = Self.number(name, after: "Out") { scope.outputs[number] = reference }
        output += 1
      } while accept(", ")
    } else if let stated {
      node.outputs = [stated]
      scope.prev = .node(index, output: 0)
    } else {
      let inferred: [TensorType]?
      do { inferred = try ShapeInference.outputs(of: node, in: scope.graph) } catch {
        throw self.error("operands that fit: \(error)")
      }
      guard let inferred, inferred.count == 1 else {
        throw error("the result type of \(op) before the arrow")
      }
      node.outputs = inferred
      scope.prev = .node(index, output: 0)
    }
    scope.graph.nodes.append(node)
  }

  private mutating func reference(_ scope: inout Scope) throws -> ValueReference {
    let word = try plainName()
    switch word {
    case "prev":
      guard let prev = scope.prev else { throw error("a named value, since nothing precedes prev") }
      return prev
    case "Param", "Const":
      return .parameter(try parameter(isConstant: word == "Const", &scope))
    default:
      if let number = Self.number(word, after: "Captured") {
        try expect(":")
        return .captured(number - 1, type: try type())
      }
      guard let reference = scope.names[word] else {
        throw error("a value named before, not \(word)")
      }
      return reference
    }
  }

  private mutating func parameter(isConstant: Bool, _ scope: inout Scope) throws -> Int {
    let start = at
    let number: Int? = accept("#") ? try integer() : nil
    var type = TensorType(nil)
    if accept(":") { type.elementType = ElementType(name: try name()) }
    try expect("[")
    if !accept("?") {
      if bytes.indices.contains(at), bytes[at] == UInt8(ascii: "]") {
        type.shape = []
      } else {
        var shape: [Dimension] = []
        repeat { shape.append(try axis()) } while accept(",")
        type.shape = shape
      }
    }
    try expect("]")
    var parameter = Parameter(name: "", type: type)
    if isConstant {
      parameter.constant = try constant(type.elementType)
      let text = String(decoding: bytes[start..<at], as: UTF8.self)
      if let existing = scope.constants[text] { return existing }
      scope.constants[text] = scope.graph.parameters.count
    } else if let number {
      if let existing = scope.shared[number] {
        guard scope.graph.parameters[existing].type == type else {
          throw error("the shape that Param#\(number) had before")
        }
        return existing
      }
      scope.shared[number] = scope.graph.parameters.count
    }
    scope.graph.parameters.append(parameter)
    return scope.graph.parameters.count - 1
  }

  private mutating func attribute(_ key: String, _ rank: Int?) throws -> Attribute {
    guard at < bytes.count else { throw error("an attribute value") }
    switch bytes[at] {
    case UInt8(ascii: "\""): return .string(try quoted())
    case UInt8(ascii: "["): return .ints(try list("[") { try $0.integer() })
    case UInt8(ascii: "{"): return .graph(try subgraph())
    case UInt8(ascii: "<"):
      try expect("<")
      let type = try type()
      try expect(" ")
      let content = try constant(type.elementType)
      try expect(">")
      return .tensor(type, content)
    case UInt8(ascii: "#"):
      try expect("#")
      return .other(try quoted())
    default: break
    }
    if startsWith("f[") { return .floats(try list("f[") { Float(try $0.number()) ?? .nan }) }
    if startsWith("s[") { return .strings(try list("s[") { try $0.quoted() }) }
    if startsWith("g[") { return .graphs(try list("g[") { try $0.subgraph() }) }
    let number = try number()
    if let value = Int(number) {
      if let rank, let multiple = Node.spatialAttributes[key] {
        return .ints(Array(repeating: value, count: rank * multiple))
      }
      return .int(value)
    }
    guard let value = Float(number) else { throw error("a number, not \(number)") }
    return .float(value)
  }

  private mutating func subgraph() throws -> OperatorGraph {
    try expect("{")
    let graph = try body()
    try expect("}")
    return graph
  }

  private mutating func constant(_ type: ElementType) throws -> ConstantContent {
    if accept("{#") {
      let digest = try quoted()
      try expect("}")
      return .digest(digest)
    }
    if type == .string { return .strings(try list("{", "}") { try $0.quoted() }) }
    if type.isFloatingPoint {
      return .floats(
        try list("{", "}") { parser in
          let text = try parser.number()
          guard let value = Double(text) else { throw parser.error("a number, not \(text)") }
          return value
        })
    }
    return .ints(try list("{", "}") { try $0.integer() })
  }

  private mutating func list<Element>(
    _ open: String, _ close: String = "]", _ element: (inout TextParser) throws -> Element
  ) throws -> [Element] {
    try expect(open)
    var result: [Element] = []
    if accept(close) { return result }
    repeat { result.append(try element(&self)) } while accept(",")
    try expect(close)
    return result
  }

  static func number(_ word: String, after prefix: String) -> Int? {
    guard word.hasPrefix(prefix), let number = Int(word.dropFirst(prefix.count)), number > 0 else {
      return nil
    }
    return number
  }
}
