internal import Tensors

extension NetworkAccuracyPredictor {
  /// Trains on encodings with measured accuracies.
  ///
  /// - Parameters:
  ///   - population: encodings, without accuracies, to measure features by and to learn from what
  ///     networks are like; when left out, the samples measure and nothing learns to rank.
  /// - Throws: `badSamples` for fewer than eight usable samples or accuracies that are all equal.
  /// - Complexity: cubic in `recipe.limit`.
  public init(
    _ encodings: [ArchitectureEncoding], accuracies: [Double],
    population: [ArchitectureEncoding]? = nil, recipe: NetworkAccuracyRecipe = .init()
  ) throws {
    let features = NetworkFeatures(encodings)
    let population = population.map(NetworkFeatures.init)
    try self.init(features, accuracies, population: population, recipe: recipe)
  }

  init(
    _ features: NetworkFeatures, _ accuracies: [Double], population: NetworkFeatures? = nil,
    recipe: NetworkAccuracyRecipe
  ) throws {
    precondition(features.count == accuracies.count, "one accuracy a network")
    if let problem = recipe.problem { throw PredictorsError(.badRecipe, problem) }
    if let bad = accuracies.first(where: { !$0.isFinite }) {
      throw PredictorsError(.badSamples, "\(bad) is no accuracy")
    }
    let connected = features.connectedRows
    var random = RandomStream(seed: recipe.seed).derived("samples")
    let order = random.permutation(connected.count).map { connected[$0] }
    let kept = Array(order.prefix(recipe.limit))
    let measured = kept.map { accuracies[$0] }
    guard kept.count >= 8, Set(measured).count > 1 else {
      throw PredictorsError(
        .badSamples,
        kept.count < 8
          ? "\(kept.count) samples of networks that read their input; 8 are needed"
          : "all accuracies are \(measured[0]); there is nothing to learn")
    }
    let scale =
      population.map { FeatureScale($0, rows: $0.connectedRows) }
      ?? FeatureScale(features, rows: kept)
    let scores = NormalScores(measured)
    let targets = measured.map(scores.score)
    let members = try recipe.members.map { member in
      try Self.fit(
        member, scale.apply(features, rows: kept, groups: member.groups), targets, recipe)
    }
    var ranking: RankingEnsemble?
    if let population, recipe.rankingShare > 0 {
      ranking = try Self.ranking(
        features, rows: kept, targets, population: population, scale, recipe)
    }
    self.init(
      recipe: recipe, scale: scale, scores: scores, members: members, ranking: ranking,
      targets: targets,
      disconnected: features.isConnected.indices.filter { !features.isConnected[$0] }
        .map { accuracies[$0] })
  }

  private static func ranking(
    _ features: NetworkFeatures, rows: [Int], _ targets: [Double], population: NetworkFeatures,
    _ scale: FeatureScale, _ recipe: NetworkAccuracyRecipe
  ) throws -> RankingEnsemble {
    let others = population.connectedRows
    let statistics = scale.apply(population, rows: others, groups: [.size, .paths])
    // Each column in units of its own spread again.
    let units = statistics.groups.flatMap { group in
      group.map { _ in Float(max(1, group.count)).squareRoot() }
    }
    return try RankingEnsemble(
      scale.apply(features, rows: rows, groups: recipe.groups), targets: targets,
      population: scale.apply(population, rows: others, groups: recipe.groups),
      statistics: statistics.values.enumerated().map { $1 * units[$0 % statistics.width] },
      seed: recipe.seed)
  }

  /// A member on points in random order.
  static func fit(
    _ member: NetworkAccuracyRecipe.Member, _ points: GroupedFeatures, _ targets: [Double],
    _ recipe: NetworkAccuracyRecipe
  ) throws -> GaussianProcess {
    let few = min(recipe.choosing, points.count)
    var fit = try KernelFit(points[0..<few], targets: Array(targets[0..<few]))
    fit.steps = recipe.steps
    let kernel = try fit(from: GroupedKernel(groups: member.groups.count, hasTrend: member.trend))
    return try GaussianProcess(kernel, points, targets: targets)
  }
}
