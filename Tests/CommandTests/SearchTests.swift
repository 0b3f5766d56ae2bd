import Foundation
import Testing

/// The main job, from budget to measured ONNX file, with what comes with the command.
struct SearchTests {
  private static let space = ["--space", "ofa-mobilenetv3"]

  @Test func theWinnerIsMeasuredInsideTheBudget() throws {
    let command = try Command()
    defer { command.remove() }
    let added = try command.run("device", "add", "here", "--json")
    #expect(added.status == 0, "\(added.errors)")
    // A budget that this machine can keep, whatever its speed and whoever else is on it.
    let smallest = "ofa-mobilenetv3:r128-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3"
    let measured = try command.run("measure", smallest, "--device", "here", "--json").json
    let sample = try #require((measured["samples"] as? [[String: Any]])?.first)
    let time = try #require(sample["measuredLatencyMs"] as? Double)
    let result = try command.run(
      ["search"] + Self.space + [
        "--device", "here", "--latency-budget", "\(time * 4)ms", "--seed", "1", "-o", "out",
        "--options", "{\"generations\": 100}", "--json",
      ])
    #expect(result.status == 0, "\(result.errors)")
    let best = try #require(result.json["best"] as? [String: Any])
    let found = try #require(best["measuredLatencyMs"] as? Double)
    #expect(found <= time * 4)
    #expect(try #require(best["accuracy"] as? Double) > 0.6)
    #expect(result.json["evaluations"] as? Int == 10_100)
    for file in ["best.onnx", "front.csv", "front.svg", "result.json"] {
      #expect(FileManager.default.fileExists(atPath: command.path("out/\(file)")), "\(file)")
    }
    let described = try command.run("describe", "out/best.onnx", "--json").json
    #expect(described["text"] as? String == best["text"] as? String)
  }

  @Test func allLimitsHoldTogether() throws {
    let command = try Command()
    defer { command.remove() }
    let result = try command.run(
      ["search"] + Self.space + [
        "--device", "nowhere", "--table", PredictorCommandTests.table, "--latency-budget", "3ms",
        "--max-macs", "150M",
        "--max-parameters", "4.5M", "--max-weight-bytes", "18M", "--max-activation-bytes", "30M",
        "--resolution", "144..176", "--no-measure", "--options", "{\"generations\": 30}", "--json",
      ])
    #expect(result.status == 0, "\(result.errors)")
    let front = try #require(result.json["front"] as? [[String: Any]])
    #expect(!front.isEmpty)
    var last = 0.0
    for entry in front {
      let latency = try #require(entry["latencyMs"] as? Double)
      #expect(latency <= 3)
      #expect(latency >= last)
      last = latency
      #expect(try #require(entry["macs"] as? Int) <= 150_000_000)
      #expect(try #require(entry["parameters"] as? Int) <= 4_500_000)
      #expect((144...176).contains(try #require(entry["resolution"] as? Int)))
    }
    // Bytes are not among a result's figures: tight limits must leave other networks.
    func best(_ more: String...) throws -> String {
      let found = try command.run(
        ["search"] + Self.space + [
          "--device", "nowhere", "--table", PredictorCommandTests.table, "--latency-budget", "3ms",
          "--no-measure", "--json", "--options",
          "{\"generations\": 30}",
        ] + more)
      let id = (found.json["best"] as? [String: Any])?["id"] as? String
      return try #require(id, "\(found.errors)")
    }
    let free = try best()
    #expect(try best("--max-weight-bytes", "14M") != free)
    #expect(try best("--max-activation-bytes", "16M") != free)
  }

  /// A misspelt name does not get another machine's latencies.
  @Test func anUnknownDeviceIsRefused() throws {
    let command = try Command()
    defer { command.remove() }
    #expect(try command.run("device", "add", "here").status == 0)
    func search(_ device: String) throws -> Command.Result {
      try command.run(
        ["search"] + Self.space + [
          "--device", device, "--latency-budget", "3ms", "--no-measure", "--options",
          "{\"generations\": 2}",
        ])
    }
    let refused = try search("hier")
    #expect(refused.status == 69 && refused.errors.contains("here"), "\(refused.errors)")
    let known = try search("here")
    #expect(known.status == 0, "\(known.errors)")
    #expect(known.errors.contains("measured on another machine"), "\(known.errors)")
  }

  @Test func anImpossibleBudgetNamesTheFastest() throws {
    let command = try Command()
    defer { command.remove() }
    let result = try command.run(
      ["search"] + Self.space + [
        "--device", "nowhere", "--table", PredictorCommandTests.table, "--latency-budget", "1us",
        "--no-measure",
      ])
    #expect(result.status == 65)
    #expect(result.errors.contains("the fastest found takes"), "\(result.errors)")
  }

  /// A search that was killed goes on to the result of one that was not.
  @Test func aKilledSearchResumesToTheSameResult() throws {
    let command = try Command()
    defer { command.remove() }
    let arguments =
      ["search"] + Self.space + [
        "--device", "nowhere", "--table", PredictorCommandTests.table, "--latency-budget", "3ms",
        "--no-measure", "--seed", "7",
        "--options", "{\"generations\": 80000}", "--json",
      ]
    let whole = try command.run(arguments)
    #expect(whole.status == 0, "\(whole.errors)")
    let (process, _, _) = try command.start(arguments)
    // Killed once something was saved, so that it has something to go on from.
    var (killed, steps) = ("", 0)
    for _ in 0..<200 where steps == 0 && process.isRunning {
      Thread.sleep(forTimeInterval: 0.1)
      let studies = try command.run("study", "list", "--json").json["studies"] as? [[String: Any]]
      let running = studies?.first { $0["status"] as? String == "running" }
      guard let id = running?["id"] as? String else { continue }
      killed = id
      steps = try command.run("study", "show", id, "--json").json["steps"] as? Int ?? 0
    }
    #expect(process.isRunning, "the search was over before it could be killed")
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(steps > 0, "nothing was saved before the kill")
    let resumed = try command.run("study", "resume", killed, "--json")
    #expect(resumed.status == 0, "\(resumed.errors)")
    for key in ["best", "front", "evaluations"] {
      #expect(try sorted(resumed.json[key]) == sorted(whole.json[key]), "\(key)")
    }
  }

  private func sorted(_ value: Any?) throws -> String {
    let data = try JSONSerialization.data(
      withJSONObject: [try #require(value)], options: .sortedKeys)
    return String(decoding: data, as: UTF8.self)
  }
}
