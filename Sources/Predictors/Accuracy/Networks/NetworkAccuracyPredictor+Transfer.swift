internal import Tensors

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
    let random = RandomStream(seed: recipe.seed).derived("transfer")
    let target = FeatureScale(population, rows: population.connectedRows)
    let scales = sources.map { FeatureScale($0.features, rows: $0.features.connectedRows) }
    let isKept = target.spreads.indices.map { column in
      target.spreads[column] > 0 && scales.contains { $0.spreads[column] > 0 }
    }
    // The rows of all sources, in one random order, so that any first part has them all.
    var rows: [(source: Int, row: Int, target: Double)] = []
    for (number, source) in sources.enumerated() {
      var order = random.derived(number)
      let connected = source.features.connectedRows
      let kept = order.permutation(connected.count)
        .prefix(recipe.limit / max(1, sources.count)).map { connected[$0] }
      let measured = kept.map { source.accuracies[$0] }
      guard Set(measured).count > 1 else { continue }
      let scores = NormalScores(measured)
      rows += zip(kept, measured).map { (number, $0, scores.score($1)) }
    }
    guard rows.count >= 8 else {
      throw PredictorsError(.badSamples, "\(rows.count) samples of other spaces; 8 are needed")
    }
    var order = random.derived("order")
    rows = order.permutation(rows.count).map { rows[$0] }
    let targets = rows.map(\.target)
    let members = try recipe.members.map { member in
      let scaled = sources.indices.map { number in
        scales[number].keeping(isKept).apply(
          sources[number].features, rows: rows.filter { $0.source == number }.map(\.row),
          groups: member.groups)
      }
      var next = sources.map { _ in 0 }
      let points = GroupedFeatures(
        rows.flatMap { row -> ArraySlice<Float> in
          let features = scaled[row.source]
          let start = next[row.source] * features.width
          next[row.source] += 1
          return features.values[start..<start + features.width]
        }, count: rows.count, groups: scaled[rows[0].source].groups)
      return try Self.fit(member, points, targets, recipe)
    }
    self.init(
      recipe: recipe, scale: target.keeping(isKept), scores: NormalScores(targets),
      members: members, targets: targets, disconnected: [])
  }
}
