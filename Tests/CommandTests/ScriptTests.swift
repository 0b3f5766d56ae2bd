import Foundation
import Testing

/// The Makefile and the setup script, in a folder with stand-ins for what they call.
struct ScriptTests {
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "swiftlet-scripts-\(UUID().uuidString)")
    for part in ["Scripts", "bin", "workers", "Tests/peers", ".venv/bin"] {
      try FileManager.default.createDirectory(
        at: folder.appending(path: part), withIntermediateDirectories: true)
    }
    for name in ["workers/requirements.txt", "Tests/peers/requirements-no-deps.txt"] {
      try Data().write(to: folder.appending(path: name))
    }
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  func script(_ path: String, _ text: String) throws {
    let file = folder.appending(path: path)
    try "#!/bin/sh\n\(text)\n".write(to: file, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
  }

  func copy(_ name: String) throws {
    try FileManager.default.copyItem(
      at: Self.root.appending(path: name), to: folder.appending(path: name))
  }

  /// Runs a line of shell there, with `bin` first on the path; both outputs in one. A make there is no
  /// part of the one that may be running the tests.
  func shell(_ line: String) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    let path = "PATH=\"$PWD/bin:$PATH\""
    process.arguments = ["-c", "unset MAKEFLAGS MAKELEVEL; \(path); { \(line); } 2>&1"]
    process.currentDirectoryURL = folder
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  @Test func aFailedBuildEndsTheSearch() throws {
    defer { remove() }
    try copy("Makefile")
    try script("Scripts/setup.sh", "")
    try script("Scripts/search.sh", "echo searching")
    try script("bin/swift", "echo chatter; exit 0")
    let good = try shell("make search")
    #expect(good.status == 0)
    let notice = "building swiftlet; this takes minutes the first time\n"
    #expect(good.output == notice + "searching\n")
    try script("bin/swift", "echo 'error: no such thing'; exit 1")
    let bad = try shell("make search")
    #expect(bad.status == 2)
    #expect(bad.output.hasPrefix(notice + "error: no such thing\n"))
    #expect(!bad.output.contains("searching"))
  }

  @Test(arguments: [
    ("echo 'Swift version 6.1.3 (swift-6.1.3-RELEASE)'", "Swift 6.1.3 on the PATH is too old"),
    ("exit 1", "Swift of unknown version on the PATH is too old"),
  ])
  func anOldSwiftIsNamed(swift: String, message: String) throws {
    defer { remove() }
    try copy("Scripts/setup.sh")
    try script("bin/swift", swift)
    let result = try shell("Scripts/setup.sh search")
    #expect(result.status == 69)
    #expect(result.output == "setup: \(message); install 6.2 or newer from swift.org\n")
  }

  @Test func anEnvironmentWithoutPipIsMadeAnew() throws {
    defer { remove() }
    try copy("Scripts/setup.sh")
    try script("bin/swift", "echo 'Apple Swift version 6.10 (swiftlang-6.10)'")
    try script(".venv/bin/python", "exit 1")
    let result = try shell("Scripts/setup.sh search && .venv/bin/python -m pip --version")
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output.contains("pip "))
  }

  /// As an upgrade of the system leaves it: made for a Python that is gone, or that is older.
  @Test func anEnvironmentOfAnotherPythonIsMadeAnew() throws {
    defer { remove() }
    try copy("Scripts/setup.sh")
    try script("bin/swift", "echo 'Apple Swift version 6.10 (swiftlang-6.10)'")
    try script(".venv/bin/python", "echo Python 2.7")
    let version = try shell("python3 --version").output
    let check = "Scripts/setup.sh search 2>/dev/null && .venv/bin/python --version"
    #expect(try shell(check).output == version)
    #expect(try shell("ln -sf /gone .venv/bin/python; \(check)").output == version)
  }

  @Test func aFailedMeasurementEndsTheSearch() throws {
    defer { remove() }
    try copy("Scripts/search.sh")
    try FileManager.default.createDirectory(
      at: folder.appending(path: ".build/release"), withIntermediateDirectories: true)
    try script(
      ".build/release/swiftlet", "[ $1 = measure ] || exit 0; echo error: no worker >&2; exit 69")
    try script(".venv/bin/python", "exec python3 \"$@\"")
    let result = try shell("Scripts/search.sh")
    #expect(result.status == 69)
    #expect(result.output == "error: no worker\n")
  }
}
