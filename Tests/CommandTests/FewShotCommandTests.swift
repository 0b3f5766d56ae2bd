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
    let searched = try command.run(
      "search", "--space", "ofa-mobilenetv3", "--device", "desk", "--latency-budget", "5ms",
      "--confidence", "0.95", "--no-measure", "--options", "{\"generations\": 5}", "--json")
    #expect(searched.status == 0, "\(searched.errors)")
    #expect(
      (searched.json["latencyPredictor"] as? String)?.hasPrefix("few-shot predictor from 20")
        == true)
    let best = searched.json["best"] as? [String: Any]
    #expect((best?["latencyMs"] as? Double ?? 9) <= 5)
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
