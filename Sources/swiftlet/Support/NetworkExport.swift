import Architectures
import Devices
import Foundation
import ONNXFormat

/// Networks as files for a worker: written to a temporary folder, one at a time.
final class NetworkExport {
  private let folder: URL
  private let batch: Int

  init(batch: Int) throws {
    self.batch = batch
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("swiftlet-\(UUID().uuidString)")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    } catch {
      throw Failure(.failed, "\(folder.path): can't be made (\(error.localizedDescription))")
    }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Writes `graph` with seeded weights and names the file for the worker. Each call overwrites
  /// the file before: a worker has read it when it answers `load`.
  func source(_ graph: OperatorGraph) throws -> NetworkSource {
    let url = folder.appendingPathComponent("network.onnx")
    try ONNXFile.write(graph, weights: HeInitialization(seed: 0), batch: batch, to: url)
    return .path(url.path)
  }
}

extension OperatorGraph {
  /// What makes two networks the same: a digest of the canonical text.
  var digest: String { ArchitectureText(self).digest }
}
