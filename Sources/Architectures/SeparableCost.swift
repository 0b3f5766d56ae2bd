/// A cost that is a sum over the blocks of an architecture, laid out so that one query takes
/// some hundred nanoseconds: per slot, a table indexed by the genes its block depends on.
///
/// Latency by lookup table, MACs and parameters are such costs.
public struct SeparableCost: Sendable {
  /// What could not be priced: the descriptions that `blockCost` gave, in order of appearance.
  public let missing: [String]

  /// Price of one block, or why it has none.
  public enum Price: Hashable, Sendable {
    case cost(Double)
    /// The key that the source of prices lacks.
    case missing(String)
  }

  private struct Term: Sendable {
    var genes: [Int]
    var strides: [Int]
    var offset: Int
    /// The slot exists where the depth gene's value exceeds the position.
    var depthGene: Int
    var position: Int
  }

  private let space: SearchSpace
  private let terms: [Term]
  private let values: [Double]
  private let depths: [[Int]]

  /// Prices every block that the space can hold; equal blocks are priced once.
  /// - Throws: what `blockCost` throws.
  public init(space: SearchSpace, blockCost: (Block) throws -> Price) throws {
    var prices: [Block: Price] = [:]
    try self.init(
      space: space,
      pricing: { block, _ in
        if let price = prices[block] { return price }
        let price = try blockCost(block)
        prices[block] = price
        return price
      })
  }

  /// Prices every block at every place it can stand, told the input resolution (in pixels) of the
  /// network: for sources that give equal blocks of different networks different prices.
  /// - Throws: what `cost` throws.
  public init(space: SearchSpace, pricing cost: (Block, _ resolution: Int) throws -> Price) throws {
    var values: [Double] = []
    var terms: [Term] = []
    var missing: [String] = []
    var seen = Set<String>()
    let sizes = space.spatialSizes()
    for (index, slot) in space.slots.enumerated() {
      let genes = slot.dependencies.filter { $0 != slot.condition?.depthGene }
      var strides: [Int] = []
      var count = 1
      for gene in genes {
        strides.append(count)
        count *= space.genes[gene].count
      }
      var table = [Double](repeating: 0, count: count)
      var genotype = Genotype(Array(repeating: 0, count: space.genes.count))
      for entry in 0..<count {
        for (gene, stride) in zip(genes, strides) {
          genotype.genes[gene] = UInt8(entry / stride % space.genes[gene].count)
        }
        let size = sizes[space.resolutionGene.map { genotype[$0] } ?? 0][index]
        let block = space.block(
          slot, genotype, input: [space.inputChannels(slot: index, genotype), size, size])
        switch try cost(block, space.resolution(genotype)) {
        case .cost(let price): table[entry] = price
        case .missing(let key):
          table[entry] = .nan
          if seen.insert(key).inserted { missing.append(key) }
        }
      }
      // Slots that depend on the same genes and always exist are one table.
      if slot.condition == nil,
        let same = terms.firstIndex(where: { $0.genes == genes && $0.depthGene < 0 })
      {
        for entry in table.indices { values[terms[same].offset + entry] += table[entry] }
        continue
      }
      terms.append(
        Term(
          genes: genes, strides: strides, offset: values.count,
          depthGene: slot.condition?.depthGene ?? -1, position: slot.condition?.position ?? 0))
      values += table
    }
    self.space = space
    self.terms = terms
    self.values = values
    self.missing = missing
    depths = space.genes.map { $0.role == .depth ? $0.values.map { Int($0) } : [] }
  }

  /// The sum for `genotype`; NaN when one of its blocks has no price.
  public func callAsFunction(_ genotype: Genotype) -> Double {
    var sum = 0.0
    genotype.genes.withUnsafeBufferPointer { genes in
      for term in terms {
        if term.depthGene >= 0,
          depths[term.depthGene][Int(genes[term.depthGene])] <= term.position
        {
          continue
        }
        var index = term.offset
        for position in term.genes.indices {
          index &+= Int(genes[term.genes[position]]) &* term.strides[position]
        }
        sum += values[index]
      }
    }
    return sum
  }
}

extension SearchSpace {
  /// Height (and width) of the operand of each slot, by choice of resolution.
  func spatialSizes() -> [[Int]] {
    let origin = Genotype(Array(repeating: 0, count: genes.count))
    return resolutions.map { resolution in
      var size = resolution
      return slots.map { slot in
        defer {
          if !slot.isEdge {
            size = block(slot, origin, input: [1, size, size]).output.dropFirst().first ?? 1
          }
        }
        return size
      }
    }
  }

  /// Channels of the operand of a slot.
  func inputChannels(slot index: Int, _ genotype: Genotype) -> Int {
    guard index > 0 else { return inputChannels }
    // Edges of a cell all read values of the cell's width.
    if slots[index].isEdge { return slots[index].outs[0] }
    return slots[index - 1].outs[slots[index - 1].widthGene.map { genotype[$0] } ?? 0]
  }
}

/// Costs of an architecture that need no measurement.
public enum StaticCost: String, CaseIterable, Sendable {
  case macs, parameters, activationBytes, weightBytes

  func value(_ cost: OperatorCost) -> Int {
    switch self {
    case .macs: cost.macs
    case .parameters: cost.parameters
    case .activationBytes: cost.activationBytes
    case .weightBytes: cost.weightBytes
    }
  }

  /// This cost as a table over the space.
  ///
  /// - Note: In cell spaces the sums between edges are not among the blocks, so their
  ///   activations are not counted; MACs, parameters and weight bytes are exact.
  public func table(for space: SearchSpace) throws -> SeparableCost {
    try SeparableCost(space: space) { .cost(Double(value(try $0.graph().cost))) }
  }
}
