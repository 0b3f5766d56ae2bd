/// A position of a staged space with all that may stand there: what one layer of a supernet has to
/// hold.
public struct ElasticLayer: Sendable {
  /// The block with the most channels and the largest kernel, whatever its operand's resolution.
  public var largest: Block
  /// Kernels the position chooses from, ascending.
  public var kernels: [Int]
  /// Inner channels of the choices of expansion at the most channels, ascending.
  public var mids: [Int]
  /// Whether any size differs between architectures.
  public var isElastic: Bool

  public init(largest: Block, kernels: [Int], mids: [Int], isElastic: Bool) {
    self.largest = largest
    self.kernels = kernels
    self.mids = mids
    self.isElastic = isElastic
  }

  /// The layer for one block alone.
  public init(only block: Block) {
    self.init(largest: block, kernels: [block.kernel], mids: [block.mid], isElastic: false)
  }
}

extension SearchSpace {
  /// The layers of the network that holds all architectures of the space, by slot.
  /// - Throws: `invalidSpace` if architectures differ by more than depth, width, kernel, expansion
  ///   and resolution.
  public func elasticLayers() throws -> [ElasticLayer] {
    guard cell == nil, !genes.contains(where: { $0.role == .operation }) else {
      throw ArchitecturesError(
        .invalidSpace,
        "'\(name)' chooses between operations; a once-for-all network needs a space that chooses "
          + "kernels, expansions, depths and widths of given blocks")
    }
    let largest = largestGenotype
    var input = [inputChannels, resolution(largest), resolution(largest)]
    var isElasticInput = false
    return slots.map { slot in
      let block = block(slot, largest, input: input)
      input = block.output
      let kernels = slot.kernelGene.map { genes[$0].values.map { Int($0) } } ?? [block.kernel]
      let mids = slot.expandGene.map { gene in
        genes[gene].values.indices.map { choice in
          var genotype = largest
          genotype.genes[gene] = UInt8(choice)
          return self.block(slot, genotype, input: block.input).mid
        }
      }
      let isElasticOutput = Set(slot.outs).count > 1
      defer { isElasticInput = isElasticOutput }
      return ElasticLayer(
        largest: block, kernels: Set(kernels).sorted(), mids: Set(mids ?? [block.mid]).sorted(),
        isElastic: isElasticInput || isElasticOutput || slot.kernelGene != nil
          || slot.expandGene != nil)
    }
  }

  /// Every choice at its largest.
  public var largestGenotype: Genotype { extreme { $0 < $1 } }
  /// Every choice at its smallest.
  public var smallestGenotype: Genotype { canonical(extreme { $0 > $1 }) }

  private func extreme(_ isBefore: (Double, Double) -> Bool) -> Genotype {
    Genotype(
      genes.map { gene in
        UInt8(gene.values.indices.max { isBefore(gene.values[$0], gene.values[$1]) } ?? 0)
      })
  }
}

extension SearchSpace {
  /// Equal for spaces with the same genes whose smallest and largest choices build the same networks:
  /// what weights and predictors of a space are made for. A name alone does not say that.
  public func fingerprint() throws -> String {
    let ends = try [Genotype(genes.map { _ in 0 }), Genotype(genes.map { UInt8($0.count - 1) })]
      .map { ArchitectureText(try graph(canonical($0))).digest }
    let genes = genes.map { "\($0.name)=\($0.codes.joined(separator: ","))" }
    return (genes + ends).joined(separator: " ")
  }
}
