import Foundation
import Networks
import Testing

/// A committed file under `Goldens`.
func golden(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Goldens/\(name)").path
}

/// Runs `body` with a new empty folder and removes it afterwards.
func withTemporaryFolder<Value>(_ body: (String) throws -> Value) throws -> Value {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("networks-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

func write(_ bytes: [UInt8], to path: String) throws {
  let url = URL(fileURLWithPath: path)
  try FileManager.default.createDirectory(
    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
  try Data(bytes).write(to: url)
}

/// An executable of this package; it stands beside the test bundle.
func builtProduct(_ name: String) -> URL {
  let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
  let executable = URL(fileURLWithPath: CommandLine.arguments[0])
  return (bundle ?? executable).deletingLastPathComponent().appendingPathComponent(name)
}

/// Output of a script in Tests/peers; a status other than 0 is a failure with the script's words.
func runPeer(_ script: String, _ arguments: [String]) throws -> String {
  let python = try #require(
    ProcessInfo.processInfo.environment["SWIFTLET_PYTHON"],
    "set SWIFTLET_PYTHON to a Python that has torch and safetensors (make test does)")
  let process = Process()
  let pipe = Pipe()
  process.executableURL = URL(fileURLWithPath: python)
  process.arguments = [
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("peers/\(script)").path
  ]
  process.arguments? += arguments
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
  process.waitUntilExit()
  #expect(process.terminationStatus == 0, "\(script): \(text)")
  return text
}
