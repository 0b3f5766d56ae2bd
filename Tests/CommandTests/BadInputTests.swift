import Foundation
import Testing

/// Whatever is wrong with the input: one line that names it, and the exit status of its kind.
struct BadInputTests {
  @Test(arguments: [
    (["describe", "nosuch:r1"], 65, "no search space 'nosuch'; known: "),
    (["describe", "nosuch.onnx"], 65, "nosuch.onnx"),
    (["describe", "neither"], 65, "neither an ONNX file that exists nor an id"),
    (["describe", "nasbench201:c1-c1_c1-c1_c1_c9"], 65, "'c9' is no choice"),
    (["space", "show", "typo.yaml"], 65, "typo.yaml:5: unknown key 'kernal'"),
    (["space", "sample", "nasbench201", "-n", "20000"], 64, "holds only 15625"),
    (["measure", "nasbench201:c1-c1_c1-c1_c1_c1", "--device", "ghost"], 69, "ghost"),
    (["device", "add", "bad", "--worker", "/nonexistent/worker"], 69, "/nonexistent/worker"),
    (["device", "add", "bad", "--worker", "cat"], 1, "names no 'runtime'"),
    (["device", "add", "bad", "--threads", "0", "--no-check"], 64, "threads"),
    (["kernels", "measure", "--device", "d", "-n", "3", "--vary", "1"], 64, "-n of 40 or more"),
    (["device", "add", "..", "--no-check"], 64, "a name is not of dots alone"),
    (["samples", "export", "--device", "ghost", "-o", "zero.csv"], 69, "unknown device 'ghost'"),
    (["samples", "remove", "--device", "ghost"], 69, "unknown device 'ghost'"),
    (["samples", "import", "zero.csv", "--device", "d"], 65, "zero.csv:3"),
    (["samples", "import", "columns.csv", "--device", "d"], 65, "columns.csv:1"),
    (["samples", "import", "nosuch.csv"], 65, "nosuch.csv"),
    (["study", "resume", "ghost"], 65, "ghost"),
    (
      [
        "predict", "latency", "--device", "ghost",
        "ofa-mobilenetv3:r176-k3e4_k5e6-k7e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3",
      ], 69, "unknown device 'ghost'"
    ),
    (
      ["predictor", "adapt", "--device", "d", "--samples", "other.csv"], 65,
      "its samples are of 'phone' (column 'device'), none of 'd'; say --device phone"
    ),
    (
      [
        "predictor", "evaluate", "--space", "nasbench201", "--table", "none.json", "--samples",
        "empty.csv",
      ], 65, "empty.csv:1: the file has no samples"
    ),
    (
      [
        "table", "calibrate", "none.json", "--space", "nasbench201", "--samples", "other.csv",
        "--device", "d",
      ], 65, "other.csv: 0 samples of nasbench201 on 'd'"
    ),
    (
      ["predict", "latency", "nasbench201:c3-c3_c3-c3_c3_c3", "--device", "d"], 69,
      "no lookup table of nasbench201 for 'd'; measure one with: swiftlet table build"
    ),
    (
      [
        "search", "--space", "nasbench201", "--device", "d", "--latency-budget", "3ms",
        "--no-measure",
      ], 69, "no lookup table of nasbench201 for 'd'"
    ),
    (
      ["search", "--space", "ofa-mobilenetv3", "--device", "d", "--latency-budget", "25"], 64,
      "with its unit"
    ),
    (
      [
        "table", "import", "typo.yaml", "--format", "ofa", "--space", "fbnet", "--device", "d",
        "-o", "t.csv",
      ], 65, "typo.yaml"
    ),
  ])
  func isNamedInOneLine(arguments: [String], status: Int32, message: String) throws {
    let command = try Command()
    defer { command.remove() }
    try """
    schema: 1
    name: typo
    resolution: 32
    layers:
      - conv: {name: a, kernal: 3, out: 8}
    """.write(toFile: command.path("typo.yaml"), atomically: true, encoding: .utf8)
    try "id,latency_ms\na,1.5\nb,0\n"
      .write(toFile: command.path("zero.csv"), atomically: true, encoding: .utf8)
    try "id,latency\na,1.5\n"
      .write(toFile: command.path("columns.csv"), atomically: true, encoding: .utf8)
    try "id,latency_ms,device\nnasbench201:c3-c3_c3-c3_c3_c3,1.5,phone\n"
      .write(toFile: command.path("other.csv"), atomically: true, encoding: .utf8)
    try "id,latency_ms\n"
      .write(toFile: command.path("empty.csv"), atomically: true, encoding: .utf8)
    let result = try command.run(arguments)
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(result.status == status, "\(result.errors)")
    #expect(result.output.isEmpty)
    #expect(result.errors.split(separator: "\n").count { $0.contains("rror: ") } == 1)
  }

  @Test func aFullDiskLeavesNothingBehind() throws {
    let command = try Command()
    defer { command.remove() }
    // A limit on file sizes acts like a disk that is full.
    let result = try command.run(
      "export", "nasbench201:c3-c3_c3-c3_c3_c3", "-o", "net.onnx", prefix: "ulimit -f 64;")
    #expect(result.status == 1)
    #expect(result.errors.contains("net.onnx"), "\(result.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: command.folder.path).isEmpty)
  }

  @Test func aStoreOfANewerSchemaIsRefused() throws {
    let command = try Command()
    defer { command.remove() }
    #expect(try command.run("device", "add", "d", "--no-check").status == 0)
    let sqlite = Process()
    sqlite.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    sqlite.arguments = [
      "python3", "-c",
      "import sqlite3; c = sqlite3.connect('.swiftlet/store.sqlite'); "
        + "c.execute(\"insert into grdb_migrations values ('v999')\"); c.commit()",
    ]
    sqlite.currentDirectoryURL = command.folder
    try sqlite.run()
    sqlite.waitUntilExit()
    #expect(sqlite.terminationStatus == 0)
    let result = try command.run("device", "list")
    #expect(result.status != 0)
    #expect(result.errors.contains("newer"), "\(result.errors)")
  }
}
