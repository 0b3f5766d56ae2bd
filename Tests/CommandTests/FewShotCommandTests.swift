import Foundation
import Testing

/// A new user with a device and some measured networks in a CSV.
struct FewShotCommandTests {
  /// `id,latency_ms` of the first networks that this project measured itself.
  private static func samples(_ range: Range<Int>) throws -> [(id: String, latency: String)] {
    let lines = try String(
      contentsOfFile: "datasets/ofa-mobilenetv3-samples.csv", encoding: .utf8
    ).split(separator: "\n")
    let header = lines[0].split(separator: ",").map(String.init)
    let (id, latency) = (
      header.firstIndex(of: "id")!, header.firstIndex(of: "latency_ms")!
    )
    return lines.dropFirst()[(range.lowerBound + 1)..<(range.upperBound + 1)].map { line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      return (String(fields[id]), String(fields[latency]))
    }
  }

  private static func write(_ rows: [(id: String, latency: String)], _ path: String) throws {
    try ("id,latency_ms\n" + rows.map { "\($0.id),\($0.latency)\n" }.joined())
      .write(toFile: path, atomically: true, encoding: .utf8)
  }

  @Test func fromACSVToAPredictorAndASearch() throws {
    let command = try Command()
    defer { command.remove() }
    try Self.write(Self.samples(0..<20), command.path("twenty.csv"))
    let adapted = try command.run(
      "predictor", "adapt", "--device", "desk", "--samples", "twenty.csv", "--plot", "plot.svg",
      "--json")
    #expect(adapted.status == 0, "\(adapted.errors)")
    #expect(adapted.json["samples"] as? Int == 20)
    #expect((adapted.json["expectation"] as? String)?.hasPrefix("Expect predictions") == true)
    #expect(try String(contentsOfFile: command.path("plot.svg"), encoding: .utf8).contains("<svg"))

    let others = try Self.samples(20..<60)
    try others.map(\.id).joined(separator: "\n")
      .write(toFile: command.path("ids.txt"), atomically: true, encoding: .utf8)
    let predicted = try command.run(
      "predict", "latency", "ids.txt", "--device", "desk", "--confidence", "0.9", "--json")
    #expect(predicted.status == 0, "\(predicted.errors)")
    let rows = try #require(predicted.json["predictions"] as? [[String: Any]])
    #expect(rows.count == others.count)
    var inside = 0
    var errors: [Double] = []
    for (row, other) in zip(rows, others) {
      let (middle, low, high) = (
        row["latencyMs"] as? Double ?? 0, row["latencyLowMs"] as? Double ?? 0,
        row["latencyHighMs"] as? Double ?? 0
      )
      #expect(low <= middle && middle <= high)
      let measured = Double(other.latency)!
      if (low...high).contains(measured) { inside += 1 }
      errors.append(abs(middle / measured - 1))
    }
    #expect(errors.sorted()[errors.count / 2] < 0.1)
    #expect(Double(inside) / Double(rows.count) > 0.7)

    let list = try command.run("predictor", "list")
    #expect(list.output.contains("desk") && list.output.contains("latency-fewshot"))
    #expect(!list.output.contains("ofa-mobilenetv3-cifar.safetensors"))
    let searched = try command.run(
      "search", "--space", "ofa-mobilenetv3", "--device", "desk", "--latency-budget", "5ms",
      "--confidence", "0.95", "--no-measure", "--options", "{\"generations\": 5}", "--json",
      "-o", "out")
    #expect(searched.status == 0, "\(searched.errors)")
    #expect(
      (searched.json["latencyPredictor"] as? String)?.hasPrefix("few-shot predictor from 20")
        == true)
    let best = searched.json["best"] as? [String: Any]
    // The budget is kept by the upper bound; the prediction is what is expected.
    let bound = try #require(best?["latencyHighMs"] as? Double)
    #expect(bound <= 5)
    #expect((best?["latencyMs"] as? Double ?? 9) < bound)
    // The front is one by these bounds, so its file has them.
    let front = try String(contentsOfFile: command.path("out/front.csv"), encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    let column = try #require(front[0].firstIndex(of: "latency_high_ms"))
    let points = front.dropFirst().map { (Double($0[column])!, Double($0[2])!) }.sorted { $0 < $1 }
    #expect(points.count > 1 && zip(points, points.dropFirst()).allSatisfy { $0.1 < $1.1 })
  }

  /// `rows` as samples of one device, with the processor and the date of each.
  private static func write(
    _ rows: [(id: String, latency: String)], cpu: String, date: String, _ path: String
  ) throws {
    let lines = rows.map { "\($0.id),\($0.latency),onnxruntime,1,\(cpu),\(date)" }
    try (["id,latency_ms,runtime,threads,cpu,date"] + lines).joined(separator: "\n")
      .write(toFile: path, atomically: true, encoding: .utf8)
  }

  /// A device's name may have stood for another processor; what is not stated goes with anything.
  @Test func samplesThatWereTakenAlikeGoTogether() throws {
    let command = try Command()
    defer { command.remove() }
    func bring(_ file: String) throws -> Command.Result {
      try command.run("predictor", "adapt", "--device", "d", "--samples", file, "--json")
    }
    let slow = try Self.samples(0..<12).map {
      (id: $0.id, latency: "\(5 * (Double($0.latency) ?? 0))")
    }
    try Self.write(slow, cpu: "old", date: "2024-01-01T00:00:00Z", command.path("old.csv"))
    try Self.write(
      Self.samples(12..<24), cpu: "new", date: "2025-01-01T00:00:00Z", command.path("new.csv"))
    try Self.write(Self.samples(24..<30), command.path("bare.csv"))
    #expect(try bring("new.csv").json["samples"] as? Int == 12)
    // Older ones that come later are older all the same.
    let mixed = try bring("old.csv")
    #expect(mixed.json["samples"] as? Int == 12, "\(mixed.errors)")
    #expect(mixed.errors.contains("12 samples of 'd' were taken otherwise (onnxruntime on old"))
    #expect(try bring("bare.csv").json["samples"] as? Int == 18)
    let searched = try command.run(
      "search", "--space", "ofa-mobilenetv3", "--device", "d", "--latency-budget", "5ms",
      "--no-measure", "--options", "{\"generations\": 2}", "--json")
    #expect(searched.errors.contains("were taken otherwise"), "\(searched.errors)")
    #expect(
      (searched.json["latencyPredictor"] as? String)?.hasPrefix("few-shot predictor from 18")
        == true)
  }

  /// Few samples are better than another machine's table, where nothing corrects that.
  @Test func fewSamplesComeBeforeAnotherMachinesTable() throws {
    let command = try Command()
    defer { command.remove() }
    try Self.write(Self.samples(0..<4), command.path("four.csv"))
    #expect(
      try command.run("predictor", "adapt", "--device", "d", "--samples", "four.csv").status == 0)
    let searched = try command.run(
      "search", "--space", "ofa-mobilenetv3", "--device", "d", "--latency-budget", "5ms",
      "--no-measure", "--options", "{\"generations\": 2}", "--json")
    #expect(
      (searched.json["latencyPredictor"] as? String)?.hasPrefix("few-shot predictor from 4")
        == true, "\(searched.errors)")
  }

  /// Intervals hold for networks like the samples.
  @Test func aSpaceWithoutSamplesHasNoIntervals() throws {
    let command = try Command()
    defer { command.remove() }
    try Self.write(Self.samples(0..<12), command.path("s.csv"))
    #expect(
      try command.run("predictor", "adapt", "--device", "d", "--samples", "s.csv").status == 0)
    let refused = try command.run(
      "predict", "latency", "nasbench201:c3-c3_c3-c3_c3_c3", "--device", "d", "--confidence", "0.9")
    #expect(refused.status == 65)
    #expect(refused.errors.contains("no samples of nasbench201 on 'd'"), "\(refused.errors)")
  }

  /// A folder or a text that has a sample's name is not its network.
  @Test func whatHasASamplesNameIsNotItsNetwork() throws {
    let command = try Command()
    defer { command.remove() }
    try Self.write(
      Self.samples(0..<12) + [("resnet-18", "9.5"), ("notes", "8.5")], command.path("s.csv"))
    try FileManager.default.createDirectory(
      atPath: command.path("resnet-18"), withIntermediateDirectories: false)
    try "text".write(toFile: command.path("notes"), atomically: true, encoding: .utf8)
    let adapted = try command.run(
      "predictor", "adapt", "--device", "d", "--samples", "s.csv", "--json")
    #expect(adapted.json["samples"] as? Int == 12, "\(adapted.errors)")
    #expect(adapted.errors.contains("2 samples are of networks that are not at hand"))
  }

  /// What was learned from a file stays what was measured, wherever the file goes.
  @Test func aSearchKeepsNetworksThatCameFromFiles() throws {
    let command = try Command()
    defer { command.remove() }
    for (cell, file) in [("c3-c3_c3-c3_c3_c3", "a.onnx"), ("c1-skip_c1-c1_none_c1", "b.onnx")] {
      let made = try command.run("export", "nasbench201:\(cell)", "-o", file)
      #expect(made.status == 0, "\(made.errors)")
    }
    try Self.write(Self.samples(0..<12) + [("a.onnx", "9.5")], command.path("samples.csv"))
    let adapted = try command.run(
      "predictor", "adapt", "--device", "d", "--samples", "samples.csv", "--json")
    #expect(adapted.json["samples"] as? Int == 13, "\(adapted.errors)")
    let search = [
      "search", "--space", "ofa-mobilenetv3", "--device", "d", "--latency-budget", "5ms",
      "--no-measure", "--options", "{\"generations\": 2}", "--json",
    ]
    let first = try command.run(search)
    #expect(first.status == 0, "\(first.errors)")
    let study = try #require(first.json["study"] as? String)
    // Another network under the name: the study goes on with the one it learned from.
    try FileManager.default.removeItem(atPath: command.path("a.onnx"))
    try FileManager.default.moveItem(
      atPath: command.path("b.onnx"), toPath: command.path("a.onnx"))
    let resumed = try command.run("study", "resume", study, "--json")
    #expect(resumed.status == 0, "\(resumed.errors)")
    let latencies = [first, resumed].map {
      ($0.json["best"] as? [String: Any])?["latencyMs"] as? Double
    }
    #expect(latencies[0] != nil && latencies[0] == latencies[1])
  }

  /// A space of one's own is named by its file, for samples that are brought as well; when it builds
  /// other networks, these are no samples of them.
  @Test func aSpaceFileIsAdaptedTo() throws {
    let command = try Command()
    defer { command.remove() }
    let text = try String(contentsOfFile: "searchspaces/ofa-mobilenetv3.yaml", encoding: .utf8)
      .replacing("name: ofa-mobilenetv3", with: "name: mine")
    try FileManager.default.createDirectory(
      atPath: command.path("my"), withIntermediateDirectories: true)
    try text.write(toFile: command.path("my/mine.yaml"), atomically: true, encoding: .utf8)
    let rows = try Self.samples(0..<12).map {
      (id: $0.id.replacing("ofa-mobilenetv3:", with: "mine:"), latency: $0.latency)
    }
    try Self.write(rows, command.path("samples.csv"))
    let adapted = try command.run(
      "predictor", "adapt", "--device", "d", "--samples", "samples.csv", "--space", "my/mine.yaml",
      "--json")
    #expect(adapted.json["samples"] as? Int == 12, "\(adapted.errors)")
    let evaluate = ["predictor", "evaluate", "--device", "d", "--space", "my/mine.yaml", "--json"]
    #expect(try command.run(evaluate).json["samples"] as? Int == 12)
    try text.replacing("final_expand_layer, out: 960", with: "final_expand_layer, out: 480")
      .write(toFile: command.path("my/mine.yaml"), atomically: true, encoding: .utf8)
    let changed = try command.run(evaluate)
    #expect(changed.status == 65)
    #expect(changed.errors.contains("12 samples are of networks that are not at hand"))
  }

  /// Families and texts are asked about as files are.
  @Test func networksOfNoSpaceArePredicted() throws {
    let command = try Command()
    defer { command.remove() }
    try Self.write(Self.samples(0..<12), command.path("samples.csv"))
    #expect(
      try command.run("predictor", "adapt", "--device", "d", "--samples", "samples.csv").status == 0
    )
    let result = try command.run(
      "predict", "latency", "family:resnet18-0", "--device", "d", "--json")
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test func networksForAPersonToMeasure() throws {
    let command = try Command()
    defer { command.remove() }
    let arguments = [
      "predictor", "adapt", "--device", "d", "--space", "fbnet", "-n", "5", "--list",
    ]
    let list = try command.run(arguments)
    #expect(list.status == 0, "\(list.errors)")
    let lines = list.output.split(separator: "\n")
    #expect(lines.first == "id,latency_ms")
    #expect(lines.count == 6)
    #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("fbnet:") && $0.hasSuffix(",") })
    #expect(try command.run(arguments).output == list.output)
  }

  @Test(arguments: [
    (["x,1.5", "ofa-mobilenetv3:r9,2"], "bad.csv:3", "ofa-mobilenetv3"),
    ([""], "bad.csv:1", "the file has no samples"),
    (["gone.onnx,3.5", "lost.onnx,4.5"], "0 usable samples of 'd'", "2 samples are of networks"),
    (["a,4", "b,4", "c,4"], "bad.csv:2", "nothing can be learned"),
    (["a,-1"], "bad.csv:2", "above zero"),
    (["a,"], "bad.csv:2", "no latency_ms"),
    (["a,1.5", "a,1.6"], "bad.csv:3", "line 2 already"),
    (["a,0.015", "b,0.02", "c,0.03"], "bad.csv:2", "look like seconds"),
    (["nasbench201:c1-c1_c1-c1_c1_c1,3.5"], "1 usable samples of 'd'", "good from 10 on"),
  ])
  func mistakesAreNamedByLine(rows: [String], place: String, message: String) throws {
    let command = try Command()
    defer { command.remove() }
    try ("id,latency_ms\n" + rows.joined(separator: "\n") + "\n")
      .write(toFile: command.path("bad.csv"), atomically: true, encoding: .utf8)
    let result = try command.run("predictor", "adapt", "--device", "d", "--samples", "bad.csv")
    #expect(result.status == 65)
    #expect(result.errors.contains(place) && result.errors.contains(message), "\(result.errors)")
  }
}
