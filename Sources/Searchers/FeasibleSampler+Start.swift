public import Architectures

extension FeasibleSampler {
  /// Uniform samples for one candidate before the start turns to descent.
  public static let sampleTries = 10_000
  /// Descents before a budget is called impossible: one from the nearest miss, the others from
  /// samples.
  static let descents = 16

  /// Adds `count` feasible candidates: uniform samples, by rejection.
  ///
  /// Where rejection fails, the violated costs are first lowered gene group by gene group, and
  /// the rest is found by a random walk among feasible neighbours; so a tight budget works as
  /// long as anything keeps it.
  /// - Throws: `infeasible` with the nearest miss.
  public mutating func addStart(
    _ count: Int, to batch: inout CandidateBatch, using generator: inout SeededGenerator
  ) throws {
    let first = batch.count
    var nearest: Miss?
    while batch.count < first + count {
      guard
        try addSample(
          tries: Self.sampleTries, to: &batch, nearest: &nearest, using: &generator)
      else { break }
    }
    guard batch.count < first + count else { return }
    if batch.count == first {
      let found = try descend(from: nearest, using: &generator)
      try add(found, to: &batch)
    }
    while batch.count < first + count {
      let parent = batch.genotypes[first + generator.next(below: batch.count - first)]
      try addMutant(
        of: parent, rate: 0.1, resolutionRate: 0.1, to: &batch, using: &generator)
    }
  }

  /// A feasible genotype by coordinate descent on the violation.
  private mutating func descend(
    from nearest: Miss?, using generator: inout SeededGenerator
  ) throws -> Genotype {
    var best = nearest
    for descent in 0..<Self.descents {
      var start = problem.domain.zero
      if descent == 0, let nearest {
        start = nearest.genotype
      } else {
        problem.domain.sample(into: &start, using: &generator)
      }
      let found = try localMinimum(from: start)
      if found.violation == 0 { return found.genotype }
      if found.violation < best?.violation ?? .infinity { best = found }
    }
    throw try problem.infeasible(
      tries: tries, nearest: canonical(best?.genotype ?? problem.domain.zero))
  }

  /// Changes one group of genes at a time for the better until no change helps or all limits
  /// hold.
  private mutating func localMinimum(from start: Genotype) throws -> Miss {
    var best = Miss(genotype: start, violation: try violation(start))
    var isImproved = true
    while isImproved, best.violation > 0 {
      isImproved = false
      for group in problem.domain.groups {
        for genes in joint(group.genes) {
          var candidate = best.genotype
          for gene in genes { candidate.genes[gene] = problem.domain.firstChoice(of: gene) }
          repeat {
            let violation = try violation(candidate)
            if violation < best.violation {
              best = Miss(genotype: candidate, violation: violation)
              isImproved = true
              if violation == 0 { return best }
            }
          } while advance(&candidate, genes)
        }
      }
    }
    return best
  }

  /// The group as one if it has few combinations, else gene by gene.
  private func joint(_ genes: [Int]) -> [[Int]] {
    var combinations = 1
    for gene in genes {
      combinations *= problem.domain.counts[gene]
      if combinations > 1_024 { return genes.map { [$0] } }
    }
    return [genes]
  }

  /// The next combination of choices; false after the last.
  private func advance(_ genotype: inout Genotype, _ genes: [Int]) -> Bool {
    for gene in genes {
      if let next = problem.domain.choice(of: gene, after: genotype.genes[gene]) {
        genotype.genes[gene] = next
        return true
      }
      genotype.genes[gene] = problem.domain.firstChoice(of: gene)
    }
    return false
  }

  private func canonical(_ genotype: Genotype) -> Genotype {
    var result = genotype
    var key = Array(repeating: UInt64(0), count: problem.domain.keyWords)
    problem.domain.canonicalise(genotype, into: &result, key: &key)
    return result
  }
}
