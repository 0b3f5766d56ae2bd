import Foundation
import Testing

/// Searches by predictors of every kind that a file can hold.
struct SearchPredictorsTests {
  private static let generations = ["--options", "{\"generations\": 15, \"population\": 40}"]

  /// Any network's latency by kernels, any network's accuracy by a few samples: a space for which
  /// nothing came along.
  @Test func kernelsAndNetworksInAnySpace() throws {
    let command = try Command()
    defer { command.remove() }
    let kernels = KernelsTests.trained
    let drawn = try command.run("space", "sample", "ofa-resnet50", "-n", "30", "--json").json
    let networks = try #require(drawn["architectures"] as? [[String: Any]])
    var lines = ["id,accuracy"]
    for network in networks {
      let macs = try #require(network["macs"] as? Double)
      lines.append("\(try #require(network["id"] as? String)),\(70 + log(macs))")
    }
    try lines.joined(separator: "\n").write(
      toFile: command.path("samples.csv"), atomically: true, encoding: .utf8)
    try #"{"predictor": "networks", "steps": 10}"#.write(
      toFile: command.path("recipe.json"), atomically: true, encoding: .utf8)
    let trained = try command.run(
      "predictor", "train", "--recipe", "recipe.json", "--samples", "samples.csv", "-o", "n.st")
    #expect(trained.status == 0, "\(trained.errors)")
    let result = try command.run(
      [
        "search", "--space", "ofa-resnet50", "--device", "desk", "--latency-budget", "30ms",
        "--latency-predictor", kernels, "--accuracy-predictor", "n.st", "--no-measure", "--json",
      ] + Self.generations)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("latency by a kernel-level latency predictor"))
    let best = try #require(result.json["best"] as? [String: Any])
    let id = try #require(best["id"] as? String)
    let latency = try #require(best["latencyMs"] as? Double)
    #expect(latency <= 30)
    // The same as one network by itself is told.
    let alone = try command.run("predict", "latency", id, "--latency-predictor", kernels, "--json")
    let row = try #require((alone.json["predictions"] as? [[String: Any]])?.first)
    #expect(abs(try #require(row["latencyMs"] as? Double) - latency) < 1e-6)
    let told = try command.run("predict", "accuracy", id, "--accuracy-predictor", "n.st", "--json")
    let accuracy = try #require((told.json["predictions"] as? [[String: Any]])?.first?["accuracy"])
    #expect(
      abs(try #require(accuracy as? Double) - (try #require(best["accuracy"] as? Double)))
        < 1e-6)
  }

  /// Without any accuracy of the space, its networks are ranked.
  @Test func aSpaceWithoutAccuraciesIsRanked() throws {
    let command = try Command()
    defer { command.remove() }
    let result = try command.run(
      [
        "search", "--space", "nasbench201", "--device", "desk", "--latency-budget", "1s",
        "--latency-predictor", KernelsTests.trained, "--no-measure", "--json",
      ] + Self.generations)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("ranked by a model of any network"), "\(result.errors)")
    let best = try #require(result.json["best"] as? [String: Any])
    #expect(best["accuracy"] is NSNull)
    let rank = try #require(best["rank"] as? Double)
    #expect(rank > 0.9 && rank < 1)
    let id = try #require(best["id"] as? String)
    #expect(try command.run("export", id, "-o", "net.onnx").status == 0)
    let predicted = try command.run("predict", "accuracy", id, "net.onnx", "--json")
    let rows = try #require(predicted.json["predictions"] as? [[String: Any]])
    #expect(abs(try #require(rows.first?["rank"] as? Double) - rank) < 1e-9)
    #expect(rows.map { $0["among"] as? String } == ["nasbench201", "networks learned from"])
    for row in rows {
      let (low, high) = (row["rankLow"] as? Double ?? 1, row["rankHigh"] as? Double ?? 0)
      #expect(low < high)
    }
  }

  /// Another width has the same genes, but other accuracies.
  @Test func aPredictorOfAnotherSpaceExtrapolates() throws {
    let command = try Command()
    defer { command.remove() }
    let file = URL(filePath: KernelsTests.probes).deletingLastPathComponent()
      .deletingLastPathComponent()
      .appending(path: "checkpoints/ofa-mobilenetv3-accuracy.safetensors").path
    let search =
      [
        "search", "--space", "ofa-mobilenetv3-w1.2", "--device", "desk", "--latency-budget", "1s",
        "--latency-predictor", KernelsTests.trained, "--accuracy-predictor", file, "--no-measure",
      ] + Self.generations
    let result = try command.run(search + ["--json"])
    let note = "\(file) was made for 'ofa-mobilenetv3', not 'ofa-mobilenetv3-w1.2'"
    #expect(result.errors.contains(note), "\(result.errors)")
    let best = try #require(result.json["best"] as? [String: Any])
    #expect(best["accuracyIsExtrapolated"] as? Bool == true)
    let text = try command.run(search)
    #expect(text.errors.contains("best network's accuracy is extrapolated"), "\(text.errors)")
  }

  @Test func filesOfTheWrongKindAreNamed() throws {
    let command = try Command()
    defer { command.remove() }
    #expect(try command.run("device", "add", "desk").status == 0)
    let kernels = KernelsTests.trained
    let root = URL(filePath: KernelsTests.probes).deletingLastPathComponent()
      .deletingLastPathComponent()
    let accuracy = root.appending(path: "checkpoints/ofa-mobilenetv3-accuracy.safetensors").path
    let fewShot = root.appending(path: "checkpoints/latency-fewshot.safetensors").path
    let search = [
      "search", "--space", "ofa-mobilenetv3", "--device", "desk", "--latency-budget", "3ms",
      "--no-measure",
    ]
    try "{}".write(toFile: command.path("empty.json"), atomically: true, encoding: .utf8)
    for (arguments, words) in [
      (search + ["--latency-predictor", accuracy], "is an accuracy predictor of one space"),
      (search + ["--accuracy-predictor", kernels], "is a kernel-level latency predictor"),
      (search + ["--accuracy-predictor", "none.st"], "none.st: cannot be read"),
      (search + ["--latency-predictor", "empty.json"], "empty.json: no lookup table"),
      (search + ["--latency-predictor", fewShot], "needs samples of 'desk'"),
      (
        search + ["--latency-predictor", kernels, "--confidence", "0.9"],
        "is a kernel-level latency predictor and has no intervals"
      ),
      (
        ["predict", "latency", "nasbench201:c3-c3_c3-c3_c3_c3", "--latency-predictor", accuracy],
        "takes one that predicts latency"
      ),
      (
        ["predict", "accuracy", "nasbench201:c3-c3_c3-c3_c3_c3", "--accuracy-predictor", fewShot],
        "takes one that predicts accuracy"
      ),
    ] {
      let result = try command.run(arguments)
      #expect(result.status == 65, "\(arguments): \(result.errors)")
      #expect(result.errors.contains(words), "\(arguments): \(result.errors)")
    }
  }
}
