import Foundation

/// A file that the user named.
enum InputFile {
  /// - Throws: a failure of bad input naming the file, also beyond 64 MiB.
  static func text(_ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path), data.count <= 64 << 20,
      let text = String(data: data, encoding: .utf8)
    else { throw Failure(.input, "\(path): cannot be read as text of at most 64 MiB") }
    return text
  }
}
