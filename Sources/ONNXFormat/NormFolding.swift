public import Architectures

/// A network whose batch norms have become part of the convolutions before them.
public enum NormFolding {
  /// Folds every `BatchNormalization` whose operand is a `Conv` that nothing else reads: its factor
  /// goes into the convolution's weight, its offset into a bias `<weight's path>.bias`.
  ///
  /// - Parameter weights: of all parameters that take part, by name.
  /// - Throws: `missingWeights` naming the first weight that is not there.
  public static func folded(
    _ graph: OperatorGraph, _ weights: NamedWeights
  ) throws -> (graph: OperatorGraph, weights: NamedWeights) {
    var (graph, weights) = (graph, weights)
    let readers = graph.readerCounts
    var replaced: [Int: Int] = [:]
    for (index, norm) in graph.nodes.enumerated() where norm.op == "BatchNormalization" {
      guard norm.inputs.count == 5, case .node(let producer, 0)? = norm.inputs[0],
        readers[producer] == 1, graph.nodes[producer].op == "Conv",
        case .parameter(let weight)? = graph.nodes[producer].inputs[1]
      else { continue }
      func values(_ reference: ValueReference?) throws -> [Float] {
        guard case .parameter(let parameter)? = reference,
          let values = weights.tensors[graph.parameters[parameter].name.text]
        else {
          throw ONNXFormatError(
            .missingWeights, "the norm \(quoted(norm.name.text)) has no weights to fold")
        }
        return values
      }
      let (gamma, beta) = (try values(norm.inputs[1]), try values(norm.inputs[2]))
      let (mean, variance) = (try values(norm.inputs[3]), try values(norm.inputs[4]))
      let epsilon = Double(norm.attributes.float("epsilon") ?? 1e-5)
      let factors = gamma.indices.map {
        Double(gamma[$0]) / (Double(variance[$0]) + epsilon).squareRoot()
      }
      let old =
        graph.nodes[producer].inputs.count > 2
        ? try values(graph.nodes[producer].inputs[2])
        : [Float](repeating: 0, count: gamma.count)
      let name = graph.parameters[weight].name.text
      var kernel = try values(.parameter(weight))
      let row = kernel.count / gamma.count
      for i in kernel.indices { kernel[i] = Float(Double(kernel[i]) * factors[i / row]) }
      weights.tensors[name] = kernel
      let biasName = "\(name.hasSuffix(".weight") ? String(name.dropLast(7)) : name).bias"
      weights.tensors[biasName] = gamma.indices.map {
        Float(Double(beta[$0]) + (Double(old[$0]) - Double(mean[$0])) * factors[$0])
      }
      graph.parameters.append(Parameter(name: biasName, type: TensorType([gamma.count])))
      graph.nodes[producer].inputs =
        Array(graph.nodes[producer].inputs.prefix(2)) + [.parameter(graph.parameters.count - 1)]
      replaced[index] = producer
    }
    func moved(_ reference: ValueReference) -> ValueReference {
      guard case .node(let index, _) = reference, let producer = replaced[index] else {
        return reference
      }
      return .node(producer)
    }
    for index in graph.nodes.indices {
      graph.nodes[index].inputs = graph.nodes[index].inputs.map { $0.map(moved) }
      graph.nodes[index].captures = graph.nodes[index].captures.map(moved)
    }
    graph.outputs = graph.outputs.map(moved)
    graph.remove(graph.nodes.indices.map { replaced[$0] != nil })
    return (graph.droppingUnusedParameters(), weights)
  }
}
