import Foundation
import Testing

/// Runs this project's Python checks in the interpreter that `SWIFTLET_PYTHON` names.
enum Peer {
  static let scripts = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "peers")

  /// Output of a script; a status other than 0 is a failure with the script's own words.
  static func run(_ script: String, _ arguments: [String]) throws -> String {
    let python = try #require(
      ProcessInfo.processInfo.environment["SWIFTLET_PYTHON"],
      "set SWIFTLET_PYTHON to a Python that has onnx and onnxruntime (make test does)")
    let process = Process()
    process.executableURL = URL(filePath: python)
    process.arguments = [scripts.appending(path: script).path] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let text = String(decoding: output, as: UTF8.self)
    #expect(process.terminationStatus == 0, "\(script): \(text)")
    return text
  }

  /// Runs `body` with a folder that is gone afterwards.
  static func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "swiftlet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}
