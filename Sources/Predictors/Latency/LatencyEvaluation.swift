public import Architectures

/// Predicted against measured latencies, for tables and JSON.
public struct LatencyEvaluation: Codable, Equatable, Sendable {
  public var samples: Int
  public var errors: ErrorStatistics
  public var ranks: RankStatistics

  /// - Throws: `badSamples` if there are none, or a measured latency isn't above zero.
  public init(predicted: [Milliseconds], measured: [Milliseconds]) throws {
    guard !measured.isEmpty, measured.count == predicted.count,
      measured.allSatisfy({ $0.value > 0 && $0.value.isFinite })
    else {
      throw PredictorsError(
        .badSamples, "an evaluation needs measured latencies above zero, one for each prediction")
    }
    samples = measured.count
    errors = ErrorStatistics(predicted.map(\.value), measured.map(\.value))
    ranks = RankStatistics(predicted.map(\.value), measured.map(\.value))
  }
}
