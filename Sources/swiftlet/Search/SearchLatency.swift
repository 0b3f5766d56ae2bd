import Architectures
import Devices
import Predictors
import Searchers
import Store

/// Makes the cost model of a search from what its spec names.
enum SearchLatency {
  /// - Throws: `Failure` for a file that predicts no latency.
  static func model(_ spec: SearchSpec, _ space: SearchSpace) throws -> any CostModel {
    if let samples = spec.samples { return try fewShot(spec, samples, space) }
    let kind = try PredictorKind(ofFile: spec.latencyFile)
    switch kind {
    case .lookupTable:
      let table = try LookupTable(path: spec.latencyFile)
      // A table knows the classes that the space's file names; a supernet may have others, whose
      // classifier the search corrects with everything else that it measures.
      return try (try? LookupTablePredictor(space: space, table: table))
        ?? LookupTablePredictor(space: SpaceCatalog.standard.space(spec.space), table: table)
    case .kernelLatency:
      return try KernelCost(try KernelPredictor(contentsOf: spec.latencyFile), space: space)
    case .fewShotLatency, .spaceAccuracy, .networkAccuracy, .networkRanking:
      throw Failure(.input, "\(spec.latencyFile) is \(kind.text), which has no latencies by itself")
    }
  }

  private static func fewShot(
    _ spec: SearchSpec, _ samples: [MeasuredNetwork], _ space: SearchSpace
  ) throws -> any CostModel {
    let adaptation = try FewShotAdaptation(
      device: spec.device,
      samples: samples.map {
        Sample(
          id: $0.id, space: String($0.id.prefix { $0 != ":" }), network: $0.network,
          device: spec.device, latencyMedian: Milliseconds($0.latencyMs))
      }, modelPath: spec.latencyFile.isEmpty ? nil : spec.latencyFile, questions: [space],
      quiet: true)
    return try FewShotCost(
      try adaptation.predictor(), encoder: adaptation.encoder(of: space),
      confidence: spec.confidence)
  }
}
