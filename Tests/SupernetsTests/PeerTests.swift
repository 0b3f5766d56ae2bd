import Foundation
import Testing

/// Runs this project's Python checks in the interpreter that `SWIFTLET_PYTHON` names.
@Suite(.serialized) struct PeerTests {
  /// The published package's networks: Tests/peers/ofa_equality.py says what is compared.
  @Test func supernetsEqualTheOFAPackage() throws {
    try run("ofa_equality.py", "--subnets", "2", "--seed", "1", "--probe", product("SupernetProbe"))
  }

  /// Training, killing, evaluating, exporting and refusing from outside.
  @Test func commandsDoWhatTheySay() throws {
    try run("supernet_command.py", product("swiftlet"))
  }

  private func product(_ name: String) -> String {
    // Tests run from the folder that holds the products.
    URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appending(path: name).path
  }

  private func run(_ script: String, _ arguments: String...) throws {
    let python = try #require(
      ProcessInfo.processInfo.environment["SWIFTLET_PYTHON"],
      "set SWIFTLET_PYTHON to a Python with Tests/peers/requirements.txt (make test does)")
    let process = Process()
    process.executableURL = URL(filePath: python)
    process.arguments = ["Tests/peers/\(script)"] + arguments
    process.currentDirectoryURL = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(
      decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(script): \(output)")
  }
}
