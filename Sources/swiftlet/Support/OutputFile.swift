import Files
import Foundation

/// Files that the command writes: they appear whole or not at all.
enum OutputFile {
  static func write(_ text: String, to path: String) throws {
    try write(Data(text.utf8), to: path)
  }

  /// Makes the folder that `path` is in.
  static func makeFolder(of path: String) throws {
    do {
      try FileManager.default.createDirectory(
        at: URL(fileURLWithPath: path).deletingLastPathComponent(),
        withIntermediateDirectories: true)
    } catch {
      throw Failure(.failed, "\(path): can't be written (\(error.localizedDescription))")
    }
  }

  static func write(_ data: Data, to path: String) throws {
    try makeFolder(of: path)
    do {
      try AtomicFile.replace(path, with: data)
    } catch {
      throw Failure(.failed, "\(error)")
    }
  }
}
