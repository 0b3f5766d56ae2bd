public import Architectures

/// Draws candidates that keep all limits, by bounded rejection.
///
/// One candidate is worked on in place; only accepted ones cost an allocation.
public struct FeasibleSampler: Sendable {
  let problem: SearchProblem
  /// Candidates whose costs were asked.
  public internal(set) var tries = 0
  private var raw: Genotype
  private var canonical: Genotype
  private var key: [UInt64]
  private var costs: [Double]

  /// Tries for one child before its parent goes on unchanged.
  static let childTries = 1_000

  init(_ problem: SearchProblem) {
    self.problem = problem
    raw = problem.domain.zero
    canonical = raw
    key = Array(repeating: 0, count: problem.domain.keyWords)
    costs = Array(repeating: 0, count: problem.metrics.count)
  }

  /// Adds a child of `parent`: each group of genes is drawn anew with probability `rate`
  /// (`resolutionRate` for the resolution). The parent must be feasible.
  public mutating func addMutant(
    of parent: Genotype, rate: Double, resolutionRate: Double, to batch: inout CandidateBatch,
    using generator: inout SeededGenerator
  ) throws {
    for _ in 0..<Self.childTries {
      copy(parent)
      mutate(rate: rate, resolutionRate: resolutionRate, using: &generator)
      if try accept(into: &batch) { return }
    }
    try add(parent, to: &batch)
  }

  /// Adds a child that takes each gene from either parent, and then mutates at `mutationRate`.
  /// The parents must be feasible.
  public mutating func addCrossover(
    of mother: Genotype, _ father: Genotype, mutationRate: Double = 0,
    to batch: inout CandidateBatch, using generator: inout SeededGenerator
  ) throws {
    for _ in 0..<Self.childTries {
      var bits: UInt64 = 0
      for gene in mother.genes.indices {
        if gene & 63 == 0 { bits = generator.next() }
        raw.genes[gene] = bits & 1 == 0 ? mother.genes[gene] : father.genes[gene]
        bits >>= 1
      }
      if mutationRate > 0 {
        mutate(rate: mutationRate, resolutionRate: mutationRate, using: &generator)
      }
      if try accept(into: &batch) { return }
    }
    try add(mother, to: &batch)
  }

  /// Adds one uniform sample if one of `tries` keeps the limits; else the nearest miss is kept in
  /// `nearest`.
  mutating func addSample(
    tries: Int, to batch: inout CandidateBatch, nearest: inout Miss?,
    using generator: inout SeededGenerator
  ) throws -> Bool {
    for _ in 0..<tries {
      problem.domain.sample(into: &raw, using: &generator)
      if try accept(into: &batch) { return true }
      guard batch.count == 0 else { continue }
      let violation = try violation()
      if violation < nearest?.violation ?? .infinity {
        nearest = Miss(genotype: raw, violation: violation)
      }
    }
    return false
  }

  /// Adds `genotype` as it is.
  /// - Returns: Whether it keeps the limits; if not, it is not added.
  @discardableResult
  mutating func add(_ genotype: Genotype, to batch: inout CandidateBatch) throws -> Bool {
    copy(genotype)
    return try accept(into: &batch)
  }

  /// By how much `genotype` breaks the limits: the sum of the relative excesses.
  mutating func violation(_ genotype: Genotype) throws -> Double {
    copy(genotype)
    problem.domain.canonicalise(raw, into: &canonical, key: &key)
    tries += 1
    return try violation()
  }

  /// Of the canonical candidate.
  private func violation() throws -> Double {
    var sum = 0.0
    for metric in problem.models.indices {
      let limit = problem.limits[metric]
      let cost = try problem.models[metric].cost(canonical)
      guard !cost.isNaN else { return .infinity }
      if cost > limit { sum += (cost - limit) / max(abs(limit), 1e-9) }
      let floor = problem.floors[metric]
      if cost < floor { sum += (floor - cost) / max(abs(floor), 1e-9) }
    }
    return sum
  }

  private mutating func copy(_ genotype: Genotype) {
    for gene in genotype.genes.indices { raw.genes[gene] = genotype.genes[gene] }
  }

  private mutating func mutate(
    rate: Double, resolutionRate: Double, using generator: inout SeededGenerator
  ) {
    for group in problem.domain.groups {
      guard generator.nextUniform() < (group.isResolution ? resolutionRate : rate) else { continue }
      for gene in group.genes {
        raw.genes[gene] = problem.domain.draw(gene, using: &generator)
      }
    }
  }

  /// Takes the candidate at hand if it keeps all limits. A cost that is no number breaks them.
  private mutating func accept(into batch: inout CandidateBatch) throws -> Bool {
    problem.domain.canonicalise(raw, into: &canonical, key: &key)
    tries += 1
    for metric in problem.models.indices {
      let cost = try problem.models[metric].cost(canonical)
      guard cost <= problem.limits[metric], cost >= problem.floors[metric] else { return false }
      costs[metric] = cost
    }
    batch.genotypes.append(Genotype(Array(raw.genes[...])))
    batch.costs.append(contentsOf: costs)
    batch.keys.append(contentsOf: key)
    return true
  }
}

/// A candidate that breaks limits.
struct Miss: Sendable {
  var genotype: Genotype
  var violation: Double
}
