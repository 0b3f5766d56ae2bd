import Architectures

extension OperatorGraph {
  /// How often each node's results are read, by nodes, subgraphs and as outputs.
  var readerCounts: [Int] {
    var counts = [Int](repeating: 0, count: nodes.count)
    func count(_ reference: ValueReference?) {
      if case .node(let index, _)? = reference { counts[index] += 1 }
    }
    for node in nodes {
      node.inputs.forEach(count)
      node.captures.forEach(count)
    }
    outputs.forEach(count)
    return counts
  }

  /// Lets everything that reads the node at `index` read the first result of another instead.
  mutating func redirect(_ index: Int, to other: Int) {
    func moved(_ reference: ValueReference) -> ValueReference {
      if case .node(index, _) = reference { .node(other) } else { reference }
    }
    for position in nodes.indices {
      nodes[position].inputs = nodes[position].inputs.map { $0.map(moved) }
      nodes[position].captures = nodes[position].captures.map(moved)
    }
    outputs = outputs.map(moved)
  }
}
