/// Ranks networks of one population, such as a space, by predicted accuracy.
public struct NetworkRanking: Sendable {
  /// Where a network stands in its population.
  public struct Prediction: Hashable, Sendable {
    /// Orders networks; the population's ranks would be normal scores.
    public var score: Double
    /// Standard deviation of the score, calibrated on spaces that were left out of training.
    public var deviation: Double

    /// The share of the population that is expected to be less accurate, 0...1.
    public var rank: Double { NormalScores.probability(score) }

    /// The interval that holds the true rank with the given probability.
    public func interval(confidence: Double) -> ClosedRange<Double> {
      let reach = deviation * NormalScores.quantile((1 + confidence) / 2)
      return NormalScores.probability(score - reach)...NormalScores.probability(score + reach)
    }
  }

  public let model: NetworkRankingModel
  private let scale: FeatureScale
  /// The population's mean prediction.
  private var centre = 0.0

  /// - Parameter population: networks to measure features by; the tables' own, all spaces together,
  ///   where none are known.
  /// - Throws: `badSamples` where no network of the population reads its input.
  public init(_ model: NetworkRankingModel, population: [ArchitectureEncoding]? = nil) throws {
    try self.init(model, population: population.map { NetworkFeatures($0) })
  }

  init(_ model: NetworkRankingModel, population: NetworkFeatures?) throws {
    self.model = model
    guard let population else {
      scale = model.scale.keeping(model.isKept)
      return
    }
    let connected = population.connectedRows
    guard !connected.isEmpty else {
      throw PredictorsError(.badSamples, "no network of the population reads its input")
    }
    scale = FeatureScale(population, rows: connected).keeping(model.isKept)
    let some = population[Array(connected.prefix(2000))]
    let scores = try predict(some).map(\.score)
    centre = scores.reduce(0, +) / Double(scores.count)
  }

  /// - Complexity: the square of the model's inducing points a network.
  public func predict(_ encodings: [ArchitectureEncoding]) throws -> [Prediction] {
    try predict(NetworkFeatures(encodings))
  }

  func predict(_ features: NetworkFeatures) throws -> [Prediction] {
    // A network that ignores its input is worse than all that don't.
    let worst = Prediction(score: -4, deviation: 0.1)
    var result = Array(repeating: worst, count: features.count)
    let rows = features.connectedRows
    let points = scale.apply(features, rows: rows, groups: model.recipe.groups)
    for (row, (mean, variance)) in zip(rows, try model.process.predict(points)) {
      result[row] = Prediction(
        score: mean - centre, deviation: model.calibration * variance.squareRoot())
    }
    return result
  }
}
