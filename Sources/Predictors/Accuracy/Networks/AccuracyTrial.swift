internal import Tensors

/// How a predictor did on networks that it had not seen.
public struct AccuracyTrial: Sendable {
  /// Networks it learned from, and networks that scored it.
  public var samples: Int
  public var scored: Int
  public var ranks: RankStatistics
  /// Share of networks (the first 2,000) whose accuracy lies in the 90 % interval; `nil` where there
  /// is none.
  public var coverage: Double?
  /// Predicted and measured accuracy of the networks that scored.
  public var points: [(predicted: Double, measured: Double)]

  /// Learns from some architectures of a table and is scored on all others, whose features, not
  /// accuracies, it may look at: a space is known before it is measured.
  /// - Throws: `badSamples` for a table with too few rows.
  public static func fewShot(
    _ table: AccuracyTable, samples: Int, seed: UInt64,
    recipe: NetworkAccuracyRecipe = NetworkAccuracyRecipe(), sources: [AccuracyTable] = []
  ) throws -> AccuracyTrial {
    guard samples + 2 <= table.accuracies.count else {
      throw PredictorsError(
        .badSamples,
        "\(table.name): \(samples) samples of \(table.accuracies.count) leave none to score")
    }
    var features = table.features
    var recipe = recipe
    recipe.seed = seed
    recipe.limit = max(recipe.limit, samples)
    if !sources.isEmpty {
      let scores = try transferScores(sources, table, seed: seed)
      features = features.adding(transfer: scores)
      for index in recipe.members.indices { recipe.members[index].groups.append(.transfer) }
    }
    var random = RandomStream(seed: seed).derived("trial")
    let order = random.permutation(features.count)
    let (seen, unseen) = (Array(order.prefix(samples)), Array(order.dropFirst(samples)))
    let predictor = try NetworkAccuracyPredictor(
      features[seen], seen.map { table.accuracies[$0] }, population: features, recipe: recipe)
    return try AccuracyTrial(
      predictor, features[unseen], unseen.map { table.accuracies[$0] }, samples: samples)
  }

  /// Learns from other tables and is scored on all of this one.
  public static func transfer(from sources: [AccuracyTable], to table: AccuracyTable, seed: UInt64)
    throws -> AccuracyTrial
  {
    let scores = try transferScores(sources, table, seed: seed)
    return AccuracyTrial(
      samples: 0, scored: scores.count, ranks: RankStatistics(scores, table.accuracies),
      coverage: nil, points: Array(zip(scores, table.accuracies)))
  }

  /// Learns from one table and is scored on the architectures of another that it doesn't have.
  public static func heldOut(
    from table: AccuracyTable, samples: Int, to other: AccuracyTable, seed: UInt64,
    recipe: NetworkAccuracyRecipe = NetworkAccuracyRecipe()
  ) throws -> AccuracyTrial {
    let scored = Set(other.keys)
    let candidates = table.keys.indices.filter { !scored.contains(table.keys[$0]) }
    var random = RandomStream(seed: seed).derived("trial")
    let seen = random.permutation(candidates.count).prefix(samples).map { candidates[$0] }
    var recipe = recipe
    recipe.seed = seed
    let predictor = try NetworkAccuracyPredictor(
      table.features[seen], seen.map { table.accuracies[$0] }, recipe: recipe)
    var trial = try AccuracyTrial(
      predictor, other.features, other.accuracies, samples: seen.count)
    trial.coverage = nil
    return trial
  }

  private static func transferScores(
    _ sources: [AccuracyTable], _ table: AccuracyTable, seed: UInt64
  ) throws -> [Double] {
    var recipe = NetworkAccuracyRecipe.transfer
    recipe.seed = seed
    let predictor = try NetworkAccuracyPredictor(
      transferring: sources.map { ($0.features, $0.accuracies) }, to: table.features,
      recipe: recipe)
    return try predictor.predict(table.features, withDeviations: false).map(\.score)
  }

  private init(
    _ predictor: NetworkAccuracyPredictor, _ features: NetworkFeatures, _ measured: [Double],
    samples: Int
  ) throws {
    let predictions = try predictor.predict(features, withDeviations: false)
    // Intervals cost far more than scores, and a share of some thousand is known to a per cent.
    let some = Array(0..<min(2000, measured.count))
    let held = try zip(predictor.predict(features[some], withDeviations: true), measured)
      .count { predictor.interval($0, confidence: 0.9).contains($1) }
    self.init(
      samples: samples, scored: measured.count,
      ranks: RankStatistics(predictions.map(\.score), measured),
      coverage: Double(held) / Double(some.count),
      points: zip(predictions, measured).map { ($0.accuracy, $1) })
  }

  private init(
    samples: Int, scored: Int, ranks: RankStatistics, coverage: Double?,
    points: [(predicted: Double, measured: Double)]
  ) {
    self.samples = samples
    self.scored = scored
    self.ranks = ranks
    self.coverage = coverage
    self.points = points
  }
}
