import Foundation
import Testing

struct MeasureTests {
  /// Every sample is kept as it is taken: a killed run goes on, and measures nothing twice.
  @Test func aKilledMeasurementGoesOn() throws {
    let command = try Command()
    defer { command.remove() }
    #expect(try command.run("device", "add", "here").status == 0)
    let arguments = ["measure", "--space", "nasbench201", "-n", "12", "--device", "here", "--json"]
    let (process, _, _) = try command.start(arguments)
    for _ in 0..<600 where try samples(command) < 2 { Thread.sleep(forTimeInterval: 0.1) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(try samples(command) >= 2)
    // Others are tried again.
    let before = try samples(command, onlyStable: true)
    let result = try command.run(arguments)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try #require(result.json["known"] as? Int) >= before)
    #expect((result.json["samples"] as? [Any])?.count == 12)
    let csv = try command.run("samples", "export", "--device", "here").output
    #expect(csv.split(separator: "\n").count == 13)
    // What was exported comes in elsewhere, and is the same.
    try csv.write(toFile: command.path("samples.csv"), atomically: true, encoding: .utf8)
    let elsewhere = try Command()
    defer { elsewhere.remove() }
    #expect(try elsewhere.run("samples", "import", command.path("samples.csv")).status == 0)
    #expect(try elsewhere.run("samples", "export").output == csv)
  }

  private func samples(_ command: Command, onlyStable: Bool = false) throws -> Int {
    let list = try command.run("samples", "list", "--json").json["samples"] as? [[String: Any]]
    return list?.count { !onlyStable || $0["stable"] as? Bool == true } ?? 0
  }

  /// Speaks the worker protocol without a reference network, and refuses the n-th network of each run.
  private static let worker = """
    import json, sys
    loads = 0
    for line in sys.stdin:
        q = json.loads(line)
        def say(kind, **more):
            print(json.dumps(dict(more, type=kind, request=q["request"])), flush=True)
        if q["type"] == "hello":
            say("hello", protocol=1, runtime="fake", runtimeVersion="1", cpu="none", cpuCount=1)
        elif q["type"] == "load":
            loads += "path" in q
            if "path" in q and loads != int(sys.argv[1]):
                say("loaded", network=loads, inputs=[], cpus=[])
            else:
                say("error", code="bad-network", message="no such operator")
        elif q["type"] == "measure":
            say("measured", times=[1.0] * min(q["repeats"], 20), warmUp=0)
        elif q["type"] == "unload":
            say("unloaded")
        else:
            say("bye")
            break
    """

  private func addDevice(_ command: Command, refusing number: Int) throws {
    try Self.worker.write(toFile: command.path("worker.py"), atomically: true, encoding: .utf8)
    let added = try command.run(
      "device", "add", "here", "--worker", "python3 worker.py \(number)")
    #expect(added.status == 0, "\(added.errors)")
  }

  @Test func aRefusedNetworkIsNamedOnceTheOthersAreMeasured() throws {
    let command = try Command()
    defer { command.remove() }
    try addDevice(command, refusing: 2)
    let arguments = ["measure", "--space", "nasbench201", "-n", "3", "--device", "here", "--json"]
    let first = try command.run(arguments)
    #expect(first.status == 65)
    #expect(first.errors.contains("note: nasbench201:"), "\(first.errors)")
    #expect(first.errors.contains("error: 1 of 3 networks cannot run on 'here'"))
    #expect(first.json["measured"] as? Int == 2)
    #expect((first.json["refused"] as? [Any])?.count == 1)
    // What the worker counts then is the one that is left.
    let second = try command.run(arguments)
    #expect(second.status == 0, "\(second.errors)")
    #expect(second.json["known"] as? Int == 2)
    #expect(second.json["measured"] as? Int == 1)
  }

  /// Files of one name in two folders are two networks, found again under their paths.
  @Test func filesAreCalledByTheirPaths() throws {
    let command = try Command()
    defer { command.remove() }
    try addDevice(command, refusing: 0)
    let files = ["a/net.onnx", "b/net.onnx"]
    for (file, cell) in zip(files, ["c3-c3_c3-c3_c3_c3", "c1-c1_c1-c1_c1_c1"]) {
      #expect(try command.run("export", "nasbench201:\(cell)", "-o", file).status == 0)
    }
    let measured = try command.run(["measure"] + files + ["--device", "here", "--json"])
    let samples = try #require(measured.json["samples"] as? [[String: Any]])
    #expect(samples.map { $0["id"] as? String } == files)
  }

  @Test func aFinishedTableIsNotMeasuredAgain() throws {
    let command = try Command()
    defer { command.remove() }
    try addDevice(command, refusing: 0)
    let arguments = [
      "table", "build", "--space", "nasbench201", "--device", "here", "-o", "new/table.json",
    ]
    let runs: [(more: [String], isKnown: Bool)] = [([], false), ([], true), (["--again"], false)]
    for (more, isKnown) in runs {
      let result = try command.run(arguments + more)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("blocks of nasbench201 on here in new/table.json"))
      #expect(result.errors.contains("the table is there already") == isKnown)
    }
  }

  /// A calibration belongs to the measurements that it was fitted to.
  @Test func aTableMeasuredAnewIsNotCalibrated() throws {
    let command = try Command()
    defer { command.remove() }
    try addDevice(command, refusing: 0)
    func build(_ more: String...) throws -> (notes: String, isCalibrated: Bool) {
      let result = try command.run(
        ["table", "build", "--space", "nasbench201", "--device", "here", "-o", "table.json"]
          + more)
      #expect(result.status == 0, "\(result.errors)")
      let table = try String(contentsOfFile: command.path("table.json"), encoding: .utf8)
      return (result.errors, table.contains("\"calibration\""))
    }
    #expect(try !build().isCalibrated)
    let rows = ["none", "skip", "c1", "c3", "p3"].enumerated().map {
      "nasbench201:\($1)-c3_c3-c3_c3_c3,\(20 + $0)\n"
    }
    try ("id,latency_ms\n" + rows.joined())
      .write(toFile: command.path("s.csv"), atomically: true, encoding: .utf8)
    let fitted = try command.run(
      "table", "calibrate", "table.json", "--space", "nasbench201", "--samples", "s.csv",
      "-n", "5")
    #expect(fitted.status == 0, "\(fitted.errors)")
    let note = "note: table.json was calibrated, and is not any more"
    let known = try build()
    #expect(known.isCalibrated && !known.notes.contains(note), "\(known.notes)")
    let anew = try build("--again")
    #expect(!anew.isCalibrated && anew.notes.contains(note), "\(anew.notes)")
  }

  /// The folder with its table and samples may have moved to another machine.
  @Test func aTableOfAnotherProcessorIsDoubted() throws {
    let command = try Command()
    defer { command.remove() }
    try addDevice(command, refusing: 0)
    #expect(
      try command.run("table", "build", "--space", "nasbench201", "--device", "here").status == 0)
    let id = "nasbench201:c3-c3_c3-c3_c3_c3"
    func notes() throws -> String {
      try command.run("predict", "latency", id, "--device", "here").errors
    }
    let doubt = "was measured otherwise (fake on none) than the latest samples of 'here'"
    #expect(try !notes().contains(doubt))
    try "id,latency_ms,runtime,cpu,date\n\(id),20,fake,other,2999-01-01T00:00:00Z\n"
      .write(toFile: command.path("s.csv"), atomically: true, encoding: .utf8)
    #expect(try command.run("samples", "import", "s.csv", "--device", "here").status == 0)
    #expect(try notes().contains(doubt))
  }

  @Test func aTableOfAnotherDeviceIsNotReplaced() throws {
    let command = try Command()
    defer { command.remove() }
    try addDevice(command, refusing: 0)
    func build() throws -> Command.Result {
      try command.run(
        "table", "build", "--space", "nasbench201", "--device", "here", "-o", "table.json")
    }
    #expect(try build().status == 0)
    let path = command.path("table.json")
    let others = try String(contentsOfFile: path, encoding: .utf8)
      .replacing(/"device" ?: ?"here"/, with: #""device": "there""#)
    try others.write(toFile: path, atomically: true, encoding: .utf8)
    let refused = try build()
    #expect(refused.status == 65)
    #expect(refused.errors.contains("a table of nasbench201 on 'there'"), "\(refused.errors)")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == others)
  }
}
