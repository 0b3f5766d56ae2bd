extension OperatorGraph {
  /// The one form of this network: nodes in depth-first order from the outputs, operands of
  /// commutative operators ordered, attributes that only state a default dropped, unused
  /// parameters dropped, equal constants shared. Two files of the same network, whatever their
  /// names and the order of their nodes and initializers, have equal canonical graphs.
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

  init(_ graph: OperatorGraph) {
    self.graph = graph
    let hasOpset = graph.opsets[""] ?? OperatorGraph.opset
    for index in self.graph.nodes.indices {
      self.graph.nodes[index] = self.graph.nodes[index].normalised(in: graph)
    }
    let domains = Set(self.graph.nodes.map(\.domain))
    self.graph.opsets = self.graph.opsets.filter { !$0.key.isEmpty && domains.contains($0.key) }
    // From 13 on, versions differ only in how operands are passed, which the graph shows.
    self.graph.opsets[""] = hasOpset >= 13 ? OperatorGraph.opset : hasOpset
    sign()
  }

  private mutating func sign() {
    signatures.reserveCapacity(graph.nodes.count)
    depths.reserveCapacity(graph.nodes.count)
    for index in graph.nodes.indices {
      if OperatorGraph.commutative.contains(graph.nodes[index].op),
        graph.nodes[index].inputs.count == 2,
        let a = graph.nodes[index].inputs[0], let b = graph.nodes[index].inputs[1]
      {
        let keys = (key(a), key(b))
        if keys.0 < keys.1 { graph.nodes[index].inputs.swapAt(0, 1) }
      }
      let node = graph.nodes[index]
      var hash = StableHash()
      hash.combine(node.op)
      hash.combine(node.domain)
      var depth = 0
      for input in node.inputs + node.captures.map(Optional.some) {
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
    case .parameter(let index):
      hash.combine(TextShape.text(graph.parameters[index].type))
      if let constant = graph.parameters[index].constant {
        var text = TextWriter()
        text.write(constant)
        hash.combine(text.result)
      }
      return (-1, hash.value)
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
        for case .node(let index, _)? in node.inputs + node.captures.map(Optional.some) {
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
    var constants: [Parameter: Int] = [:]
    func map(_ reference: ValueReference) -> ValueReference {
      switch reference {
      case .node(let index, let output): return .node(position[index], output: output)
      case .input, .captured: return reference
      case .parameter(let index):
        if newParameter[index] < 0 {
          let parameter = graph.parameters[index]
          if parameter.constant != nil, let existing = constants[parameter] {
            newParameter[index] = existing
          } else {
            newParameter[index] = result.parameters.count
            if parameter.constant != nil { constants[parameter] = result.parameters.count }
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

extension OperatorGraph {
  /// Operators whose two operands may change places.
  static let commutative: Set<String> = [
    "Add", "Mul", "Sum", "Max", "Min", "Mean", "And", "Or", "Xor", "Equal",
  ]
}
