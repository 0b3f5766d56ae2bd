public import Architectures

/// A network whose convolutions with nothing between them have become one: what is trained wide and
/// linear runs narrow (SESR, Bhardwaj et al. 2021, arXiv 2103.09404, section 3.1).
public enum LinearCollapse {
  /// Joins pairs of dense convolutions of which only the second reads the first, where one
  /// convolution computes the same everywhere, borders included, and takes fewer
  /// multiply-accumulates; then the addition of a convolution's operand to its result becomes part
  /// of the kernel.
  ///
  /// - Parameter weights: of all parameters that take part, by name.
  /// - Returns: `count` is how many convolutions and additions became part of another convolution.
  /// - Throws: `missingWeights` naming the first weight that is not there.
  public static func collapsed(
    _ graph: OperatorGraph, _ weights: NamedWeights
  ) throws -> (graph: OperatorGraph, weights: NamedWeights, count: Int) {
    var collapse = Collapse(graph: graph, weights: weights)
    var count = 0
    while try collapse.next() { count += 1 }
    return (collapse.graph.droppingUnusedParameters(), collapse.weights, count)
  }
}

private struct Collapse {
  var graph: OperatorGraph
  var weights: NamedWeights

  /// Takes one operator out of the graph.
  /// - Returns: whether there was one to take out.
  mutating func next() throws -> Bool {
    if try joinPair() { return true }
    return try joinShortcut()
  }

  private mutating func joinPair() throws -> Bool {
    let readers = graph.readerCounts
    for (index, node) in graph.nodes.enumerated() {
      guard let second = LinearConvolution(node, in: graph),
        case .node(let producer, 0)? = node.inputs[0], readers[producer] == 1,
        let first = LinearConvolution(graph.nodes[producer], in: graph),
        first.elementType == second.elementType
      else { continue }
      let isBiased = try first.bias != nil && first.values(weights).isBiased
      guard let window = first.window(with: second, isBiased: isBiased),
        first.isDearer(with: second, than: window)
      else { continue }
      let values = first.joined(
        try first.values(weights), with: second, try second.values(weights))
      replace(
        index, operand: graph.nodes[producer].inputs[0],
        shape: [second.outputs, first.inputs] + window.size, values,
        name: fresh(second.weight, "collapsed"), first.elementType)
      graph.nodes[index].attributes = window.attributes
      graph.remove(graph.nodes.indices.map { $0 == producer })
      return true
    }
    return false
  }

  private mutating func joinShortcut() throws -> Bool {
    let readers = graph.readerCounts
    for (index, node) in graph.nodes.enumerated()
    where node.op == "Add" && node.domain.isEmpty && node.inputs.count == 2 {
      for side in 0..<2 {
        guard case .node(let producer, 0)? = node.inputs[side], readers[producer] == 1,
          let convolution = LinearConvolution(graph.nodes[producer], in: graph),
          convolution.keepsShape, node.inputs[1 - side] == graph.nodes[producer].inputs[0]
        else { continue }
        replace(
          producer, operand: node.inputs[1 - side],
          shape: [convolution.outputs, convolution.inputs] + convolution.size,
          convolution.addingOperand(try convolution.values(weights)),
          name: fresh(convolution.weight, "residual"), convolution.elementType)
        graph.redirect(index, to: producer)
        graph.remove(graph.nodes.indices.map { $0 == index })
        return true
      }
    }
    return false
  }

  /// Gives the convolution at `index` another operand and weights of its own.
  private mutating func replace(
    _ index: Int, operand: ValueReference?, shape: [Int], _ values: LinearConvolution.Values,
    name: String, _ type: ElementType
  ) {
    func parameter(_ suffix: String, _ shape: [Int], _ numbers: [Double]) -> ValueReference {
      weights.tensors["\(name).\(suffix)"] = numbers.map { Float($0) }
      graph.parameters.append(
        Parameter(name: "\(name).\(suffix)", type: TensorType(shape, type)))
      return .parameter(graph.parameters.count - 1)
    }
    var inputs: [ValueReference?] = [operand, parameter("weight", shape, values.kernel)]
    if let bias = values.bias { inputs.append(parameter("bias", [shape[0]], bias)) }
    graph.nodes[index].inputs = inputs
  }

  /// A name that no weight has yet: others may read the old one.
  private func fresh(_ weight: String, _ what: String) -> String {
    var name = "\(weight.hasSuffix(".weight") ? String(weight.dropLast(7)) : weight).\(what)"
    while weights.tensors["\(name).weight"] != nil { name += "_" }
    return name
  }
}

extension LinearConvolution.Values {
  fileprivate var isBiased: Bool { bias?.contains { $0 != 0 } ?? false }
}

extension LinearConvolution.Window {
  fileprivate var attributes: [String: Attribute] {
    var attributes: [String: Attribute] = ["kernel_shape": .ints(size)]
    if strides != [1, 1] { attributes["strides"] = .ints(strides) }
    if pads != [0, 0, 0, 0] { attributes["pads"] = .ints(pads) }
    return attributes
  }
}
