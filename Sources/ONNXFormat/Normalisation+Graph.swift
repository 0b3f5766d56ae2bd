import Architectures

extension Normalisation {
  /// The same network, said in the way that search spaces say it.
  ///
  /// - Parameter fused: counts the nodes that another one took in.
  static func applied(to graph: OperatorGraph, fused: inout Int) -> OperatorGraph {
    var graph = OpsetConversion.converted(graph) ?? graph
    guard graph.opsets[""] == OperatorGraph.opset else { return graph }
    for index in graph.nodes.indices {
      if let node = flatten(graph.nodes[index], in: graph) { graph.nodes[index] = node }
    }
    fuseHardSwish(&graph, fused: &fused)
    return graph.droppingUnusedParameters()
  }

  /// `Reshape` to `[first axis, rest]` is `Flatten`.
  private static func flatten(_ node: Node, in graph: OperatorGraph) -> Node? {
    guard node.op == "Reshape", node.domain.isEmpty, node.attributes.int("allowzero") ?? 0 == 0,
      node.inputs.count == 2, let input = node.inputs[0],
      case .parameter(let index)? = node.inputs[1],
      case .ints(let target)? = graph.parameters[index].constant, target.count == 2,
      let shape = graph.type(of: input).shape, shape.count >= 2
    else { return nil }
    let rest = TensorType(Array(shape[1...])).elementCount
    guard target[0] == 0 || shape[0] == .fixed(target[0]),
      target[1] == -1 || target[1] > 0 && target[1] == rest
    else { return nil }
    var node = node
    node.op = "Flatten"
    node.inputs.removeLast()
    node.attributes = [:]
    return node
  }

  /// `x * HardSigmoid(x)` with slope 1/6 and offset 1/2 is `HardSwish(x)`.
  private static func fuseHardSwish(_ graph: inout OperatorGraph, fused: inout Int) {
    guard graph.nodes.contains(where: { $0.op == "HardSigmoid" }) else { return }
    var uses = [Int](repeating: 0, count: graph.nodes.count)
    func count(_ reference: ValueReference?) {
      if case .node(let index, _)? = reference { uses[index] += 1 }
    }
    for node in graph.nodes {
      node.inputs.forEach(count)
      node.captures.forEach(count)
    }
    graph.outputs.forEach(count)

    var isGone = [Bool](repeating: false, count: graph.nodes.count)
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard node.op == "Mul", node.domain.isEmpty, node.inputs.count == 2,
        let a = node.inputs[0], let b = node.inputs[1]
      else { continue }
      for (value, gate) in [(a, b), (b, a)] {
        guard case .node(let producer, 0) = gate, uses[producer] == 1 else { continue }
        let sigmoid = graph.nodes[producer]
        guard sigmoid.op == "HardSigmoid", sigmoid.domain.isEmpty, sigmoid.inputs == [value],
          sigmoid.attributes.float("alpha") == 1 / 6,
          sigmoid.attributes.float("beta") ?? 0.5 == 0.5
        else { continue }
        graph.nodes[index].op = "HardSwish"
        graph.nodes[index].inputs = [value]
        isGone[producer] = true
        fused += 1
        break
      }
    }
    if isGone.contains(true) { graph.remove(isGone) }
  }
}

extension OperatorGraph {
  /// Removes nodes whose results nothing reads any more.
  mutating func remove(_ isGone: [Bool]) {
    var positions: [Int] = []
    var kept: [Node] = []
    for (index, node) in nodes.enumerated() {
      positions.append(kept.count)
      if !isGone[index] { kept.append(node) }
    }
    func moved(_ reference: ValueReference) -> ValueReference {
      if case .node(let index, let output) = reference {
        return .node(positions[index], output: output)
      }
      return reference
    }
    for index in kept.indices {
      kept[index].inputs = kept[index].inputs.map { $0.map(moved) }
      kept[index].captures = kept[index].captures.map(moved)
    }
    nodes = kept
    outputs = outputs.map(moved)
  }
}
