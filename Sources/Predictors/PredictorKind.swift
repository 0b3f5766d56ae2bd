import Foundation
internal import Tensors

/// The kinds of predictors that files hold. A file says itself what it is.
public enum PredictorKind: Sendable, CaseIterable {
  /// Accuracy of one space's architectures, from their genes.
  case spaceAccuracy
  /// Accuracy of any networks, from measured ones.
  case networkAccuracy
  /// Ranks of any networks, learned in other spaces.
  case networkRanking
  /// What the few-shot latency predictor knows of devices before it has samples.
  case fewShotLatency
  /// Latency of any networks, by kernels.
  case kernelLatency
  /// Latencies of blocks.
  case lookupTable

  /// What a file says it is.
  /// - Throws: `badPredictor` for a file that is none of them, naming it.
  public init(ofFile path: String) throws {
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw PredictorsError(.badPredictor, "\(path): cannot be read")
    }
    let first = try? file.read(upToCount: 1)
    try? file.close()
    // Lookup tables are JSON objects; what is in them they check themselves.
    if first == Data("{".utf8) {
      self = .lookupTable
      return
    }
    let content = try PredictorFile(contentsOf: path).content
    if PublishedAccuracyPredictor(recognising: content) != nil {
      self = .spaceAccuracy
      return
    }
    let format = content.metadata["format"]
    guard let kind = Self.allCases.first(where: { $0.format != nil && $0.format == format }) else {
      throw PredictorsError(
        .badPredictor,
        "\(path): no predictor" + (format.map { "; it calls itself '\($0)'" } ?? ""))
    }
    self = kind
  }

  private var format: String? {
    switch self {
    case .spaceAccuracy: AccuracyPredictor.format
    case .networkAccuracy: NetworkAccuracyPredictor.format
    case .networkRanking: NetworkRankingModel.format
    case .fewShotLatency: FewShotModel.format
    case .kernelLatency: KernelPredictor.format
    case .lookupTable: nil
    }
  }

  /// As messages say it.
  public var text: String {
    switch self {
    case .spaceAccuracy: "an accuracy predictor of one space"
    case .networkAccuracy: "an accuracy predictor of any networks"
    case .networkRanking: "a model that ranks any networks by accuracy"
    case .fewShotLatency: "a few-shot latency model"
    case .kernelLatency: "a kernel-level latency predictor"
    case .lookupTable: "a lookup table"
    }
  }

  public var predictsLatency: Bool {
    switch self {
    case .fewShotLatency, .kernelLatency, .lookupTable: true
    case .spaceAccuracy, .networkAccuracy, .networkRanking: false
    }
  }
}
