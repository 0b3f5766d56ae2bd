public import Architectures
internal import Files
public import Foundation

/// Reads and writes ONNX models.
public enum ONNXFile {
  /// The bytes of an ONNX file that holds `graph` with weights from `weights`.
  ///
  /// - Parameter batch: batch size to fix in inputs and shapes; `nil` leaves the graph's own.
  /// - Throws: `ONNXFormatError`, or `ArchitecturesError` when the batch size does not fit.
  public static func encode(
    _ graph: OperatorGraph, weights: any WeightSource, metadata: ONNXMetadata = ONNXMetadata(),
    batch: Int? = nil
  ) throws -> [UInt8] {
    let graph = try batch.map { try graph.withBatch($0) } ?? graph
    return try ModelEncoder(graph: graph, weights: weights, metadata: metadata).bytes()
  }

  /// Writes `graph` to `url`, which appears whole or not at all.
  ///
  /// - Parameter batch: batch size to fix in inputs and shapes; `nil` leaves the graph's own.
  /// - Throws: `ONNXFormatError`, or `ArchitecturesError` when the batch size does not fit.
  public static func write(
    _ graph: OperatorGraph, weights: any WeightSource, metadata: ONNXMetadata = ONNXMetadata(),
    batch: Int? = nil, to url: URL
  ) throws {
    let bytes = try encode(graph, weights: weights, metadata: metadata, batch: batch)
    do {
      try AtomicFile.replace(url.path, with: bytes)
    } catch {
      throw ONNXFormatError(.unwritable, "\(error)")
    }
  }

  /// Reads the model in `url`. Weights stay in the file until they are asked for.
  ///
  /// - Throws: `ONNXFormatError`, one line that begins with the file's path.
  public static func read(_ url: URL) throws -> ONNXModel {
    do {
      return try ModelReader(file: FileBytes(url), name: url.lastPathComponent).model()
    } catch let error as ONNXFormatError {
      throw ONNXFormatError(error.code, "\(url.path): \(error.message)")
    }
  }

  /// Reads a model from the bytes of an ONNX file.
  public static func decode(_ bytes: [UInt8]) throws -> ONNXModel {
    try ModelReader(file: FileBytes(bytes), name: "bytes").model()
  }
}
