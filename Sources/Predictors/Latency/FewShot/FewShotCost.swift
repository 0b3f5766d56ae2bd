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

  /// Milliseconds.
  public func cost(_ genotype: Genotype) throws -> Double {
    if let blocks { return predictor.latency(ofShares: blocks(genotype)) }
    let encoding = try encoder.encode(genotype)
    guard let confidence else { return predictor.latency(encoding).value }
    return predictor.upperBound(encoding, confidence: confidence).value
  }
}
