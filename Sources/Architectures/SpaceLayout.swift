/// Turns a schema into genes, slots and segments.
struct SpaceLayout {
  let schema: SpaceSchema
  let file: String
  var genes: [Gene] = []
  var slots: [SearchSpace.Slot] = []
  var segments: [SearchSpace.Segment] = []
  var resolutionGene: Int?
  var cell: SearchSpace.Cell?
  private var blockIndex = 0
  private var groupCount = 0
  /// How many slots have a name that begins with this one and a dot.
  private var nameCounts: [Substring: Int] = [:]

  init(_ schema: SpaceSchema, file: String) {
    self.schema = schema
    self.file = file
  }

  mutating func build() throws {
    if schema.resolutions.count > 1 {
      resolutionGene = addGene(
        .resolution, "resolution", key: "r", schema.resolutions.map(Double.init))
      segments.append(SearchSpace.Segment(stageGenes: [resolutionGene!], depths: []))
    }
    for layer in schema.layers {
      switch layer {
      case .block(let block): try add(block)
      case .stage(let stage): try add(stage)
      case .cells(let cells): try add(cells)
      }
    }
    guard genes.count <= 4096 else {
      throw ArchitecturesError(.invalidSpace, "\(file): \(genes.count) genes; at most 4096")
    }
    linkDependencies()
  }

  private mutating func addGene(
    _ role: Gene.Role, _ name: String, key: String, _ values: [Double],
    condition: Gene.Condition? = nil, group: Int? = nil, representatives: [UInt8]? = nil
  ) -> Int {
    let codes = values.map { value in
      key + (value == value.rounded() ? String(Int(value)) : String(value))
    }
    var gene = Gene(
      role: role, name: name, codes: codes, values: values,
      representatives: representatives ?? values.indices.map { UInt8($0) })
    gene.condition = condition
    gene.group = group ?? nextGroup()
    genes.append(gene)
    return genes.count - 1
  }

  private mutating func nextGroup() -> Int {
    groupCount += 1
    return groupCount - 1
  }

  private func channels(_ out: Int, _ multiplier: Double, keepsWidth: Bool = false) -> Int {
    keepsWidth && multiplier == 1
      ? out
      : Block.makeDivisible(
        Double(out) * multiplier * (keepsWidth ? 1 : schema.width), by: schema.divisor)
  }

  /// The channels a width gene chooses from, with equal ones represented by the first.
  private mutating func widths(
    _ out: Int, _ multipliers: [Double], keepsWidth: Bool, name: String
  ) -> (outs: [Int], gene: Int?) {
    guard multipliers.count > 1 else {
      return ([channels(out, multipliers.first ?? 1, keepsWidth: keepsWidth)], nil)
    }
    let outs = multipliers.map { channels(out, $0, keepsWidth: keepsWidth) }
    let representatives = outs.map { UInt8(outs.firstIndex(of: $0)!) }
    let gene = addGene(
      .width, "\(name).width", key: "w", multipliers, representatives: representatives)
    return (outs, gene)
  }

  private mutating func add(_ block: SpaceSchema.Prototype) throws {
    let name = block.name.isEmpty ? "layers.\(slots.count)" : block.name
    let lastOut = slots.last?.outs ?? [schema.inputChannels]
    var segment = SearchSpace.Segment()
    var slot = SearchSpace.Slot(
      candidates: [block], outs: lastOut, stride: block.stride, name: name)
    if let out = block.out {
      (slot.outs, slot.widthGene) = widths(
        out, block.widths, keepsWidth: block.keepsWidth, name: name)
    } else if block.kind == .linear {
      slot.outs = [schema.classes]
    } else {
      guard
        [.identity, .zero, .maxPool, .averagePool, .globalPool, .normActivation]
          .contains(block.kind)
      else { throw ArchitecturesError(.invalidSpace, "\(file): layer '\(name)' needs 'out'") }
      slot.widthGene = slots.last?.widthGene
    }
    if block.out != nil, let gene = slot.widthGene { segment.stageGenes.append(gene) }
    addElastic(block, &slot, name: name, condition: nil, into: &segment.stageGenes)
    try add(slot)
    if !segment.stageGenes.isEmpty { segments.append(segment) }
  }

  /// Genes for the block's own choices.
  private mutating func addElastic(
    _ block: SpaceSchema.Prototype, _ slot: inout SearchSpace.Slot, name: String,
    condition: Gene.Condition?, into list: inout [Int]
  ) {
    let group = groupCount
    if block.kernel.count > 1 {
      slot.kernelGene = addGene(
        .kernel, "\(name).kernel", key: "k", block.kernel, condition: condition, group: group)
      list.append(slot.kernelGene!)
    }
    if block.expand.count > 1 {
      slot.expandGene = addGene(
        .expand, "\(name).expand", key: "e", block.expand, condition: condition, group: group)
      list.append(slot.expandGene!)
    }
    if slot.kernelGene != nil || slot.expandGene != nil { groupCount = group + 1 }
  }

  /// Most blocks of a network: far more than any has.
  private static let slotLimit = 4096

  private mutating func add(_ slot: SearchSpace.Slot) throws {
    guard slots.count < Self.slotLimit else {
      throw ArchitecturesError(.invalidSpace, "\(file): more than \(Self.slotLimit) blocks")
    }
    slots.append(slot)
    for dot in slot.name.indices where slot.name[dot] == "." {
      nameCounts[slot.name[..<dot], default: 0] += 1
    }
  }

  /// `prefix.0`, `prefix.1`, ...: layers named so in the file count too.
  private func nextName(_ prefix: String) -> String {
    "\(prefix).\(nameCounts[prefix[...], default: 0])"
  }

  private mutating func add(_ stage: SpaceSchema.Stage) throws {
    var segment = SearchSpace.Segment(depths: stage.depths)
    let number = segments.count
    let stageName = "\(stage.name).stage\(number)"
    var outs = slots.last?.outs ?? [schema.inputChannels]
    var widthGene = slots.last?.widthGene
    if let out = stage.out {
      (outs, widthGene) = widths(out, stage.widths, keepsWidth: false, name: stageName)
      if let widthGene { segment.stageGenes.append(widthGene) }
    }
    if stage.depths.count > 1 {
      segment.depthGene = addGene(
        .depth, "\(stageName).depth", key: "d", stage.depths.map(Double.init))
    }
    guard stage.depths[0] > 0 || (stage.stride == 1 && stage.out == nil) else {
      throw ArchitecturesError(
        .invalidSpace,
        "\(file): a stage that can be left out (depth 0) must keep the shape: "
          + "no 'out' and no 'stride'")
    }
    for position in 0..<(stage.depths.last ?? 0) {
      let condition = segment.depthGene.flatMap { gene in
        position >= stage.depths[0] ? Gene.Condition(depthGene: gene, position: position) : nil
      }
      let name = nextName(stage.name)
      var slot = SearchSpace.Slot(
        candidates: stage.candidates.map(\.block), condition: condition, widthGene: widthGene,
        outs: outs, stride: position == 0 ? stage.stride : 1, isFirst: position == 0,
        name: name)
      var blockGenes: [Int] = []
      let allowed = try allowedCandidates(stage, position, outs, name)
      slot.candidates = allowed.map(\.block)
      if stage.candidates.count > 1 {
        try requireFixed(stage.candidates)
        if allowed.count > 1 {
          slot.operationGene = addOperation(allowed.map(\.id), name, condition)
          blockGenes.append(slot.operationGene!)
        }
      } else {
        addElastic(
          stage.candidates[0].block, &slot, name: name, condition: condition, into: &blockGenes)
      }
      segment.blocks.append(blockGenes)
      try add(slot)
    }
    if segment.depthGene != nil || !segment.stageGenes.isEmpty
      || segment.blocks.contains(where: { !$0.isEmpty })
    {
      segments.append(segment)
    }
  }

  private func requireFixed(_ candidates: [SpaceSchema.Candidate]) throws {
    guard candidates.allSatisfy({ $0.block.kernel.count == 1 && $0.block.expand.count == 1 }) else {
      throw ArchitecturesError(
        .invalidSpace, "\(file): candidates of a choice have fixed kernel and expand; list each")
    }
  }

  /// Leaves out what cannot change the shape where the block must.
  private func allowedCandidates(
    _ stage: SpaceSchema.Stage, _ position: Int, _ outs: [Int], _ name: String
  ) throws -> [SpaceSchema.Candidate] {
    guard position == 0 else { return stage.candidates }
    let operand = slots.last?.outs ?? [schema.inputChannels]
    let keepsChannels = stage.out == nil || Set(operand + outs).count == 1
    let allowed = stage.candidates.filter {
      $0.block.fits(keepsChannels: keepsChannels, keepsSize: stage.stride == 1)
    }
    guard !allowed.isEmpty else {
      func text(_ channels: [Int]) -> String { channels.map(String.init).joined(separator: "/") }
      throw ArchitecturesError(
        .invalidSpace,
        "\(file): '\(name)': none of the stage's blocks can change the shape "
          + "(channels \(text(operand)) to \(text(outs)), stride \(stage.stride))")
    }
    return allowed
  }

  private mutating func addOperation(
    _ ids: [String], _ name: String, _ condition: Gene.Condition?
  ) -> Int {
    var gene = Gene(
      role: .operation, name: "\(name).operation", codes: ids,
      representatives: ids.indices.map { UInt8($0) })
    gene.condition = condition
    gene.group = nextGroup()
    genes.append(gene)
    return genes.count - 1
  }

  /// Cells repeat: all of them share the genes of the first.
  private mutating func add(_ cells: SpaceSchema.Cells) throws {
    try requireFixed(cells.candidates)
    if cell == nil {
      var edgeGenes: [Int] = []
      for node in 1..<cells.nodes {
        var segment = SearchSpace.Segment()
        for source in 0..<node {
          edgeGenes.append(
            addOperation(cells.candidates.map(\.id), "node\(node).from\(source)", nil))
          segment.stageGenes.append(edgeGenes.last!)
        }
        segments.append(segment)
      }
      cell = SearchSpace.Cell(
        nodes: cells.nodes, edgeGenes: edgeGenes, candidates: cells.candidates)
    }
    guard let cell, cell.nodes == cells.nodes,
      cell.candidates.map(\.id) == cells.candidates.map(\.id)
    else {
      throw ArchitecturesError(
        .invalidSpace, "\(file): all 'cells' of a space need the same nodes and operations")
    }
    let outs = [channels(cells.out, 1)]
    let operand = slots.last?.outs ?? [schema.inputChannels]
    guard operand == outs else {
      throw ArchitecturesError(
        .invalidSpace,
        "\(file): cells '\(cells.name)' have \(outs[0]) channels, their operand has "
          + "\(operand.map(String.init).joined(separator: ", ")): a cell keeps the channels")
    }
    for _ in 0..<cells.count {
      var edge = 0
      for node in 1..<cells.nodes {
        for source in 0..<node {
          var slot = SearchSpace.Slot(
            candidates: cells.candidates.map(\.block), operationGene: cell.edgeGenes[edge],
            outs: outs, stride: 1, name: "\(cells.name).\(blockIndex).edge\(node)_\(source)")
          slot.isEdge = true
          try add(slot)
          edge += 1
        }
      }
      blockIndex += 1
    }
  }

  /// A block's sizes depend on its own genes, the resolution, its width and that of the block
  /// before it.
  private mutating func linkDependencies() {
    var lastWidth: Int?
    for index in slots.indices {
      let slot = slots[index]
      var dependencies: [Int] = []
      for gene in [
        resolutionGene, lastWidth, slot.widthGene, slot.condition?.depthGene, slot.operationGene,
        slot.kernelGene, slot.expandGene,
      ] {
        if let gene, !dependencies.contains(gene) { dependencies.append(gene) }
      }
      slots[index].dependencies = dependencies
      if !slot.isEdge { lastWidth = slot.widthGene }
    }
  }
}
