import Foundation
import Testing

/// The budget on a device whose latencies are scripted, and what a search leaves behind.
struct BudgetTests {
  private let command: Command

  init() throws { command = try Command() }

  /// Speaks the worker protocol; the n-th different network takes the n-th time, later ones the last.
  /// A network keeps its time when the worker starts again.
  private static let worker = """
    import hashlib, json, os, sys
    times, loaded = [float(t) for t in sys.argv[1:]], {}
    state = "-".join(sys.argv[1:]) + ".json"
    known = json.load(open(state)) if os.path.exists(state) else {}
    for line in sys.stdin:
        asked = json.loads(line)
        answer = {"request": asked["request"]}
        kind = asked["type"]
        if kind == "hello":
            answer |= {
                "type": "hello", "protocol": 1, "runtime": "scripted", "runtimeVersion": "1",
                "cpu": "none", "cpuCount": 1,
                "capabilities": ["path", "inline", "float32", "optimization:all"]}
        elif kind == "load":
            time = 1.0  # the reference network comes inline
            if "path" in asked:
                digest = hashlib.sha256(open(asked["path"], "rb").read()).hexdigest()
                time = known.setdefault(digest, times[min(len(known), len(times) - 1)])
                json.dump(known, open(state, "w"))
            loaded[len(loaded) + 1] = time
            answer |= {"type": "loaded", "network": len(loaded), "inputs": [], "cpus": []}
        elif kind == "measure":
            count = max(1, min(asked["repeats"], 20))
            answer |= {
                "type": "measured", "times": [loaded[asked["network"]]] * count,
                "warmUp": asked["warmUp"]}
        else:
            answer["type"] = {"unload": "unloaded", "shutdown": "bye"}[kind]
        print(json.dumps(answer), flush=True)
        if kind == "shutdown":
            break
    """

  /// Adds a device on which networks take `times` milliseconds, one after the other.
  private func addDevice(_ name: String, _ times: Double...) throws {
    try Self.worker.write(toFile: command.path("worker.py"), atomically: true, encoding: .utf8)
    let words = times.map { "\($0)" }.joined(separator: " ")
    let added = try command.run("device", "add", name, "--worker", "python3 worker.py \(words)")
    #expect(added.status == 0, "\(added.errors)")
  }

  private func search(
    _ device: String, _ budget: String, _ more: String...
  ) throws -> Command.Result {
    try command.run(
      [
        "search", "--space", "ofa-mobilenetv3", "--device", device, "--latency-budget", budget,
        "--options", "{\"generations\": 20}",
      ] + more)
  }

  /// A miss, then a hit: the report that is written later names the same network as the search's own.
  @Test func theReportNamesTheWinner() throws {
    defer { command.remove() }
    try addDevice("slow", 3.3, 2.95)
    let result = try search("slow", "3ms", "--json", "-o", "out")
    #expect(result.status == 0, "\(result.errors)")
    let best = try #require(result.json["best"] as? [String: Any])
    #expect(best["measuredLatencyMs"] as? Double == 2.95)
    let study = try #require(result.json["study"] as? String)
    #expect(try command.run("report", study, "-o", "later.html").status == 0)
    for file in ["out/report.html", "later.html"] {
      let text = try String(contentsOfFile: command.path(file), encoding: .utf8)
      let rows = text.components(separatedBy: "<tr class=\"best\">")
      #expect(rows.count == 2, "\(file)")
      #expect(rows.last?.contains(try #require(best["id"] as? String)) == true, "\(file)")
    }
    // Going on with a search that has ended finds the same.
    let again = try command.run("study", "resume", study, "--json")
    #expect(again.status == 0, "\(again.errors)")
    #expect((again.json["best"] as? [String: Any])?["id"] as? String == best["id"] as? String)
  }

  /// Where corrected predictions leave nothing, the fastest network is measured, whatever the rounding.
  @Test(arguments: ["3.39ms", "3.4ms", "2.17ms"])
  func theFastestIsTriedLast(budget: String) throws {
    defer { command.remove() }
    try addDevice("odd", 40, 0.9)
    let result = try search("odd", budget, "--json")
    #expect(result.status == 0, "\(result.errors)")
    let best = result.json["best"] as? [String: Any]
    #expect(best?["measuredLatencyMs"] as? Double == 0.9)
  }

  /// The fastest network may break another limit: what kept the budget before counts, and what keeps
  /// all limits is tried.
  @Test func aSecondLimitHoldsWhereNothingIsFaster() throws {
    defer { command.remove() }
    try addDevice("kept", 1, 40)
    let kept = try search("kept", "3ms", "--resolution", "224", "--json")
    #expect(kept.status == 0, "\(kept.errors)")
    #expect((kept.json["best"] as? [String: Any])?["measuredLatencyMs"] as? Double == 1)
    try addDevice("slow", 40, 30, 20)
    let missed = try search("slow", "3ms", "--resolution", "224")
    #expect(missed.status == 1 && missed.errors.contains("no architecture kept the budget"))
    try addDevice("late", 40, 2.9)
    let late = try search("late", "3ms", "--resolution", "224", "--json")
    #expect(late.status == 0, "\(late.errors)")
    #expect((late.json["best"] as? [String: Any])?["resolution"] as? Int == 224)
  }

  /// A winner of a corrected search is the same when the search is resumed, however often.
  @Test func aFinishedSearchEndsTheSameAgain() throws {
    defer { command.remove() }
    try addDevice("odd", 3.3, 1.6, 2.99)
    let result = try search("odd", "3ms", "--json")
    #expect(result.status == 0, "\(result.errors)")
    let study = try #require(result.json["study"] as? String)
    let id = try #require((result.json["best"] as? [String: Any])?["id"] as? String)
    for _ in 0..<2 {
      let again = try command.run("study", "resume", study, "--json")
      #expect((again.json["best"] as? [String: Any])?["id"] as? String == id, "\(again.errors)")
      #expect(
        (again.json["measured"] as? [Any])?.count == (result.json["measured"] as? [Any])?.count)
    }
  }

  /// A device that can't be reached stops a search; it doesn't run for ever.
  @Test func aSearchWithoutItsWorkerIsStopped() throws {
    defer { command.remove() }
    try addDevice("gone", 1)
    try FileManager.default.removeItem(atPath: command.path("worker.py"))
    #expect(try search("gone", "3ms").status != 0)
    let studies = try command.run("study", "list", "--json").json["studies"] as? [[String: Any]]
    #expect(studies?.first?["status"] as? String == "stopped")
  }

  /// A search without a result must not leave another one's network under its name.
  @Test func anEarlierNetworkDoesNotPassForTheResult() throws {
    defer { command.remove() }
    try addDevice("good", 1)
    try addDevice("bad", 50)
    #expect(try search("good", "3ms", "-o", "out").status == 0)
    #expect(FileManager.default.fileExists(atPath: command.path("out/best.onnx")))
    let result = try search("bad", "3ms", "-o", "out")
    #expect(result.status == 1 && result.errors.contains("no architecture kept the budget"))
    #expect(!FileManager.default.fileExists(atPath: command.path("out/best.onnx")))
  }

  /// A search goes on only with the files that it began with.
  @Test func aChangedTableStopsAResumedSearch() throws {
    defer { command.remove() }
    let folder = URL(fileURLWithPath: Command.binary).deletingLastPathComponent()
    var root = folder
    while !FileManager.default.fileExists(atPath: root.appending(path: "datasets").path) {
      root.deleteLastPathComponent()
    }
    let table = try String(
      contentsOf: root.appending(path: "datasets/ofa-mobilenetv3-table.json"), encoding: .utf8)
    try table.write(toFile: command.path("table.json"), atomically: true, encoding: .utf8)
    let result = try search("x", "3ms", "--no-measure", "--table", "table.json", "--json")
    #expect(result.status == 0, "\(result.errors)")
    let study = try #require(result.json["study"] as? String)
    #expect(try command.run("study", "resume", study).status == 0)
    try (table + "\n").write(toFile: command.path("table.json"), atomically: true, encoding: .utf8)
    let resumed = try command.run("study", "resume", study)
    #expect(resumed.status == 65 && resumed.errors.contains("table.json has changed"))
  }

  /// A space file is the space, even if another one of its name came along.
  @Test func aSpaceFileIsNotReplacedByItsName() throws {
    defer { command.remove() }
    try addDevice("x", 1)
    let space = try command.run("space", "show", "ofa-mobilenetv3-cifar")
    #expect(space.status == 0)
    var root = URL(fileURLWithPath: Command.binary).deletingLastPathComponent()
    while !FileManager.default.fileExists(atPath: root.appending(path: "searchspaces").path) {
      root.deleteLastPathComponent()
    }
    let file = root.appending(path: "searchspaces/ofa-mobilenetv3-cifar.yaml")
    let text = try String(contentsOf: file, encoding: .utf8)
      .replacing("kernel: [3, 5, 7]", with: "kernel: [3]")
    let name = "ofa-mobilenetv3-cifar.yaml"
    try text.write(toFile: command.path(name), atomically: true, encoding: .utf8)
    func search(_ more: String...) throws -> Command.Result {
      try command.run(
        ["search", "--space", name, "--device", "x", "--no-measure", "--latency-budget", "1ms"]
          + ["--options", "{\"generations\": 5}", "--json"] + more)
    }
    let result = try search()
    #expect(result.status == 0, "\(result.errors)")
    let best = result.json["best"] as? [String: Any]
    let id = try #require(best?["id"] as? String)
    #expect(!id.contains("k5") && !id.contains("k7"), "\(id)")
    let weights = try #require(best?["weights"] as? String)
    #expect(weights.hasPrefix("he-initialised"), "\(weights)")
    let checkpoint = root.appending(path: "checkpoints/ofa-mobilenetv3-cifar.safetensors").path
    let refused = try search("--checkpoint", checkpoint)
    #expect(refused.status == 65 && refused.errors.contains("a supernet of the space"))
  }

  @Test func seedsOfAllSizesAreKept() throws {
    defer { command.remove() }
    try addDevice("x", 1)
    let seed = "18446744073709551615"
    let result = try search("x", "3ms", "--no-measure", "--seed", seed, "--json")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("\"seed\":\(seed)"))
    #expect(try command.run("study", "list", "--json").output.contains("\"seed\":\(seed)"))
  }

  @Test(arguments: ["1.79e308ms", "1e308s", "1e12ms"])
  func budgetsBeyondReasonAreRefused(budget: String) throws {
    defer { command.remove() }
    let result = try search("x", budget, "--no-measure", "-o", "out")
    #expect(result.status == 64 && result.errors.contains("latency budget"), "\(result.errors)")
  }

  /// Ranks are not written as accuracies.
  @Test func ranksAreCalledRanks() throws {
    defer { command.remove() }
    let result = try command.run(
      "search", "--space", "nasbench201", "--device", "x", "--no-measure", "--latency-budget",
      "1s", "--latency-predictor", KernelsTests.trained,
      "--options", "{\"generations\": 2, \"population\": 20}", "-o", "out")
    #expect(result.status == 0, "\(result.errors)")
    let front = try String(contentsOfFile: command.path("out/front.csv"), encoding: .utf8)
    #expect(front.hasPrefix("id,latency_ms,rank,"))
  }

  @Test func measuredRanksAreCalledRanks() throws {
    defer { command.remove() }
    try addDevice("x", 1)
    let result = try command.run(
      "search", "--space", "nasbench201", "--device", "x", "--latency-budget", "1s",
      "--latency-predictor", KernelsTests.trained,
      "--options", "{\"generations\": 2, \"population\": 20}", "--json")
    #expect(result.status == 0, "\(result.errors)")
    let study = try #require(result.json["study"] as? String)
    let shown = try command.run("study", "show", study, "--json").json
    let trial = try #require((shown["trials"] as? [[String: Any]])?.first?["result"] as? String)
    #expect(trial.contains("\"rank\":") && !trial.contains("accuracy"), "\(trial)")
    let report = try command.run("report", study, "-o", "later.html")
    #expect(report.status == 0, "\(report.errors)")
  }
}
