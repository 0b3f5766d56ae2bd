extension OperatorGraph {
  /// The same network on `batch` inputs at a time: the first axis of the inputs is set, and the
  /// shapes of all results follow from it.
  ///
  /// Inputs whose first axis differs from the first input's are no batches and stay.
  /// - Throws: `invalidGraph` when an operator has the old batch size built in.
  public func withBatch(_ batch: Int) throws -> OperatorGraph {
    guard batch > 0 else {
      throw ArchitecturesError(.invalidGraph, "batch size \(batch): at least 1 is needed")
    }
    var result = self
    guard let old = inputs.first?.type.shape?.first, old != .fixed(batch) else { return result }
    for index in inputs.indices where inputs[index].type.shape?.first == old {
      result.inputs[index].type.shape?[0] = .fixed(batch)
    }
    for index in nodes.indices {
      if let types = try ShapeInference.outputs(of: result.nodes[index], in: result) {
        for (output, type) in types.enumerated()
        where result.nodes[index].outputs.indices.contains(output) {
          result.nodes[index].outputs[output] = type
        }
      } else {
        // What can't be inferred keeps what does not depend on the batch.
        for output in nodes[index].outputs.indices
        where nodes[index].outputs[output].shape?.first == old {
          result.nodes[index].outputs[output].shape?[0] = .unknown
        }
      }
    }
    return result
  }
}
