public import Architectures
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
    try AtomicFile.replace(
      url, with: encode(graph, weights: weights, metadata: metadata, batch: batch))
  }
}
