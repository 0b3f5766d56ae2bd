extension OperatorGraph {
  /// The one form of this network: nodes in depth-first order from the outputs, operands of
  /// commutative operators ordered, attributes that only state a default dropped, unused
  /// parameters dropped, equal constants shared, long ones a digest. Two files of the same network,
  /// whatever their names and the order of their nodes and initializers, have equal canonical graphs.
  ///
  /// Nodes whose results nobody reads stay: they belong to what was described, and a training
  /// framework counts their parameters.
  public func canonical() -> OperatorGraph { Canonicaliser(self).result() }
}

/// One canonicalisation. Linear in nodes and operands but for sorting the unread nodes.
private struct Canonicaliser {
  var graph: OperatorGraph
  /// Structural signature of what each node computes.
  var signatures: [UInt64] = []
  var depths: [Int] = []
  /// Content of each constant as it is written.
  var contents: [String?] = []
  /// What each parameter is, whatever reads it.
  var parameterKeys: [UInt64] = []

  init(_ graph: OperatorGraph) {
    self.graph = graph
    for index in self.graph.nodes.indices {
      self.graph.nodes[index] = self.graph.nodes[index].normalised(in: graph)
    }
    countAxesFromTheFront()
    let domains = self.graph.domains
    self.graph.opsets = self.graph.opsets.filter { !$0.key.isEmpty && domains.contains($0.key) }
    self.graph.opsets[""] = graph.opsets[""] ?? OperatorGraph.opset
    renderConstants()
    breakTies(sign())
  }

  /// Restates the axes that operators take as constants.
  private mutating func countAxesFromTheFront() {
    for index in graph.nodes.indices where graph.nodes[index].domain.isEmpty {
      let node = graph.nodes[index]
      guard let position = Node.axesOperand(of: node.op), position < node.inputs.count,
        case .parameter(let parameter)? = node.inputs[position], let operand = node.inputs[0],
        case .ints(let axes)? = graph.parameters[parameter].constant,
        case .ints(let counted) = Attribute.ints(axes).countedFromTheFront(
          "axes", of: node.op, rank: graph.type(of: operand).shape?.count),
        counted != axes
      else { continue }
      var restated = graph.parameters[parameter]
      restated.constant = .ints(counted)
      graph.parameters.append(restated)
      graph.nodes[index].inputs[position] = .parameter(graph.parameters.count - 1)
    }
  }

  /// Longest content of a constant that a text spells out, in bytes.
  private static let contentLimit = 4096

  private mutating func renderConstants() {
    contents.reserveCapacity(graph.parameters.count)
    parameterKeys.reserveCapacity(graph.parameters.count)
    for index in graph.parameters.indices {
      var hash = StableHash()
      hash.combine(TextShape.text(graph.parameters[index].type))
      contents.append(
        graph.parameters[index].constant.map { constant in
          var text = TextWriter.text(constant)
          if text.utf8.count > Self.contentLimit {
            let digest = ConstantContent.digest(StableHash.digest(text))
            graph.parameters[index].constant = digest
            text = TextWriter.text(digest)
          }
          hash.combine(text)
          return text
        })
      parameterKeys.append(hash.value)
    }
  }

  /// Signs every node and orders operands.
  /// - Returns: nodes with different operands that compute the same.
  private mutating func sign() -> [Int] {
    var tied: [Int] = []
    signatures.reserveCapacity(graph.nodes.count)
    depths.reserveCapacity(graph.nodes.count)
    for index in graph.nodes.indices {
      if graph.nodes[index].isCommutative {
        let operands = graph.nodes[index].inputs.compactMap { $0 }
        let keys = operands.map { key($0) }
        let order = operands.indices.sorted { keys[$0] == keys[$1] ? $0 < $1 : keys[$0] > keys[$1] }
        graph.nodes[index].inputs = order.map { operands[$0] }
        if zip(order, order.dropFirst()).contains(where: {
          keys[$0] == keys[$1] && operands[$0] != operands[$1]
        }) {
          tied.append(index)
        }
      }
      let node = graph.nodes[index]
      var hash = StableHash()
      hash.combine(node.op)
      hash.combine(node.domain)
      var depth = 0
      for input in node.operands {
        guard let input else {
          hash.combine(7)
          continue
        }
        let (inputDepth, signature) = key(input)
        depth = max(depth, inputDepth)
        hash.combine(signature)
      }
      for name in node.attributes.keys.sorted() {
        hash.combine(name)
        var text = TextWriter()
        text.write(node.attributes[name]!)
        hash.combine(text.result)
      }
      for output in node.outputs { hash.combine(TextShape.text(output)) }
      signatures.append(hash.value)
      depths.append(depth + 1)
    }
    return tied
  }

  /// Orders operands that compute the same by what reads them, the less read first, and by what
  /// reads their own operands: where one of them is read elsewhere too, the file's order would show.
  private mutating func breakTies(_ tied: [Int]) {
    guard !tied.isEmpty else { return }
    var reads = Reads(graph)
    for (position, output) in graph.outputs.enumerated() {
      reads.note(output, UInt64(position))
    }
    for index in graph.nodes.indices.reversed() {
      let node = graph.nodes[index]
      let own = StableHash.of(signatures[index], reads.nodes[index].hash)
      for (position, operand) in node.operands.enumerated() {
        reads.note(operand, StableHash.of(own, node.isCommutative ? 0 : UInt64(position)))
      }
    }
    // What a node is, with what is read of all that it computes from.
    var places: [UInt64] = []
    places.reserveCapacity(graph.nodes.count)
    func place(_ reference: ValueReference?) -> UInt64 {
      switch reference {
      case .node(let index, let output)?: StableHash.of(places[index], UInt64(output))
      case .parameter(let index)?:
        StableHash.of(parameterKeys[index], reads.parameters[index].hash)
      case let reference?: key(reference).1
      case nil: 7
      }
    }
    for (index, node) in graph.nodes.enumerated() {
      let operands = node.operands.map { place($0) }
      let all =
        node.isCommutative
        ? operands.reduce(0, &+) : operands.reduce(0) { StableHash.of($0, $1) }
      places.append(
        StableHash.of(StableHash.of(signatures[index], reads.nodes[index].hash), all))
    }
    for index in tied {
      let operands = graph.nodes[index].inputs.compactMap { $0 }
      let keys = operands.map { key($0) }
      let ranks = operands.map { (reads[$0].count, place($0)) }
      let order = operands.indices.sorted {
        keys[$0] != keys[$1]
          ? keys[$0] > keys[$1] : ranks[$0] != ranks[$1] ? ranks[$0] < ranks[$1] : $0 < $1
      }
      graph.nodes[index].inputs = order.map { operands[$0] }
    }
  }

  /// What reads each value: how often, and as what. Constants are left out: a file may store equal
  /// ones once or several times.
  private struct Reads {
    var nodes: [(count: Int, hash: UInt64)]
    var parameters: [(count: Int, hash: UInt64)]
    private let isWeight: [Bool]

    init(_ graph: OperatorGraph) {
      isWeight = graph.parameters.map { $0.constant == nil }
      nodes = Array(repeating: (0, 0), count: graph.nodes.count)
      parameters = Array(repeating: (0, 0), count: graph.parameters.count)
    }

    subscript(reference: ValueReference) -> (count: Int, hash: UInt64) {
      switch reference {
      case .node(let index, _): nodes[index]
      case .parameter(let index): parameters[index]
      case .input, .captured: (0, 0)
      }
    }

    mutating func note(_ reference: ValueReference?, _ reader: UInt64) {
      switch reference {
      case .node(let index, let output)?:
        nodes[index].count += 1
        nodes[index].hash &+= StableHash.of(reader, UInt64(output))
      case .parameter(let index)? where isWeight[index]:
        parameters[index].count += 1
        parameters[index].hash &+= StableHash.of(reader, 0)
      default: break
      }
    }
  }

  /// Orders operands: deeper first, then by what they are.
  private func key(_ reference: ValueReference) -> (Int, UInt64) {
    var hash = StableHash()
    switch reference {
    case .node(let index, let output):
      hash.combine(signatures[index])
      hash.combine(output)
      return (depths[index], hash.value)
    case .input(let index):
      hash.combine(index)
      return (0, hash.value)
    case .captured(let index, _):
      hash.combine(index &+ 1 << 32)
      return (0, hash.value)
    case .parameter(let index): return (-1, parameterKeys[index])
    }
  }

  /// Depth-first post-order from the outputs; unread nodes follow, ordered by signature.
  private func order() -> [Int] {
    var order: [Int] = []
    order.reserveCapacity(graph.nodes.count)
    var visited = [Bool](repeating: false, count: graph.nodes.count)
    var stack: [(node: Int, next: Int)] = []
    func visit(_ root: Int) {
      guard !visited[root] else { return }
      visited[root] = true
      stack.append((root, 0))
      while let (node, next) = stack.last {
        let inputs = graph.nodes[node].inputs
        let captures = graph.nodes[node].captures
        guard next < inputs.count + captures.count else {
          order.append(node)
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        let reference = next < inputs.count ? inputs[next] : captures[next - inputs.count]
        if case .node(let producer, _)? = reference, !visited[producer] {
          visited[producer] = true
          stack.append((producer, 0))
        }
      }
    }
    for case .node(let index, _) in graph.outputs { visit(index) }
    if order.count < graph.nodes.count {
      var isRead = [Bool](repeating: false, count: graph.nodes.count)
      for node in graph.nodes {
        for case .node(let index, _)? in node.operands {
          isRead[index] = true
        }
      }
      let roots = graph.nodes.indices.filter { !isRead[$0] && !visited[$0] }
      for root in roots.sorted(by: { (signatures[$0], $0) < (signatures[$1], $1) }) { visit(root) }
    }
    return order
  }

  func result() -> OperatorGraph {
    let order = order()
    var position = [Int](repeating: 0, count: graph.nodes.count)
    for (new, old) in order.enumerated() { position[old] = new }
    var result = OperatorGraph(inputs: graph.inputs, opsets: graph.opsets)
    result.nodes.reserveCapacity(order.count)
    var newParameter = [Int](repeating: -1, count: graph.parameters.count)
    // By their text: numbers that compare equal may differ (0 and -0).
    var constants: [String: Int] = [:]
    func map(_ reference: ValueReference) -> ValueReference {
      switch reference {
      case .node(let index, let output): return .node(position[index], output: output)
      case .input, .captured: return reference
      case .parameter(let index):
        if newParameter[index] < 0 {
          let parameter = graph.parameters[index]
          let text = contents[index].map { TextShape.text(parameter.type) + $0 }
          if let text, let existing = constants[text] {
            newParameter[index] = existing
          } else {
            newParameter[index] = result.parameters.count
            if let text { constants[text] = result.parameters.count }
            result.parameters.append(parameter)
          }
        }
        return .parameter(newParameter[index])
      }
    }
    for old in order {
      var node = graph.nodes[old]
      for index in node.inputs.indices { node.inputs[index] = node.inputs[index].map(map) }
      for index in node.captures.indices { node.captures[index] = map(node.captures[index]) }
      result.nodes.append(node)
    }
    result.outputs = graph.outputs.map(map)
    return result
  }
}

extension Node {
  /// Whether the operands may change places: not where the second is stretched to the first, as
  /// before operator set 7.
  var isCommutative: Bool {
    domain.isEmpty && inputs.count > 1 && Self.commutative.contains(op) && !inputs.contains(nil)
      && attributes["broadcast"] == nil
  }

  private static let commutative: Set<String> = [
    "Add", "Mul", "Sum", "Max", "Min", "Mean", "And", "Or", "Xor", "Equal",
  ]

  /// Operands, then captures.
  var operands: [ValueReference?] { inputs + captures.map(Optional.some) }
}

extension OperatorGraph {
  /// Domains of all operators, those in subgraphs too.
  var domains: Set<String> {
    nodes.reduce(into: []) { domains, node in
      domains.insert(node.domain)
      for graph in node.attributes.values.flatMap(\.subgraphs) { domains.formUnion(graph.domains) }
    }
  }
}
