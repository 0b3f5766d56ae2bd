internal import Architectures
import Foundation
internal import Tensors

extension FewShotModel {
  static let format = "swiftlet.few-shot-latency"

  /// Reads a model that `write` wrote.
  /// - Throws: `badPredictor` naming the file and what is wrong with it.
  public init(contentsOf path: String) throws {
    let file: SafeTensors
    do {
      file = try SafeTensors(contentsOf: path)
    } catch let error as TensorError {
      throw PredictorsError(.badPredictor, error.message)
    }
    func fail(_ what: String) -> PredictorsError {
      PredictorsError(.badPredictor, "\(path): \(what)")
    }
    guard file.metadata["format"] == Self.format, file.metadata["version"] == "1" else {
      throw fail("no few-shot latency model of this version")
    }
    guard file.metadata["columns"] == Self.columnsDigest else {
      throw fail(
        "it was trained for another encoding of networks; train it again with 'swiftlet predictor "
          + "train --recipe'")
    }
    func decode<Value: Decodable>(_ key: String) throws -> Value {
      do {
        return try JSONDecoder().decode(Value.self, from: Data((file.metadata[key] ?? "").utf8))
      } catch {
        throw fail("its \(key) can't be read")
      }
    }
    let names: [String] = try decode("devices")
    guard let weights = file.tensors["weights"], let intercepts = file.tensors["intercepts"],
      weights.shape == [names.count, LatencyDataset.columns], intercepts.shape == [names.count]
    else { throw fail("weights of \(names.count) devices are missing or of another shape") }
    let prior: FewShotPrior = try decode("prior")
    guard prior.candidates.count == prior.probabilities.count, !prior.candidates.isEmpty,
      prior.candidates.allSatisfy({
        $0.variances.count == FewShotBasis.groups.count && $0.noise > 0
      })
    else { throw fail("its prior has another form") }
    self.init(
      sources: SourceDevices(
        names: names,
        weights: RowMatrix(
          rows: names.count, columns: LatencyDataset.columns,
          values: weights.array.map(Double.init)),
        intercepts: intercepts.array.map(Double.init)),
      prior: prior, calibration: try decode("calibration"),
      provenance: file.metadata["provenance"] ?? "")
  }

  /// Writes the model; equal models give equal bytes.
  /// - Throws: `TensorError` naming the file.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    func text(_ value: some Encodable) throws -> String {
      String(decoding: try encoder.encode(value), as: UTF8.self)
    }
    let file = SafeTensors(
      tensors: [
        "weights": try Tensor(
          sources.weights.values.map(Float.init),
          shape: [sources.names.count, LatencyDataset.columns]),
        "intercepts": try Tensor(
          sources.intercepts.map(Float.init), shape: [sources.names.count]),
      ],
      metadata: [
        "format": Self.format, "version": "1", "columns": Self.columnsDigest,
        "devices": try text(sources.names), "prior": try text(prior),
        "calibration": try text(calibration), "provenance": provenance,
      ])
    try file.write(to: path)
  }

  /// The meaning of the columns that the weights were fitted to.
  private static let columnsDigest = SHA256.hex(
    ArchitectureEncoding.names[..<LatencyDataset.columns].joined(separator: "\n").utf8)
}
