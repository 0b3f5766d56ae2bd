public import Architectures

/// Settings of `EvolutionSearcher`; the defaults are those of Once-for-All.
public struct EvolutionOptions: SearcherOptions {
  /// Architectures drawn at the start and children of each generation.
  public var population = 100
  public var generations = 500
  /// The part of the population that has children, best first.
  public var parentRatio = 0.25
  /// The part of the children that are mutants; the others are crossovers.
  public var mutationRatio = 0.5
  /// Probability that a group of genes (a block's kernel and expansion, a depth) is drawn anew.
  public var mutationRate = 0.1
  /// The same for the resolution; 0.5 in the `ofa` library, 0.1 in its tutorial.
  public var resolutionMutationRate = 0.1

  public init() {}

  public func validate() throws {
    try check("population", population, in: 2...100_000)
    try check("generations", generations, in: 0...1_000_000)
    try check("parentRatio", parentRatio, in: 0...1)
    try check("mutationRatio", mutationRatio, in: 0...1)
    try check("mutationRate", mutationRate, in: 0...1)
    try check("resolutionMutationRate", resolutionMutationRate, in: 0...1)
  }

  var parents: Int { min(population, max(1, Int((parentRatio * Double(population)).rounded()))) }
  var mutants: Int { Int((mutationRatio * Double(population)).rounded()) }
}

/// The evolution of Once-for-All (Cai et al. 2020, arXiv 1908.09791, section 3.4 and the `ofa`
/// library): each generation keeps the best as parents and adds mutants and crossovers of them.
///
/// - Note: Children of the last generation count for the result (the library forgets them), and
///   rejection is bounded: a child that is not feasible in 1,000 tries is its parent.
public struct EvolutionSearcher: Searcher {
  public static let name = "evolution"
  public static let summary = "evolution of Once-for-All under hard limits"

  public let options: EvolutionOptions
  public private(set) var step = 0
  private var generator: SeededGenerator
  /// Parents of the last generation, then its children.
  private var population: PackedGenotypes
  private var scores: [Double] = []

  public init(options: EvolutionOptions, seed: UInt64) {
    self.options = options
    generator = SeededGenerator(seed: seed, stream: "searchers.evolution")
    population = PackedGenotypes([])
  }

  public var steps: Int { options.generations + 1 }
  public var members: [Genotype] { population.genotypes }
  public var isConsistent: Bool {
    step >= 0 && (step == 0) == scores.isEmpty && scores.count == members.count
  }

  public mutating func advance(in context: inout SearchContext) throws {
    var batch = context.batch(options.population)
    if step == 0 {
      try context.sampler.addStart(options.population, to: &batch, using: &generator)
      scores = try context.scores(batch)
      population.genotypes = batch.genotypes
    } else {
      let ranks = scores.indices.sorted {
        scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1
      }.prefix(options.parents)
      var parents = ranks.map { population.genotypes[$0] }
      for child in 0..<options.population {
        let parent = generator.next(below: parents.count)
        if child < options.mutants {
          try context.sampler.addMutant(
            of: parents[parent], rate: options.mutationRate,
            resolutionRate: options.resolutionMutationRate, to: &batch, using: &generator)
        } else {
          let other = generator.next(below: parents.count)
          try context.sampler.addCrossover(
            of: parents[parent], parents[other], to: &batch, using: &generator)
        }
      }
      scores = ranks.map { scores[$0] } + (try context.scores(batch))
      parents += batch.genotypes
      population.genotypes = parents
    }
    step += 1
  }
}
