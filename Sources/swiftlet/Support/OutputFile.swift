import Foundation

/// Files that the command writes: they appear whole or not at all.
enum OutputFile {
  static func write(_ text: String, to path: String) throws {
    try write(Data(text.utf8), to: path)
  }

  static func write(_ data: Data, to path: String) throws {
    let url = URL(fileURLWithPath: path)
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      // Written beside the file and renamed.
      try data.write(to: url, options: .atomic)
    } catch {
      throw Failure(.failed, "\(path): can't be written (\(error.localizedDescription))")
    }
  }
}
