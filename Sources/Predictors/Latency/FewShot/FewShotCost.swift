public import Architectures

/// A few-shot predictor as the cost of a search over one space.
public struct FewShotCost: Sendable {
  public let predictor: FewShotPredictor
  /// The probability with which the measured latency is to be below the cost; `nil` for the mean.
  public let confidence: Double?
  private let encoder: SpaceEncoder
  /// The mean as a sum over blocks; `nil` in cell spaces, where dead operators depend on the whole.
  private let blocks: SeparableCost?

  /// - Throws: `ArchitecturesError` when a block of the space does not fit.
  public init(_ predictor: FewShotPredictor, encoder: SpaceEncoder, confidence: Double? = nil)
    throws
  {
    self.predictor = predictor
    self.encoder = encoder
    self.confidence = confidence
    let isStaged = encoder.space.isStaged
    blocks =
      isStaged && confidence == nil
      ? try SeparableCost(space: encoder.space) { block in
        .cost(predictor.share(of: try encoder.encoder.part(block.unit).encoding))
      } : nil
  }

  /// Milliseconds that the budget is kept by: the mean, or what `confidence` asks for.
  public func cost(_ genotype: Genotype) throws -> Double {
    guard let confidence else { return try mean(genotype) }
    return predictor.upperBound(try encoder.encode(genotype), confidence: confidence).value
  }

  /// The latency that is expected, in milliseconds.
  public func mean(_ genotype: Genotype) throws -> Double {
    if let blocks { return predictor.latency(ofShares: blocks(genotype)) }
    return predictor.latency(try encoder.encode(genotype)).value
  }
}
