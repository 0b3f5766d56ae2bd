import Architectures
import Predictors
import Searchers

/// What a search raises: the accuracy that a predictor of whatever kind gives, or where nothing is
/// known of a space's accuracies, the rank in the space.
struct SearchAccuracy: ArchitectureScorer {
  private enum Source {
    case genes(AccuracyPredictor)
    case networks(NetworkAccuracyScorer)
    case ranks(NetworkRankingScorer)
  }

  private let source: Source

  /// - Throws: `PredictorsError`; `Failure` for a file that predicts no accuracy.
  init(contentsOf path: String, space: SearchSpace) throws {
    let kind = try PredictorKind(ofFile: path)
    switch kind {
    case .spaceAccuracy:
      source = .genes(try AccuracyPredictor(contentsOf: path, space: space))
    case .networkAccuracy:
      source = .networks(
        NetworkAccuracyScorer(try NetworkAccuracyPredictor(contentsOf: path), space: space))
    case .networkRanking:
      source = .ranks(
        try NetworkRankingScorer(try NetworkRankingModel(contentsOf: path), space: space))
    case .fewShotLatency, .kernelLatency, .lookupTable:
      throw Failure(
        .input, "\(path) is \(kind.text); --accuracy-predictor takes one that predicts accuracy")
    }
  }

  /// Whether scores are accuracies, and not ranks.
  var isAccuracy: Bool {
    if case .ranks = source { return false }
    return true
  }

  /// What to say of a predictor that was made for another space.
  var mismatch: String? {
    if case .genes(let predictor) = source { return predictor.mismatch }
    return nil
  }

  /// What scores are, as plots and tables name it.
  var name: String { isAccuracy ? "predicted top-1 accuracy" : "predicted rank in the space" }

  /// A score as people read it.
  func text(_ score: Double) -> String {
    let percent = Output.percent(score)
    return isAccuracy
      ? "predicted top-1 \(percent) %"
      : "expected to be more accurate than \(percent) % of the space (a rank, no accuracy)"
  }

  func scores(_ genotypes: [Genotype]) throws -> [Double] {
    switch source {
    case .genes(let predictor): try predictor.scores(genotypes)
    case .networks(let scorer): try scorer.scores(genotypes)
    case .ranks(let scorer): try scorer.scores(genotypes)
    }
  }

  /// Whether a predicted accuracy lies beyond what the predictor learned from.
  func isExtrapolated(_ genotype: Genotype) throws -> Bool {
    switch source {
    case .genes(let predictor): try predictor.predict([genotype])[0].isExtrapolation
    case .networks(let scorer): try scorer.isExtrapolated(genotype)
    case .ranks: true
    }
  }
}
