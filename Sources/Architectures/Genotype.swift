/// The choices that describe one architecture of a space: for each gene the index of its choice.
///
/// Genes of layers that do not exist (past a stage's depth) may hold anything until
/// `SearchSpace.canonical` sets them to zero.
public struct Genotype: Hashable, Sendable, Codable {
  public var genes: [UInt8]
  public init(_ genes: [UInt8]) { self.genes = genes }
  public subscript(gene: Int) -> Int { Int(genes[gene]) }

  public init(from decoder: any Decoder) throws {
    genes = try decoder.singleValueContainer().decode([UInt8].self)
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(genes)
  }
}

/// One decision of a space.
public struct Gene: Hashable, Sendable {
  public enum Role: String, Hashable, Sendable {
    case resolution, depth, width, kernel, expand, operation
  }
  public var role: Role
  /// Readable place, such as `blocks.2.kernel`.
  public var name: String
  /// How each choice is written in ids, such as `k3` or `skip`; at most 255 of them.
  public var codes: [String]
  /// Numbers behind the choices; empty for operations.
  public var values: [Double] = []
  /// For each choice the first one that builds the same network.
  public var representatives: [UInt8]
  /// Genes that searchers change together: kernel and expansion of one block.
  public var group = 0
  /// The gene counts only where the depth gene reaches beyond `position`.
  public var condition: Condition?

  public struct Condition: Hashable, Sendable {
    public var depthGene: Int
    public var position: Int
  }

  public var count: Int { codes.count }
}
