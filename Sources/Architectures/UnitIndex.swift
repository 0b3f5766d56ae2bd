/// Tells the units of a space's architectures apart by small numbers, so that whatever is a sum
/// over units can be kept in tables: a query takes some hundred nanoseconds and builds no block.
public struct UnitIndex: Sendable {
  /// A unit at its place in the space, with the choices that fix its sizes.
  public struct Key: Hashable, Sendable {
    /// Place in the chain.
    public var place: Int
    /// Choices of the genes the unit depends on, as one number.
    public var choice: Int
  }

  private struct Place: Sendable {
    var slots: Range<Int>
    var genes: [Int]
    var strides: [Int]
    /// The unit exists where the depth gene's value exceeds the position.
    var depthGene: Int
    var position: Int
  }

  public let space: SearchSpace
  private let places: [Place]
  private let depths: [[Int]]
  private let sizes: [[Int]]

  /// `nil` for a space with cells of more than 2^62 forms.
  public init?(_ space: SearchSpace) {
    var places: [Place] = []
    var first = 0
    while first < space.slots.count {
      let slot = space.slots[first]
      let count = slot.isEdge ? space.cell?.edgeGenes.count ?? 1 : 1
      let slots = first..<(first + count)
      var genes: [Int] = []
      for gene in slots.flatMap({ space.slots[$0].dependencies })
      where gene != slot.condition?.depthGene && !genes.contains(gene) { genes.append(gene) }
      var strides: [Int] = []
      var forms = 1
      for gene in genes {
        strides.append(forms)
        let (product, overflow) = forms.multipliedReportingOverflow(by: space.genes[gene].count)
        guard !overflow else { return nil }
        forms = product
      }
      places.append(
        Place(
          slots: slots, genes: genes, strides: strides,
          depthGene: slot.condition?.depthGene ?? -1, position: slot.condition?.position ?? 0))
      first = slots.upperBound
    }
    self.space = space
    self.places = places
    depths = space.genes.map { $0.role == .depth ? $0.values.map { Int($0) } : [] }
    sizes = space.spatialSizes()
  }

  /// Replaces `keys` by those of the units of `genotype`, in order.
  public func keys(of genotype: Genotype, into keys: inout [Key]) {
    keys.removeAll(keepingCapacity: true)
    for (index, place) in places.enumerated() {
      if place.depthGene >= 0,
        depths[place.depthGene][genotype[place.depthGene]] <= place.position
      {
        continue
      }
      var choice = 0
      for position in place.genes.indices {
        choice &+= genotype[place.genes[position]] &* place.strides[position]
      }
      keys.append(Key(place: index, choice: choice))
    }
  }

  /// The unit of a key.
  public func unit(_ key: Key) -> NetworkUnit {
    let place = places[key.place]
    var genotype = Genotype(Array(repeating: 0, count: space.genes.count))
    for (gene, stride) in zip(place.genes, place.strides) {
      genotype.genes[gene] = UInt8(key.choice / stride % space.genes[gene].count)
    }
    let resolution = space.resolutionGene.map { genotype[$0] } ?? 0
    let blocks = place.slots.map { slot in
      let size = sizes[resolution][slot]
      return space.block(
        space.slots[slot], genotype,
        input: [space.inputChannels(slot: slot, genotype), size, size])
    }
    let isCell = space.slots[place.slots.lowerBound].isEdge
    return NetworkUnit(blocks, cellNodes: isCell ? space.cell?.nodes ?? 0 : 0)
  }
}
