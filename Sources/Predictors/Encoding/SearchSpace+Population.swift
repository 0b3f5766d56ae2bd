internal import Architectures

extension SearchSpace {
  /// Distinct architectures drawn at random that stand for the space; fewer than asked for where it
  /// holds few.
  func population(_ count: Int, seed: UInt64 = 0) -> [Genotype] {
    var generator = SeededGenerator(seed: seed, stream: "population of \(name)")
    var seen: Set<Genotype> = []
    var result: [Genotype] = []
    for _ in 0..<4 * count where result.count < count {
      let genotype = canonical(sample(using: &generator))
      if seen.insert(genotype).inserted { result.append(genotype) }
    }
    return result
  }
}

extension SpaceEncoder {
  /// Encodings of architectures drawn at random that stand for the space.
  /// - Throws: `ArchitecturesError` when a block does not fit, which the space's own check rules out.
  public func population(_ count: Int) throws -> [ArchitectureEncoding] {
    try encodings(space.population(count))
  }

  /// The encodings of architectures, in order.
  func encodings(_ genotypes: [Genotype]) throws -> [ArchitectureEncoding] {
    let values = try encode(genotypes)
    let width = ArchitectureEncoding.count
    return genotypes.indices.map { index in
      ArchitectureEncoding(values: Array(values[index * width..<(index + 1) * width]))
    }
  }
}
