extension GraphReader {
  /// The nodes, each after those that make what it reads.
  ///
  /// ONNX asks files for such an order, which then stays as it is. But some converters append nodes
  /// whose results earlier ones read, and ONNX Runtime loads that: these move to their first reader.
  mutating func ordered(
    _ nodes: [StoredNode], in scope: GraphScope, depth: Int
  ) throws -> [StoredNode] {
    var makers: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for name in node.outputs
      where !name.isEmpty && makers[name] == nil && scope.find(name) == nil {
        makers[name] = index
      }
    }
    enum Progress { case ahead, open, done }
    var progress = [Progress](repeating: .ahead, count: nodes.count)
    var result: [StoredNode] = []
    result.reserveCapacity(nodes.count)
    // No recursion: chains of nodes are as long as the file likes.
    var stack: [(node: Int, reads: [String], next: Int)] = []
    for root in nodes.indices where progress[root] == .ahead {
      progress[root] = .open
      stack.append((root, try names(readBy: nodes[root], depth: depth), 0))
      while let (node, reads, next) = stack.last {
        guard next < reads.count else {
          progress[node] = .done
          result.append(nodes[node])
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        guard let maker = makers[reads[next]], progress[maker] != .done else { continue }
        guard progress[maker] == .ahead else {
          throw nodes[node].error(
            .invalidGraph,
            "reads \(quoted(reads[next])), which is computed from its own result: a network can't "
              + "have cycles")
        }
        progress[maker] = .open
        stack.append((maker, try names(readBy: nodes[maker], depth: depth), 0))
      }
    }
    return result
  }

  /// What a node and its subgraphs read of the graph that the node is in, or of those around it.
  private mutating func names(readBy node: StoredNode, depth: Int) throws -> [String] {
    var names = node.inputs
    for graph in node.attributes.flatMap(\.graphs) {
      names += try outerNames(in: graph, depth: depth + 1)
    }
    return names
  }

  /// What a subgraph reads and doesn't make.
  private mutating func outerNames(in graph: WireMessage, depth: Int) throws -> [String] {
    let parts = try GraphParts(graph, depth: depth, budget: &budget)
    var own = Set<String>()
    for stored in parts.initializers {
      own.insert(try StoredTensor(stored, budget: &budget).name)
    }
    for input in parts.inputs {
      own.insert(try TypeReader.valueInfo(input, budget: &budget).name)
    }
    var names: [String] = []
    for stored in parts.nodes {
      let node = try StoredNode(stored, budget: &budget)
      own.formUnion(node.outputs)
      names += try self.names(readBy: node, depth: depth)
    }
    for output in parts.outputs {
      names.append(try TypeReader.valueInfo(output, budget: &budget).name)
    }
    return names.filter { !own.contains($0) }
  }
}
