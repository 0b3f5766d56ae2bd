public import Architectures

/// Ranks a space's architectures without any accuracy of the space: the scorer of a search, and of
/// single predictions.
public struct NetworkRankingScorer: Sendable {
  public let ranking: NetworkRanking
  private let encoder: SpaceEncoder

  /// Architectures drawn from the space that ranks are measured by.
  public static let populationSize = 1000

  /// - Throws: `ArchitecturesError` when a block does not fit, which the space's own check rules out.
  public init(_ model: NetworkRankingModel, space: SearchSpace) throws {
    encoder = SpaceEncoder(space)
    ranking = try NetworkRanking(model, population: encoder.population(Self.populationSize))
  }

  public func predict(_ genotypes: [Genotype]) throws -> [NetworkRanking.Prediction] {
    try ranking.predict(encoder.encodings(genotypes))
  }

  /// The share of the space that is expected to be less accurate, for each genotype, 0...1.
  public func scores(_ genotypes: [Genotype]) throws -> [Double] {
    try predict(genotypes).map(\.rank)
  }
}
