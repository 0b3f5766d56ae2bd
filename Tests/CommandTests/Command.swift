import Foundation

/// The built command, run as a user runs it, in a folder of its own.
struct Command {
  struct Result {
    var status: Int32
    var output: String
    var errors: String

    /// The one JSON object on stdout.
    var json: [String: Any] {
      (try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]) ?? [:]
    }
  }

  /// The folder the tests were built into, where the command is too.
  static let binary = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("swiftlet").path

  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("swiftlet-command-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// Starts the command; `prefix` goes before it in a shell, such as `ulimit -f 8;`.
  func start(_ arguments: [String], prefix: String = "") throws -> (Process, Pipe, Pipe) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "\(prefix) exec \"$0\" \"$@\"", Self.binary] + arguments
    process.currentDirectoryURL = folder
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return (process, output, errors)
  }

  func run(_ arguments: String..., prefix: String = "") throws -> Result {
    try run(arguments, prefix: prefix)
  }

  func run(_ arguments: [String], prefix: String = "") throws -> Result {
    let (process, output, errors) = try start(arguments, prefix: prefix)
    // Both pipes are read at once, so that neither fills up and blocks the command.
    nonisolated(unsafe) var errorData = Data()
    let group = DispatchGroup()
    DispatchQueue.global().async(group: group) {
      errorData = errors.fileHandleForReading.readDataToEndOfFile()
    }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    group.wait()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: String(decoding: data, as: UTF8.self),
      errors: String(decoding: errorData, as: UTF8.self))
  }
}
