public import Architectures

/// Settings of `NSGA2Searcher`.
public struct NSGA2Options: SearcherOptions {
  public var population = 100
  public var generations = 500
  /// Probability that a child is a crossover of its parents before it mutates.
  public var crossoverRate = 0.9
  /// Probability that a group of genes is drawn anew.
  public var mutationRate = 0.1

  public init() {}

  public func validate() throws {
    try check("population", population, in: 2...10_000)
    try check("generations", generations, in: 0...1_000_000)
    try check("crossoverRate", crossoverRate, in: 0...1)
    try check("mutationRate", mutationRate, in: 0...1)
  }
}

/// NSGA-II (Deb et al. 2002): spreads the population along the front of score and costs.
///
/// - Note: Genes are categorical, so crossover is uniform and mutation draws anew. Limits are kept
///   by rejection from a feasible start, which is Deb's constraint domination with every
///   infeasible child losing at once.
public struct NSGA2Searcher: Searcher {
  public static let name = "nsga2"
  public static let summary = "NSGA-II, the whole front of score against costs"

  public let options: NSGA2Options
  public private(set) var step = 0
  private var generator: SeededGenerator
  private var population: PackedGenotypes
  /// Objectives of each member, all to be lowered: the negated score, then the costs.
  private var points: [[Double]] = []
  private var ranks: [Int] = []
  /// Crowding distances; infinity is written as -1, since JSON has no word for it.
  private var crowding: [Double] = []

  public init(options: NSGA2Options, seed: UInt64) {
    self.options = options
    generator = SeededGenerator(seed: seed, stream: "searchers.nsga2")
    population = PackedGenotypes([])
  }

  public var steps: Int { options.generations + 1 }
  public var members: [Genotype] { population.genotypes }
  public var isConsistent: Bool {
    step >= 0 && (step == 0) == members.isEmpty && points.count == members.count
      && ranks.count == members.count && crowding.count == members.count
      && points.allSatisfy { $0.count == points[0].count }
  }

  public mutating func advance(in context: inout SearchContext) throws {
    var batch = context.batch(options.population)
    if step == 0 {
      try context.sampler.addStart(options.population, to: &batch, using: &generator)
    } else {
      let parents = tournaments(options.population + 1)
      for child in 0..<options.population {
        // A pair has two children.
        let (mother, father) = (parents[child], parents[child ^ 1])
        if generator.nextUniform() < options.crossoverRate {
          try context.sampler.addCrossover(
            of: members[mother], members[father], mutationRate: options.mutationRate, to: &batch,
            using: &generator)
        } else {
          try context.sampler.addMutant(
            of: members[mother], rate: options.mutationRate,
            resolutionRate: options.mutationRate, to: &batch, using: &generator)
        }
      }
    }
    let scores = try context.scores(batch)
    let metrics = context.problem.metrics.count
    points += scores.indices.map { child in
      [-scores[child]]
        + batch.costs[(child * metrics)..<(child * metrics + context.problem.objectives)]
    }
    population.genotypes += batch.genotypes
    select()
    step += 1
  }

  /// Winners of binary tournaments. As in Deb's code the members are shuffled, so that each
  /// enters as often as any other.
  private mutating func tournaments(_ count: Int) -> [Int] {
    var winners: [Int] = []
    while winners.count < count {
      let order = ranks.indices.shuffled(using: &generator)
      for pair in stride(from: 0, to: order.count - 1, by: 2) {
        winners.append(winner(order[pair], order[pair + 1]))
      }
    }
    return winners
  }

  /// Better rank wins, then the larger crowding distance, then chance.
  private mutating func winner(_ a: Int, _ b: Int) -> Int {
    if ranks[a] != ranks[b] { return ranks[a] < ranks[b] ? a : b }
    let widthA = crowding[a] < 0 ? .infinity : crowding[a]
    let widthB = crowding[b] < 0 ? .infinity : crowding[b]
    if widthA != widthB { return widthA > widthB ? a : b }
    return generator.next(below: 2) == 0 ? a : b
  }

  /// Keeps the best fronts, the last of them by crowding.
  private mutating func select() {
    var kept: [Int] = []
    var keptRanks: [Int] = []
    var keptCrowding: [Double] = []
    for (rank, front) in NonDominatedSort.fronts(points).enumerated() {
      let distances = NonDominatedSort.crowding(front.map { points[$0] })
      var order = Array(front.indices)
      if kept.count + front.count > options.population {
        order.sort { distances[$0] != distances[$1] ? distances[$0] > distances[$1] : $0 < $1 }
        order.removeLast(kept.count + front.count - options.population)
      }
      kept += order.map { front[$0] }
      keptRanks += order.map { _ in rank }
      keptCrowding += order.map { distances[$0].isInfinite ? -1 : distances[$0] }
      if kept.count == options.population { break }
    }
    population.genotypes = kept.map { population.genotypes[$0] }
    points = kept.map { points[$0] }
    ranks = keptRanks
    crowding = keptCrowding
  }
}
