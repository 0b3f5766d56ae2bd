/// A space of architectures: genes, and the network that each choice of them builds.
///
/// Spaces are data (`searchspaces/*.yaml`); this type is the same for all of them.
public struct SearchSpace: Sendable {
  public let name: String
  public let title: String
  public let source: String
  public private(set) var classes: Int
  public let inputChannels: Int
  public let genes: [Gene]
  /// Positions a layer block can take, in order; each exists in some architectures of the space.
  private(set) var slots: [Slot]
  /// How ids group the genes.
  let segments: [Segment]
  let resolutions: [Int]
  let divisor: Int
  let epsilon: Float
  let resolutionGene: Int?
  /// Cell structure; `nil` for a staged space.
  let cell: Cell?

  /// A position and what may stand there.
  struct Slot: Sendable {
    /// Block prototypes by choice of `operationGene`; one without it.
    var candidates: [SpaceSchema.Prototype]
    var operationGene: Int?
    var condition: Gene.Condition?
    var kernelGene: Int?
    var expandGene: Int?
    /// Width multiplier of the result.
    var widthGene: Int?
    /// Channels of the result by choice of `widthGene`.
    var outs: [Int]
    var stride: Int
    var isFirst = false
    /// Position among the stage's blocks and index used in names.
    var name: String
    /// An edge of a cell: its result does not feed the next slot.
    var isEdge = false
    /// Every gene the block's sizes depend on; filled when the space is laid out.
    var dependencies: [Int] = []
  }

  /// Genes that an id writes together: a stage's own, then those of its blocks.
  struct Segment: Sendable {
    var stageGenes: [Int] = []
    var depthGene: Int?
    var depths: [Int] = []
    var blocks: [[Int]] = []
  }

  struct Cell: Sendable {
    var nodes: Int
    /// Gene of the edge into node `i` from node `j < i`, in the order (1,0) (2,0) (2,1) ...
    var edgeGenes: [Int]
    var candidates: [SpaceSchema.Candidate]
  }

  /// Lays out the space in a YAML text.
  /// - Throws: `invalidSpace` with file, line and key.
  public init(
    yaml: String, file: String = "space.yaml",
    base: (String) throws -> (text: String, file: String) = { name in
      throw ArchitecturesError(.unknownSpace, "no search space '\(name)' to extend")
    }
  ) throws {
    let schema = try SpaceSchema(yaml: yaml, file: file, base: base)
    var layout = SpaceLayout(schema, file: file)
    try layout.build()
    name = schema.name
    title = schema.title
    source = schema.source
    classes = schema.classes
    inputChannels = schema.inputChannels
    genes = layout.genes
    slots = layout.slots
    segments = layout.segments
    resolutions = schema.resolutions
    divisor = schema.divisor
    epsilon = schema.epsilon
    resolutionGene = layout.resolutionGene
    cell = layout.cell
    do {
      try check()
    } catch let error as ArchitecturesError {
      throw ArchitecturesError(.invalidSpace, "\(file): \(error.message)")
    }
  }

  /// Builds the networks at both ends, and of the larger one the blocks with each choice of each of
  /// their genes, so that a wrong file fails when it is read and not in a search.
  private func check() throws {
    let ends = [0, Int.max].map { end in
      Genotype(genes.map { UInt8(min(end, $0.count - 1)) })
    }
    for end in ends { _ = try graph(end) }
    let sizes = spatialSizes()
    var seen = Set<Block>()
    for (index, slot) in slots.enumerated() {
      for gene in slot.dependencies where gene != slot.condition?.depthGene {
        for choice in 0..<genes[gene].count {
          var genotype = ends[1]
          genotype.genes[gene] = UInt8(choice)
          let size = sizes[resolutionGene.map { genotype[$0] } ?? 0][index]
          let block = block(
            slot, genotype, input: [inputChannels(slot: index, genotype), size, size])
          guard seen.insert(block).inserted else { continue }
          let graph = try block.graph()
          guard graph.outputs.map({ graph.type(of: $0) }) == [TensorType([1] + block.output)] else {
            throw ArchitecturesError(
              .invalidGraph, "\(block.name.text): the result is not of \(block.output)")
          }
        }
      }
    }
  }

  /// The same space for another number of classes: the last layer's outputs.
  public func withClasses(_ classes: Int) -> SearchSpace {
    var space = self
    space.classes = classes
    for index in slots.indices where slots[index].candidates[0].kind == .linear {
      space.slots[index].outs = [classes]
    }
    return space
  }

  /// Number of choices a genotype makes.
  public var geneCount: Int { genes.count }

  /// Input resolution in pixels.
  public func resolution(_ genotype: Genotype) -> Int {
    resolutionGene.map { resolutions[genotype[$0]] } ?? resolutions[0]
  }

  /// Whether the gene has an effect in `genotype`.
  public func isActive(_ gene: Int, in genotype: Genotype) -> Bool {
    guard let condition = genes[gene].condition else { return true }
    return depth(condition.depthGene, genotype) > condition.position
  }

  func depth(_ gene: Int, _ genotype: Genotype) -> Int { Int(genes[gene].values[genotype[gene]]) }

  /// The one genotype of the network that `genotype` builds.
  public func canonical(_ genotype: Genotype) -> Genotype {
    var result = genotype
    for index in genes.indices {
      result.genes[index] =
        isActive(index, in: genotype) ? genes[index].representatives[genotype[index]] : 0
    }
    return result
  }

  /// A genotype drawn uniformly gene by gene (not uniformly among networks).
  public func sample(using generator: inout SeededGenerator) -> Genotype {
    Genotype(genes.map { UInt8(generator.next(below: $0.count)) })
  }

  /// Number of different architectures; `nil` beyond 2^128.
  public var architectureCount: UInt128? {
    var total: UInt128 = 1
    func multiply(_ a: UInt128, _ b: UInt128) -> UInt128? {
      let (product, overflow) = a.multipliedReportingOverflow(by: b)
      return overflow ? nil : product
    }
    func choices(_ gene: Int) -> UInt128 { UInt128(Set(genes[gene].representatives).count) }
    for segment in segments {
      for gene in segment.stageGenes {
        guard let product = multiply(total, choices(gene)) else { return nil }
        total = product
      }
      var sum: UInt128 = 0
      for depth in segment.depths {
        var ways: UInt128 = 1
        for block in segment.blocks.prefix(depth) {
          for gene in block {
            guard let product = multiply(ways, choices(gene)) else { return nil }
            ways = product
          }
        }
        let (next, overflow) = sum.addingReportingOverflow(ways)
        guard !overflow else { return nil }
        sum = next
      }
      guard let product = multiply(total, segment.depths.isEmpty ? 1 : sum) else { return nil }
      total = product
    }
    return total
  }
}
