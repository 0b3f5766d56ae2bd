internal import Foundation
internal import Tensors

/// Predicts the accuracy of networks of any origin from their encodings: an ensemble of Gaussian
/// processes on features of the operator graph, with calibrated intervals, and of perceptrons that
/// learn to rank where networks without accuracies are known, too.
///
/// It learns ranks (``NormalScores``); processes are weighted by how well they predict samples that
/// are left out. A network whose result doesn't depend on its input counts as worst.
public struct NetworkAccuracyPredictor: Sendable {
  /// A predicted accuracy and what it is worth.
  public struct Prediction: Sendable, Hashable {
    /// Orders networks; normal scores of the training samples' ranks.
    public var score: Double
    /// Standard deviation of the score, calibrated.
    public var deviation: Double
    /// In the unit of the samples; the middle of the interval for networks that ignore their input.
    public var accuracy: Double
  }

  public let recipe: NetworkAccuracyRecipe
  let scale: FeatureScale
  let scores: NormalScores
  let members: [GaussianProcess]
  let ranking: RankingEnsemble?
  /// How scores are put together; without a ranking, they are the processes'.
  let mix: ScoreMix
  /// Of the members; they add up to 1.
  public let weights: [Double]
  /// Factor on deviations by which intervals hold what they promise on left-out samples.
  public let calibration: Double
  /// Least and greatest accuracy of networks that ignore their input: of such samples, or where
  /// there are none, anything from nothing to the worst sample.
  let disconnected: ClosedRange<Double>
  /// Scores of the samples that were kept to learn from, and what is predicted for each by the
  /// others.
  let targets: [Double]
  let leftOut: [Double]
  /// Samples that were kept to learn from.
  public var samples: Int { targets.count }
  /// Least and greatest accuracy among them.
  public var seen: ClosedRange<Double> { scores.range }
  /// Whether accuracies are per cent.
  public var isPercent: Bool { seen.upperBound > 1 }
  /// How predictions rank samples that are left out, one by one.
  public var leaveOneOut: RankStatistics { RankStatistics(leftOut, targets) }
  /// Each kept sample's accuracy as the others predict it, and as it was measured.
  public var leaveOneOutPoints: [(predicted: Double, measured: Double)] {
    zip(leftOut, targets).map { (scores.value($0), scores.value($1)) }
  }

  init(
    recipe: NetworkAccuracyRecipe, scale: FeatureScale, scores: NormalScores,
    members: [GaussianProcess], ranking: RankingEnsemble? = nil, targets: [Double],
    disconnected: [Double]
  ) {
    self.recipe = recipe
    self.scale = scale
    self.scores = scores
    self.members = members
    self.ranking = ranking
    self.targets = targets
    // Weights by the density that left-out samples have (Yao et al. 2018, equation 9), in units of
    // the square root of their number, which is what chance gives or takes.
    let densities = members.map { member in
      zip(member.leftOut, targets).reduce(0) { sum, pair in
        let (left, target) = pair
        return sum - 0.5
          * ((target - left.mean) * (target - left.mean) / left.variance + log(left.variance))
      }
    }
    let best = densities.max() ?? 0
    let raw = densities.map { exp(($0 - best) / Double(targets.count).squareRoot()) }
    let weights = raw.map { $0 / raw.reduce(0, +) }
    self.weights = weights
    let left = targets.indices.map { row in
      Self.mixture(members.map { $0.leftOut[row] }, weights)
    }
    let mix = ScoreMix(
      left.map(\.mean), ranking?.leftOut, targets: targets, expected: recipe.rankingShare)
    self.mix = mix
    let leftOut = left.indices.map { mix(left[$0].mean, ranking?.leftOut[$0]) }
    self.leftOut = leftOut
    let surprises = left.indices.map {
      abs(targets[$0] - leftOut[$0]) / left[$0].variance.squareRoot()
    }.sorted()
    // Split-conformal form of the quantile (Vovk et al. 2005): one sample more than there are.
    let place = min(surprises.count - 1, Int((0.9 * Double(surprises.count + 1)).rounded(.up)) - 1)
    calibration = max(0.1, surprises[place] / NormalScores.quantile(0.95))
    let low = scores.values.first ?? 0
    self.disconnected =
      disconnected.isEmpty ? min(0, low)...low : disconnected.min()!...disconnected.max()!
  }

  /// The accuracy of each network, in order.
  /// - Parameter withDeviations: costs some ten times as much; all deviations are 0 without.
  public func predict(_ encodings: [ArchitectureEncoding], withDeviations: Bool = true) throws
    -> [Prediction]
  {
    try predict(NetworkFeatures(encodings), withDeviations: withDeviations)
  }

  func predict(_ features: NetworkFeatures, withDeviations: Bool) throws -> [Prediction] {
    let rows = features.connectedRows
    let worst = (scores.scores.first ?? 0) - 3
    let constant = (disconnected.lowerBound + disconnected.upperBound) / 2
    var result = Array(
      repeating: Prediction(score: worst, deviation: 0, accuracy: constant), count: features.count)
    let parts = try zip(recipe.members, members).map { description, member in
      try member.predict(
        scale.apply(features, rows: rows, groups: description.groups),
        withVariances: withDeviations)
    }
    let ranks = try ranking?.scores(scale.apply(features, rows: rows, groups: recipe.groups))
    for (position, row) in rows.enumerated() {
      let (mean, variance) = Self.mixture(parts.map { $0[position] }, weights)
      let score = mix(mean, ranks?[position])
      result[row] = Prediction(
        score: score, deviation: withDeviations ? calibration * variance.squareRoot() : 0,
        accuracy: scores.value(score))
    }
    return result
  }

  /// The interval that holds the accuracy of a network with the given probability.
  public func interval(_ prediction: Prediction, confidence: Double) -> ClosedRange<Double> {
    guard prediction.deviation > 0 else { return disconnected }
    let reach = prediction.deviation * NormalScores.quantile((1 + confidence) / 2)
    return scores.value(prediction.score - reach)...scores.value(prediction.score + reach)
  }

  private static func mixture(_ parts: [(mean: Double, variance: Double)], _ weights: [Double])
    -> (mean: Double, variance: Double)
  {
    let mean = zip(parts, weights).reduce(0) { $0 + $1.1 * $1.0.mean }
    let square = zip(parts, weights).reduce(0) {
      $0 + $1.1 * ($1.0.variance + $1.0.mean * $1.0.mean)
    }
    return (mean, max(square - mean * mean, 1e-12))
  }
}
