extension SearchSpace {
  /// Places in `genotypes` of those that build the same network, in the order of their first. Where
  /// blocks may be skipped or cells be mirrored, canonical genotypes have twins.
  ///
  /// Told from the texts of the units, each written once: whole graphs take some milliseconds each.
  /// - Throws: `invalidGraph` when a block does not fit, which the space's own check rules out.
  public func sameNetworks(_ genotypes: [Genotype]) throws -> [[Int]] {
    var texts = ["": 0]
    var numbers: [NetworkUnit: Int] = [:]
    /// Equal for units of the same operators; 0 for one that hands its operand on.
    func number(of unit: NetworkUnit) throws -> Int {
      if let known = numbers[unit] { return known }
      let graph = try unit.graph().canonical()
      let text = graph.nodes.isEmpty ? "" : ArchitectureText(canonical: graph).text
      let number = texts[text] ?? texts.count
      texts[text] = number
      numbers[unit] = number
      return number
    }
    var places: [[Int]: Int] = [:]
    var groups: [[Int]] = []
    for (index, genotype) in genotypes.enumerated() {
      var key: [Int] = []
      var hasCell = false
      for unit in units(genotype) {
        // All cells of a network choose alike, so one of them tells.
        if unit.cellNodes > 0, hasCell { continue }
        hasCell = hasCell || unit.cellNodes > 0
        let number = try number(of: unit)
        if number > 0 { key.append(number) }
      }
      if let place = places[key] {
        groups[place].append(index)
      } else {
        places[key] = groups.count
        groups.append([index])
      }
    }
    return groups
  }
}
