public import Architectures

/// Feasible candidates of one step, with what is known of them before they are scored.
public struct CandidateBatch: Sendable {
  /// As drawn: genes without effect keep their values, so that they can be inherited.
  public internal(set) var genotypes: [Genotype] = []
  /// All costs of all candidates, one candidate after the other.
  public internal(set) var costs: [Double] = []
  /// Keys of the canonical forms.
  var keys: [UInt64] = []

  public init() {}

  public var count: Int { genotypes.count }

  mutating func reserve(_ count: Int, metrics: Int, words: Int) {
    genotypes.reserveCapacity(count)
    costs.reserveCapacity(count * metrics)
    keys.reserveCapacity(count * words)
  }

  mutating func append(_ other: CandidateBatch) {
    genotypes += other.genotypes
    costs += other.costs
    keys += other.keys
  }
}
