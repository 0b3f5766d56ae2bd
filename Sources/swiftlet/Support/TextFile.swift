import Foundation

/// Text files, compressed ones too.
enum TextFile {
  /// The text of the file at `path`, or of `path.gz` by the system's gzip; `nil` if there is neither.
  static func read(_ path: String) throws -> String? {
    let isPacked = path.hasSuffix(".gz")
    if !isPacked, let data = FileManager.default.contents(atPath: path) {
      return try text(data, path)
    }
    let packed = isPacked ? path : path + ".gz"
    guard FileManager.default.fileExists(atPath: packed) else { return nil }
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", packed]
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
      throw Failure(.unavailable, "\(packed): gzip can't be run (\(error.localizedDescription))")
    }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(.input, "\(packed): gzip can't unpack it")
    }
    return try text(data, packed)
  }

  private static func text(_ data: Data, _ path: String) throws -> String {
    guard let text = String(data: data, encoding: .utf8) else {
      throw Failure(.input, "\(path): no UTF-8 text")
    }
    return text
  }
}
