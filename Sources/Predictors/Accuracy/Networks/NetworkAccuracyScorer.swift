public import Architectures

/// A predictor of any networks' accuracy as the scorer of a search over one space.
public struct NetworkAccuracyScorer: Sendable {
  public let predictor: NetworkAccuracyPredictor
  private let encoder: SpaceEncoder
  /// 100 where the predictor's samples were in per cent.
  private let unit: Double

  public init(_ predictor: NetworkAccuracyPredictor, space: SearchSpace) {
    self.predictor = predictor
    encoder = SpaceEncoder(space)
    unit = predictor.isPercent ? 100 : 1
  }

  /// The accuracy of each genotype, in order, 0...1 but for what is extrapolated. Bits don't depend
  /// on which other genotypes are asked for.
  /// - Throws: `ArchitecturesError` when a block does not fit, which the space's own check rules out.
  public func scores(_ genotypes: [Genotype]) throws -> [Double] {
    try predictor.predict(encoder.encodings(genotypes), withDeviations: false)
      .map { $0.accuracy / unit }
  }

  /// Whether the predicted accuracy is above or below all that the predictor learned from.
  public func isExtrapolated(_ genotype: Genotype) throws -> Bool {
    let accuracy = try scores([genotype])[0] * unit
    return !predictor.seen.contains(accuracy)
  }
}
