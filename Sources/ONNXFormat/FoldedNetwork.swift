public import Architectures

/// A network that computes the same with fewer operators: norms, and convolutions with nothing
/// between them, have become part of other convolutions.
public struct FoldedNetwork: Sendable {
  public let graph: OperatorGraph
  public let weights: NamedWeights
  /// Norms that became part of a convolution; see `NormFolding`.
  public let norms: Int
  /// Convolutions and additions that did; see `LinearCollapse`.
  public let linear: Int

  /// - Throws: `missingWeights` naming the first weight that is not there.
  public init(_ graph: OperatorGraph, _ weights: NamedWeights) throws {
    let folded = try NormFolding.folded(graph, weights)
    norms = graph.nodes.count - folded.graph.nodes.count
    let collapsed = try LinearCollapse.collapsed(folded.graph, folded.weights)
    self.graph = collapsed.graph
    self.weights = collapsed.weights
    linear = collapsed.count
  }
}
