extension SearchSpace {
  /// The blocks of an architecture in order, with their slots. For a cell space every edge of
  /// every cell is a block; sums between edges are not listed.
  public func blocks(_ genotype: Genotype) -> [(slot: Int, block: Block)] {
    let resolution = resolution(genotype)
    var shape = [inputChannels, resolution, resolution]
    var result: [(slot: Int, block: Block)] = []
    result.reserveCapacity(slots.count)
    for (index, slot) in slots.enumerated() where exists(slot, in: genotype) {
      let block = block(slot, genotype, input: shape)
      result.append((index, block))
      if !slot.isEdge { shape = block.output }
    }
    return result
  }

  func exists(_ slot: Slot, in genotype: Genotype) -> Bool {
    guard let condition = slot.condition else { return true }
    return depth(condition.depthGene, genotype) > condition.position
  }

  /// The block at `slot` for an operand `[C, H, W]`.
  func block(_ slot: Slot, _ genotype: Genotype, input: [Int]) -> Block {
    let prototype = slot.candidates[slot.operationGene.map { genotype[$0] } ?? 0]
    let out = slot.outs[slot.widthGene.map { genotype[$0] } ?? 0]
    let keepsShape = input[0] == out && slot.stride == 1
    if prototype.kind == .identity, !keepsShape, let projection = prototype.projection.first {
      return make(projection, slot, genotype, input: input, out: out)
    }
    return make(prototype, slot, genotype, input: input, out: out)
  }

  private func make(
    _ prototype: SpaceSchema.Prototype, _ slot: Slot, _ genotype: Genotype, input: [Int], out: Int
  ) -> Block {
    var block = Block(kind: prototype.kind, name: slot.name, input: input, out: out)
    block.kernel = Int(
      slot.kernelGene.map { prototype.kernel[genotype[$0]] } ?? prototype.kernel[0])
    block.stride = slot.stride
    block.groups = prototype.groups
    block.expand = slot.expandGene.map { prototype.expand[genotype[$0]] } ?? prototype.expand[0]
    switch prototype.kind {
    case .mbconv, .linearBlock:
      block.mid = Block.makeDivisible((Double(input[0]) * block.expand).rounded(), by: divisor)
      if block.expand == 1 { block.mid = input[0] }
    case .bottleneck:
      block.mid = Block.makeDivisible((Double(out) * block.expand).rounded(), by: divisor)
    case .globalPool, .maxPool, .averagePool, .identity, .zero, .normActivation:
      block.out = input[0]
    default: break
    }
    block.squeezeExcite = prototype.squeezeExcite
    block.activation = prototype.activation
    block.hasNorm = prototype.hasNorm
    block.hasBias = prototype.hasBias
    block.isResidual = prototype.isResidual
    if prototype.kind == .bottleneck { block.isResidual = !slot.isFirst }
    block.isPreActivated = prototype.isPreActivated
    block.epsilon = epsilon
    return block
  }

  /// The network that `genotype` builds, for `batch` images.
  /// - Throws: `invalidGraph` when a block does not fit; spaces are checked at their ends on load.
  public func graph(_ genotype: Genotype, batch: Int = 1) throws -> OperatorGraph {
    guard genotype.genes.count == genes.count,
      zip(genotype.genes, genes).allSatisfy({ Int($0) < $1.count })
    else {
      throw ArchitecturesError(
        .invalidArchitecture, "\(name) has \(genes.count) genes; the genotype does not fit them")
    }
    var builder = GraphBuilder()
    let resolution = resolution(genotype)
    var value = builder.input([batch, inputChannels, resolution, resolution])
    for unit in units(genotype) { value = try unit.append(to: &builder, input: value) }
    builder.output(value)
    return builder.graph
  }
}
