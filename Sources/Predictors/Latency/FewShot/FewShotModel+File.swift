internal import Architectures
import Foundation
internal import Tensors

extension FewShotModel {
  static let format = "swiftlet.few-shot-latency"

  /// Reads a model that `write` wrote.
  /// - Throws: `badPredictor` naming the file and what is wrong with it.
  public init(contentsOf path: String) throws {
    let file = try PredictorFile(
      contentsOf: path, format: Self.format, what: "few-shot latency model")
    let content = file.content
    guard content.metadata["columns"] == Self.columnsDigest else {
      throw file.failure(
        "it was trained for another encoding of networks; train it again with 'swiftlet predictor "
          + "train --recipe'")
    }
    let names: [String] = try file.decode("devices")
    guard let weights = content.tensors["weights"], let intercepts = content.tensors["intercepts"],
      weights.shape == [names.count, LatencyDataset.columns], intercepts.shape == [names.count]
    else { throw file.failure("weights of \(names.count) devices are missing or of another shape") }
    let prior: FewShotPrior = try file.decode("prior")
    guard prior.candidates.count == prior.probabilities.count, !prior.candidates.isEmpty,
      prior.candidates.allSatisfy({
        $0.variances.count == FewShotBasis.groups.count && $0.noise > 0
      })
    else { throw file.failure("its prior has another form") }
    self.init(
      sources: SourceDevices(
        names: names,
        weights: RowMatrix(
          rows: names.count, columns: LatencyDataset.columns,
          values: weights.array.map(Double.init)),
        intercepts: intercepts.array.map(Double.init)),
      prior: prior, calibration: try file.decode("calibration"),
      provenance: content.metadata["provenance"] ?? "")
  }

  /// Writes the model; equal models give equal bytes.
  /// - Throws: `failed` naming the file.
  public func write(to path: String) throws {
    let file = SafeTensors(
      tensors: [
        "weights": try Tensor(
          sources.weights.values.map(Float.init),
          shape: [sources.names.count, LatencyDataset.columns]),
        "intercepts": try Tensor(
          sources.intercepts.map(Float.init), shape: [sources.names.count]),
      ],
      metadata: [
        "columns": Self.columnsDigest, "devices": try PredictorFile.encode(sources.names),
        "prior": try PredictorFile.encode(prior),
        "calibration": try PredictorFile.encode(calibration), "provenance": provenance,
      ])
    try PredictorFile.write(file, format: Self.format, to: path)
  }

  /// The meaning of the columns that the weights were fitted to.
  private static let columnsDigest = SHA256.hex(
    ArchitectureEncoding.names[..<LatencyDataset.columns].joined(separator: "\n").utf8)
}
