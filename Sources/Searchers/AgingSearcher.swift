public import Architectures

/// Settings of `AgingSearcher`; population and sample are those of the paper.
public struct AgingOptions: SearcherOptions {
  public var population = 100
  public var evaluations = 50_000
  /// Members drawn for a tournament, with replacement; the best is the parent.
  public var sample = 25
  /// Probability that a group of genes is drawn anew.
  public var mutationRate = 0.1
  /// Children drawn from one population before they join it; 1 is the sequential algorithm.
  public var batch = 10

  public init() {}

  public func validate() throws {
    try check("population", population, in: 2...100_000)
    try check("evaluations", evaluations, in: 1...1_000_000_000)
    try check("sample", sample, in: 1...100_000)
    try check("mutationRate", mutationRate, in: 0...1)
    try check("batch", batch, in: 1...100_000)
  }
}

/// Regularised evolution (Real et al. 2019, arXiv 1802.01548, algorithm 1): the best of a random
/// sample has a child, and the oldest member dies.
///
/// - Note: The paper changes one operation per child; here each group changes with a probability,
///   as in the other searchers. A step makes `batch` children of one population, as the paper's
///   parallel workers do.
public struct AgingSearcher: Searcher {
  public static let name = "aging"
  public static let summary = "regularised evolution: the oldest die"

  public let options: AgingOptions
  public private(set) var step = 0
  private var generator: SeededGenerator
  /// The oldest first.
  private var population: PackedGenotypes
  private var scores: [Double] = []

  public init(options: AgingOptions, seed: UInt64) {
    self.options = options
    generator = SeededGenerator(seed: seed, stream: "searchers.aging")
    population = PackedGenotypes([])
  }

  public var steps: Int {
    let children = max(0, options.evaluations - options.population)
    return 1 + (children + options.batch - 1) / options.batch
  }
  public var members: [Genotype] { population.genotypes }
  public var isConsistent: Bool {
    step >= 0 && (step == 0) == scores.isEmpty && scores.count == members.count
  }

  public mutating func advance(in context: inout SearchContext) throws {
    if step == 0 {
      let count = min(options.population, options.evaluations)
      var batch = context.batch(count)
      try context.sampler.addStart(count, to: &batch, using: &generator)
      scores = try context.scores(batch)
      population.genotypes = batch.genotypes
    } else {
      let done = options.population + (step - 1) * options.batch
      let count = min(options.batch, options.evaluations - done)
      var batch = context.batch(count)
      for _ in 0..<count {
        var parent = generator.next(below: scores.count)
        for _ in 1..<max(options.sample, 1) {
          let other = generator.next(below: scores.count)
          if scores[other] > scores[parent] { parent = other }
        }
        try context.sampler.addMutant(
          of: members[parent], rate: options.mutationRate,
          resolutionRate: options.mutationRate, to: &batch, using: &generator)
      }
      scores = Array((scores + (try context.scores(batch))).dropFirst(count))
      population.genotypes = Array((members + batch.genotypes).dropFirst(count))
    }
    step += 1
  }
}
