import Architectures

/// Turns graph messages into operator graphs.
struct GraphReader {
  let file: FileBytes
  /// Version of the default operator set.
  var opset = OperatorGraph.opset
  var budget = ItemBudget()
  var counts = ONNXModel.NodeCounts()
  /// Every stored tensor by the unique name its parameter has.
  private(set) var tensors: [String: StoredTensor] = [:]
  private var parameterNames = NameTable()
  private(set) var domains = Set<String>()

  init(file: FileBytes) { self.file = file }

  struct Result {
    var graph: OperatorGraph
    var name: String
    var outputNames: [String]
  }

  /// - Parameter captures: where the enclosing graph's values come in, for a subgraph.
  mutating func read(
    _ message: WireMessage, captures: GraphScope.Captures? = nil, depth: Int = 0
  ) throws -> Result {
    let parts = try GraphParts(message, depth: depth, budget: &budget)
    let scope = GraphScope(captures: captures)
    for stored in parts.initializers {
      let tensor = try StoredTensor(stored, budget: &budget)
      try scope.define(tensor.name, addTensor(tensor, named: tensor.name, to: scope))
    }
    var declared: [String: TensorType] = [:]
    for info in parts.valueInfo + parts.outputs {
      let (name, type) = try TypeReader.valueInfo(info, budget: &budget)
      declared[name] = type
    }
    for input in parts.inputs {
      let (name, type) = try TypeReader.valueInfo(input, budget: &budget)
      // Files of the first formats list initializers as inputs too.
      if scope.isDefined(name) { continue }
      scope.graph.inputs.append(GraphInput(name: name, type: type))
      try scope.define(name, .input(scope.graph.inputs.count - 1))
    }
    let nodes = try parts.nodes.map { try StoredNode($0, budget: &budget) }
    for node in try ordered(nodes, in: scope, depth: depth) {
      try add(node, declared, to: scope, depth: depth)
    }
    var outputNames: [String] = []
    for output in parts.outputs {
      let (name, _) = try TypeReader.valueInfo(output, budget: &budget)
      guard let found = scope.find(name) else {
        throw ONNXFormatError(.invalidGraph, "no node makes the output \(quoted(name))")
      }
      scope.graph.outputs.append(scope.reference(to: found))
      outputNames.append(name)
    }
    scope.dropWeightContents()
    return Result(
      graph: scope.graph.droppingUnusedParameters(), name: parts.name, outputNames: outputNames)
  }

  private mutating func add(
    _ node: StoredNode, _ declared: [String: TensorType], to scope: GraphScope, depth: Int
  ) throws {
    domains.insert(node.domain)
    let operands = try node.inputs.map { name -> GraphScope.Found? in
      if name.isEmpty { return nil }
      guard let found = scope.find(name) else {
        throw node.error(.invalidGraph, "reads \(quoted(name)), which nothing makes")
      }
      return found
    }
    if try addConstant(node, to: scope) {
      counts.constants += 1
      return
    }
    var attributes = try plainAttributes(of: node)
    if let operand = Normalisation.bypassed(
      node, attributes, operands, opset: opset)
    {
      if case .parameter(let index) = operand.reference, operand.scope === scope,
        let tensor = scope.tensors[index], scope.graph.parameters[index].constant == nil
      {
        // Exporters that store equal weights once copy them like this: they are weights of their
        // own.
        try scope.define(node.outputs[0], addTensor(tensor, named: node.outputs[0], to: scope))
      } else {
        try scope.define(node.outputs[0], scope.reference(to: operand))
      }
      counts.bypassed += 1
      return
    }
    if let tensor = try fold(node, attributes, operands) {
      try scope.define(
        node.outputs[0],
        addTensor(tensor, named: node.outputs[0], to: scope, isConstant: true))
      counts.folded += 1
      return
    }
    try loadOperands(node, operands)

    let captures = GraphScope.Captures(outer: scope)
    for attribute in node.attributes {
      let value: Attribute
      switch attribute.value {
      case .graph(let message):
        value = .graph(try read(message, captures: captures, depth: depth + 1).graph)
      case .graphs(let messages):
        value = .graphs(
          try messages.map { try read($0, captures: captures, depth: depth + 1).graph })
      default: continue
      }
      attributes[attribute.name] = value
    }
    var result = Node(
      node.op, name: node.name.isEmpty ? node.outputs.first ?? "" : node.name,
      domain: node.domain, inputs: operands.map { $0.map(scope.reference(to:)) },
      attributes: attributes, captures: captures.references)
    result.outputs = try types(of: node, result, declared, in: scope)
    scope.graph.nodes.append(result)
    counts.kept += 1
    for (output, name) in node.outputs.enumerated() where !name.isEmpty {
      try scope.define(name, .node(scope.graph.nodes.count - 1, output: output))
    }
  }

  /// Types of the node's results: what follows from the operands, else what the file says.
  private func types(
    of stored: StoredNode, _ node: Node, _ declared: [String: TensorType], in scope: GraphScope
  ) throws -> [TensorType] {
    var inferred: [TensorType]?
    do {
      inferred = try ShapeInference.outputs(
        of: node, operands: node.inputs.map { $0.map(scope.operand) },
        outputCount: stored.outputs.count)
    } catch let error as ArchitecturesError {
      throw stored.error(.invalidGraph, "does not fit its operands: \(error.message)")
    }
    if let rank = inferred?.compactMap(\.shape?.count).max(), rank > ONNXLimits.rank {
      throw stored.error(.tooLarge, "has a result of \(rank) axes")
    }
    return stored.outputs.enumerated().map { index, name in
      let said = declared[name]
      guard let inferred, index < inferred.count else {
        return said ?? TensorType(nil, .other("unknown"))
      }
      return inferred[index].filled(from: said)
    }
  }

  /// Attributes but for graphs.
  private mutating func plainAttributes(of node: StoredNode) throws -> [String: Attribute] {
    var attributes: [String: Attribute] = [:]
    for attribute in node.attributes {
      switch attribute.value {
      case .plain(let value): attributes[attribute.name] = value
      case .tensor(let message):
        let tensor = try StoredTensor(message, budget: &budget)
        attributes[attribute.name] = .tensor(tensor.type, try tensor.content(in: file))
      case .graph, .graphs: break
      }
    }
    return attributes
  }

  /// A `Constant` node becomes a parameter.
  private mutating func addConstant(_ node: StoredNode, to scope: GraphScope) throws -> Bool {
    guard node.op == "Constant", node.domain.isEmpty, node.outputs.count == 1,
      node.attributes.count == 1
    else { return false }
    let tensor: StoredTensor
    var isConstant = false
    switch node.attributes[0].value {
    case .tensor(let message): tensor = try StoredTensor(message, budget: &budget)
    case .plain(let value):
      guard let plain = StoredTensor(value) else { return false }
      tensor = plain
      // Exporters don't spell out trained weights as lists of numbers.
      isConstant = true
    default: return false
    }
    try scope.define(
      node.outputs[0],
      addTensor(tensor, named: node.outputs[0], to: scope, isConstant: isConstant))
    return true
  }

  /// Adds a parameter, with its content if that may shape the computation.
  /// - Parameter isConstant: whether it is a constant whatever its type and size.
  private mutating func addTensor(
    _ tensor: StoredTensor, named name: String, to scope: GraphScope, isConstant: Bool = false
  ) throws -> ValueReference {
    let unique = parameterNames.unique(name, or: "constant")
    var constant: ConstantContent?
    if isConstant || !tensor.elementType.isFloatingPoint || tensor.elementCount <= 1 {
      // What is computed or repeated takes no room in the file that would bound it.
      try budget.spend(min(tensor.elementCount, ONNXLimits.constantElements))
      constant = try tensor.content(in: file)
    }
    tensors[unique] = tensor
    return scope.addParameter(unique, tensor, tensor.type, constant)
  }

  /// Notes which operands are weights, and loads contents that this operator's shape depends on.
  private func loadOperands(_ node: StoredNode, _ operands: [GraphScope.Found?]) throws {
    guard node.domain.isEmpty else { return }
    if Normalisation.takesWeights.contains(node.op) {
      for operand in operands.compactMap({ $0 }) { GraphScope.markWeight(operand) }
    }
    guard ["Resize", "Upsample", "OneHot"].contains(node.op) else { return }
    for operand in operands.dropFirst() {
      guard let operand, operand.constant == nil, case .parameter(let index) = operand.reference,
        let tensor = operand.scope.tensors[index]
      else { continue }
      operand.scope.graph.parameters[index].constant = try tensor.content(in: file)
    }
  }
}

extension GraphScope {
  func operand(_ reference: ValueReference) -> ShapeInference.Operand {
    switch reference {
    case .parameter(let index):
      return ShapeInference.Operand(
        type: graph.parameters[index].type, constant: graph.parameters[index].constant)
    case .captured(let index, let type):
      guard let captures, captures.references.indices.contains(index) else {
        return ShapeInference.Operand(type: type)
      }
      return captures.outer.operand(captures.references[index])
    default:
      return ShapeInference.Operand(type: graph.type(of: reference))
    }
  }
}

extension TensorType {
  /// This type, with what it doesn't know taken from `other`.
  func filled(from other: TensorType?) -> TensorType {
    guard let other else { return self }
    var result = self
    if case .other("unknown") = elementType { result.elementType = other.elementType }
    guard let shape else {
      result.shape = other.shape
      return result
    }
    guard let said = other.shape, said.count == shape.count else { return result }
    result.shape = zip(shape, said).map { $0 == .unknown ? $1 : $0 }
    return result
  }
}

extension OperatorGraph {
  /// The graph without the parameters that nothing reads.
  func droppingUnusedParameters() -> OperatorGraph {
    var isUsed = [Bool](repeating: false, count: parameters.count)
    func note(_ reference: ValueReference?) {
      if case .parameter(let index)? = reference { isUsed[index] = true }
    }
    for node in nodes {
      node.inputs.forEach(note)
      node.captures.forEach(note)
    }
    outputs.forEach(note)
    guard isUsed.contains(false) else { return self }
    var positions: [Int] = []
    var result = self
    result.parameters = []
    for (index, parameter) in parameters.enumerated() {
      positions.append(result.parameters.count)
      if isUsed[index] { result.parameters.append(parameter) }
    }
    func moved(_ reference: ValueReference) -> ValueReference {
      if case .parameter(let index) = reference { .parameter(positions[index]) } else { reference }
    }
    for index in nodes.indices {
      result.nodes[index].inputs = nodes[index].inputs.map { $0.map(moved) }
      result.nodes[index].captures = nodes[index].captures.map(moved)
    }
    result.outputs = outputs.map(moved)
    return result
  }
}
