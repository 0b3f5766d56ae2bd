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
