/// Which operators a device computes together with the one before, found by timing; see
/// `FusionTest`.
public struct FusionRules: Codable, Equatable, Sendable {
  /// Chains of operator names, such as `Conv+Add`, with the operators that join each.
  public var joins: [String: Set<String>] = [:]

  public init() {}

  /// Whether `op` is computed together with `chain`.
  public func fuses(_ chain: String, _ op: String) -> Bool {
    joins[chain]?.contains(op) == true
  }

  public mutating func insert(_ chain: String, _ op: String) {
    joins[chain, default: []].insert(op)
  }

  /// The chain after `op` joined it. A normalisation behind a convolution is folded into its
  /// weights, and changes nothing for what follows.
  public static func chain(_ chain: String, _ op: String) -> String {
    op == "BatchNormalization" ? chain : "\(chain)+\(op)"
  }
}
