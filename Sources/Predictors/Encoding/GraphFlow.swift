internal import Architectures

/// Which operators of a graph a runtime has to run, and the paths through them.
///
/// An operator is *live* when the network's result needs it and it depends on the network's input.
/// A product with a constant zero (NAS-Bench-201's `none`) depends on nothing.
struct GraphFlow {
  /// By node.
  private(set) var isLive: [Bool]
  /// Whether the result depends on the input; otherwise nothing is live.
  private(set) var passes = false

  init(_ graph: OperatorGraph) {
    let nodes = graph.nodes
    var depends = [Bool](repeating: false, count: nodes.count)
    func dependsOnInput(_ reference: ValueReference) -> Bool {
      switch reference {
      case .input, .captured: true
      case .parameter: false
      case .node(let index, _): depends[index]
      }
    }
    for (index, node) in nodes.enumerated() where !Self.isZero(node, in: graph) {
      depends[index] =
        node.inputs.contains { $0.map(dependsOnInput) ?? false }
        || node.captures.contains(where: dependsOnInput)
    }
    isLive = [Bool](repeating: false, count: nodes.count)
    passes = graph.outputs.contains(where: dependsOnInput)
    guard passes else { return }
    for case .node(let index, _) in graph.outputs { isLive[index] = depends[index] }
    for index in nodes.indices.reversed() where isLive[index] {
      for case .node(let producer, _)? in nodes[index].inputs where depends[producer] {
        isLive[producer] = true
      }
      for case .node(let producer, _) in nodes[index].captures where depends[producer] {
        isLive[producer] = true
      }
    }
  }

  /// Whether the operator multiplies by a stored zero.
  private static func isZero(_ node: Node, in graph: OperatorGraph) -> Bool {
    guard node.op == "Mul" else { return false }
    return node.inputs.contains { input in
      guard case .parameter(let index)? = input,
        case .floats(let values)? = graph.parameters[index].constant
      else { return false }
      return !values.isEmpty && values.allSatisfy { $0 == 0 }
    }
  }
}
