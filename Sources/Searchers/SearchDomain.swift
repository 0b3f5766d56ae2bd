public import Architectures

/// The genes a searcher plays with, laid out flat for speed. It knows how many choices each has,
/// which change together, and which genotypes mean the same; not what any of them builds.
public struct SearchDomain: Sendable {
  public let name: String
  /// Choices of each gene.
  public let counts: [Int]
  /// Genes that mutate together, in the order of their first gene.
  public let groups: [Group]
  /// How results write a genotype: the architecture's canonical id.
  public let id: @Sendable (Genotype) -> String
  /// 64-bit words in the key of a genotype.
  let keyWords: Int
  /// Choices that searches draw from, ascending, by gene; all of them where nothing is said.
  private let allowed: [[UInt8]]?
  private let columns: [Column]
  /// Canonical choices: for each gene and choice of its condition, one byte a choice.
  private let canonical: [UInt8]

  public struct Group: Sendable, Hashable {
    public var genes: [Int]
    /// The resolution, which has a mutation rate of its own.
    public var isResolution: Bool
  }

  private struct Column {
    var offset: Int32
    /// 0 for a gene that always counts.
    var stride: Int32
    var condition: Int32
    var word: Int32
    var shift: UInt64
  }

  /// The genes of a search space, or of a part of it.
  ///
  /// - Parameters:
  ///   - allowed: the choices of each gene that candidates may have, at least one.
  ///   - tied: genes whose choice follows from that of a depth gene: their choice by its choice.
  public init(
    _ space: SearchSpace, allowed: [[UInt8]]? = nil,
    tied: [Int: (depthGene: Int, choices: [UInt8])] = [:]
  ) {
    var order: [Int: Int] = [:]
    var groups: [Group] = []
    for (index, gene) in space.genes.enumerated() {
      if let place = order[gene.group] {
        groups[place].genes.append(index)
      } else {
        order[gene.group] = groups.count
        groups.append(Group(genes: [index], isResolution: gene.role == .resolution))
      }
    }
    self.init(
      name: space.name, counts: space.genes.map(\.count), groups: groups,
      allowed: allowed?.map { $0.sorted() },
      condition: { tied[$0]?.depthGene ?? space.genes[$0].condition?.depthGene },
      choice: { gene, depthChoice, choice in
        let fixed = tied[gene]
        let gene = space.genes[gene]
        if let condition = gene.condition,
          space.genes[condition.depthGene].values[depthChoice] <= Double(condition.position)
        {
          return 0
        }
        return gene.representatives[fixed.map { Int($0.choices[depthChoice]) } ?? choice]
      },
      id: { space.id($0) })
  }

  /// Independent genes with `counts` choices each (1 ... 255).
  public init(
    name: String, counts: [Int], id: @escaping @Sendable (Genotype) -> String = { "\($0.genes)" }
  ) {
    self.init(
      name: name, counts: counts,
      groups: counts.indices.map { Group(genes: [$0], isResolution: false) },
      condition: { _ in nil }, choice: { _, _, choice in UInt8(choice) }, id: id)
  }

  private init(
    name: String, counts: [Int], groups: [Group], allowed: [[UInt8]]? = nil,
    condition: (Int) -> Int?,
    choice: (_ gene: Int, _ conditionChoice: Int, _ choice: Int) -> UInt8,
    id: @escaping @Sendable (Genotype) -> String
  ) {
    precondition(counts.allSatisfy { 1...255 ~= $0 }, "genes have 1 to 255 choices")
    var columns: [Column] = []
    var canonical: [UInt8] = []
    var bit = 0
    for (gene, count) in counts.enumerated() {
      let bits = UInt64.bitWidth - UInt64(count - 1).leadingZeroBitCount
      if bit % 64 + bits > 64 { bit = (bit / 64 + 1) * 64 }
      let other = condition(gene)
      columns.append(
        Column(
          offset: Int32(canonical.count), stride: other == nil ? 0 : Int32(count),
          condition: Int32(other ?? gene), word: Int32(bit / 64), shift: UInt64(bit % 64)))
      for outer in 0..<(other.map { counts[$0] } ?? 1) {
        for inner in 0..<count { canonical.append(choice(gene, outer, inner)) }
      }
      bit += bits
    }
    self.name = name
    self.counts = counts
    self.groups = groups
    self.allowed = allowed
    self.columns = columns
    self.canonical = canonical
    self.id = id
    keyWords = bit / 64 + 1
  }

  /// Sets `result` to the canonical form of `genotype` and `key` to its unique packed form.
  func canonicalise(
    _ genotype: borrowing Genotype, into result: inout Genotype, key: inout [UInt64]
  ) {
    for word in key.indices { key[word] = 0 }
    for gene in columns.indices {
      let column = columns[gene]
      let row = Int(column.offset) + Int(column.stride) * genotype[Int(column.condition)]
      let choice = canonical[row + genotype[gene]]
      result.genes[gene] = choice
      key[Int(column.word)] |= UInt64(choice) << column.shift
    }
  }

  /// A genotype with every gene drawn uniformly.
  func sample(into genotype: inout Genotype, using generator: inout SeededGenerator) {
    for gene in counts.indices {
      genotype.genes[gene] = draw(gene, using: &generator)
    }
  }

  /// A choice of `gene`, uniformly.
  func draw(_ gene: Int, using generator: inout SeededGenerator) -> UInt8 {
    guard let allowed else {
      return UInt8(truncatingIfNeeded: generator.next(below: counts[gene]))
    }
    return allowed[gene][generator.next(below: allowed[gene].count)]
  }

  func firstChoice(of gene: Int) -> UInt8 { allowed?[gene][0] ?? 0 }

  /// The choice of `gene` after `choice`, if there is one.
  func choice(of gene: Int, after choice: UInt8) -> UInt8? {
    if let allowed { return allowed[gene].first { $0 > choice } }
    return Int(choice) + 1 < counts[gene] ? choice + 1 : nil
  }

  /// Whether the genotype makes one valid choice for each gene.
  public func contains(_ genotype: Genotype) -> Bool {
    genotype.genes.count == counts.count && zip(genotype.genes, counts).allSatisfy { $0 < $1 }
  }

  var zero: Genotype { Genotype(Array(repeating: 0, count: counts.count)) }
}
