extension NetworkAccuracyPredictor {
  /// Trains on other spaces for one of which no accuracy is known.
  ///
  /// Ranks are taken within each space, and features in units of each space's own spread: what a
  /// deeper or larger network is differs between spaces, that it tends to be better doesn't. So it
  /// needs architectures of the target space, without accuracies. Predicted accuracies are normal
  /// scores.
  ///
  /// - Parameters:
  ///   - sources: an equal share of `recipe.limit` is kept of each.
  ///   - population: architectures of the target space, such as those to be ranked.
  /// - Throws: `badSamples` where nothing can be learned from the sources.
  public init(
    transferring sources: [(encodings: [ArchitectureEncoding], accuracies: [Double])],
    to population: [ArchitectureEncoding], recipe: NetworkAccuracyRecipe = .transfer
  ) throws {
    try self.init(
      transferring: sources.map { (NetworkFeatures($0.encodings), $0.accuracies) },
      to: NetworkFeatures(population), recipe: recipe)
  }

  init(
    transferring sources: [(features: NetworkFeatures, accuracies: [Double])],
    to population: NetworkFeatures, recipe: NetworkAccuracyRecipe
  ) throws {
    if let problem = recipe.problem { throw PredictorsError(.badRecipe, problem) }
    let pool = try PooledSamples(
      sources, limit: recipe.limit / max(1, sources.count), seed: recipe.seed)
    let target = FeatureScale(population, rows: population.connectedRows)
    let isKept = zip(target.spreads, pool.varies).map { $0 > 0 && $1 }
    let members = try recipe.members.map { member in
      try Self.fit(member, pool.points(member.groups, isKept: isKept), pool.targets, recipe)
    }
    self.init(
      recipe: recipe, scale: target.keeping(isKept), scores: NormalScores(pool.targets),
      members: members, targets: pool.targets, disconnected: [])
  }
}
