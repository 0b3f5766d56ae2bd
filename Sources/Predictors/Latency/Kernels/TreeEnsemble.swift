/// A sum of regression trees, each complete to the same depth: a row goes left at a node where its
/// feature is at most the threshold.
public struct TreeEnsemble: Equatable, Sendable {
  public let depth: Int
  /// A tree has `2^depth - 1` nodes, from the root down, level by level.
  private(set) var features: [Int32] = []
  private(set) var thresholds: [Float] = []
  /// A tree has `2^depth` leaves, from left to right.
  private(set) var leaves: [Float] = []

  public init(depth: Int) { self.depth = depth }

  /// - Precondition: as many nodes and leaves as whole trees have.
  init(depth: Int, features: [Int32], thresholds: [Float], leaves: [Float]) {
    precondition(features.count == thresholds.count, "one threshold a feature")
    precondition(leaves.count * ((1 << depth) - 1) == features.count << depth, "whole trees")
    self.depth = depth
    self.features = features
    self.thresholds = thresholds
    self.leaves = leaves
  }

  public var trees: Int { leaves.count >> depth }

  mutating func append(features: [Int32], thresholds: [Float], leaves: [Float]) {
    self.features += features
    self.thresholds += thresholds
    self.leaves += leaves
  }

  /// The sum over the trees for one row.
  public func callAsFunction(_ row: [Float]) -> Double {
    let nodes = (1 << depth) - 1
    var sum = 0.0
    for tree in 0..<trees {
      var node = 0
      for _ in 0..<depth {
        let at = tree * nodes + node
        node = 2 * node + (row[Int(features[at])] <= thresholds[at] ? 1 : 2)
      }
      sum += Double(leaves[tree << depth + node - nodes])
    }
    return sum
  }
}
