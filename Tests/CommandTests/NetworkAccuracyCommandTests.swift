import Foundation
import Testing

struct NetworkAccuracyCommandTests {
  /// Trains on a CSV, then asks for a network by its id and as an ONNX file.
  @Test func trainOnSamplesAndPredictAFile() throws {
    let command = try Command()
    defer { command.remove() }
    let operations = ["none", "skip", "c1", "c3", "p3"]
    var lines = ["id,accuracy"]
    for index in 0..<24 {
      // Digits to the base of five of numbers far apart.
      var number = 17 + 643 * index
      let edges = (0..<6).map { _ in
        defer { number /= 5 }
        return operations[number % 5]
      }
      let quality = edges.reduce(0) { $0 + ($1 == "c3" ? 2 : $1 == "c1" ? 1 : 0) }
      lines.append(
        "nasbench201:\(edges[0])-\(edges[1])_\(edges[2])-\(edges[3])_\(edges[4])_\(edges[5]),"
          + "\(60 + quality)")
    }
    try lines.joined(separator: "\n").write(
      toFile: command.path("samples.csv"), atomically: true, encoding: .utf8)
    try #"{"predictor": "networks", "steps": 10}"#.write(
      toFile: command.path("recipe.json"), atomically: true, encoding: .utf8)
    let trained = try command.run(
      "predictor", "train", "--recipe", "recipe.json", "--samples", "samples.csv", "-o", "p.st",
      "--plot", "p.svg", "--json")
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(trained.json["schema"] as? String == "swiftlet.training")
    #expect(FileManager.default.fileExists(atPath: command.path("p.svg")))
    let file = try #require(FileManager.default.contents(atPath: command.path("p.st")))
    #expect(file.range(of: Data(#"\"digest\":"#.utf8)) != nil)
    let id = "nasbench201:c3-skip_c1-p3_none_c3"
    #expect(try command.run("export", id, "-o", "net.onnx", "--batch", "1").status == 0)
    let predicted = try command.run(
      "predict", "accuracy", id, "net.onnx", "--accuracy-predictor", "p.st", "--json")
    let rows = predicted.json["predictions"] as? [[String: Any]] ?? []
    #expect(rows.count == 2, "\(predicted.errors)")
    guard rows.count == 2 else { return }
    for key in ["accuracy", "accuracyLow", "accuracyHigh", "score"] {
      #expect(rows[0][key] as? Double != nil)
      #expect(rows[0][key] as? Double == rows[1][key] as? Double, "\(key)")
    }
  }

  private static let blocks = "k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3"

  /// The bundled predictor learned at 224 pixels.
  @Test func extrapolationIsTold() throws {
    let command = try Command()
    defer { command.remove() }
    let ask = ["predict", "accuracy"] + [224, 160].map { "ofa-mobilenetv3:r\($0)-\(Self.blocks)" }
    let rows = try command.run(ask + ["--json"]).json["predictions"] as? [[String: Any]] ?? []
    #expect(rows.map { $0["isExtrapolated"] as? Bool } == [false, true])
    let text = try command.run(ask)
    #expect(text.errors.contains("note: 1 of 2 predictions are extrapolated"), "\(text.errors)")
    #expect(!text.errors.contains("was made for"), "\(text.errors)")
  }

  @Test func aPredictorOfAnotherSpaceIsNamed() throws {
    let command = try Command()
    defer { command.remove() }
    let file = URL(filePath: KernelsTests.probes).deletingLastPathComponent()
      .deletingLastPathComponent()
      .appending(path: "checkpoints/ofa-mobilenetv3-accuracy.safetensors").path
    let result = try command.run(
      "predict", "accuracy", "ofa-mobilenetv3-w1.2:r224-\(Self.blocks)", "--accuracy-predictor",
      file, "--json")
    let note = "note: \(file) was made for 'ofa-mobilenetv3', not 'ofa-mobilenetv3-w1.2'"
    #expect(result.errors.contains(note), "\(result.errors)")
    let rows = result.json["predictions"] as? [[String: Any]] ?? []
    #expect(rows.map { $0["isExtrapolated"] as? Bool } == [true])
  }

  /// Accuracies and ranks can't be compared, so one network without an accuracy makes all of them
  /// ranks.
  @Test func ranksNameSpacesThatHaveAccuracies() throws {
    let command = try Command()
    defer { command.remove() }
    let cell = "nasbench201:c3-c3_c3-c3_c3_c3"
    let words = "networks of ofa-mobilenetv3 have accuracies when asked for alone"
    let mixed = try command.run("predict", "accuracy", "ofa-mobilenetv3:r160-\(Self.blocks)", cell)
    #expect(mixed.status == 0 && mixed.errors.contains(words), "\(mixed.errors)")
    #expect(try !command.run("predict", "accuracy", cell).errors.contains("alone"))
  }

  /// The same network by its id and as a file counts once.
  @Test func aNetworkOfTwoNamesCountsOnce() throws {
    let command = try Command()
    defer { command.remove() }
    let id = "nasbench201:c3-skip_c1-p3_none_c3"
    #expect(try command.run("export", id, "-o", "net.onnx", "--batch", "1").status == 0)
    try "id,accuracy\n\(id),0.9\nnet.onnx,0.8\n".write(
      toFile: command.path("s.csv"), atomically: true, encoding: .utf8)
    try #"{"predictor": "networks"}"#.write(
      toFile: command.path("r.json"), atomically: true, encoding: .utf8)
    let result = try command.run(
      "predictor", "train", "--recipe", "r.json", "--samples", "s.csv")
    #expect(result.errors.contains("s.csv:3: 'net.onnx' again; the mean counts"))
    #expect(result.errors.contains("1 samples of networks"), "\(result.errors)")
  }

  @Test(arguments: [
    ("nasbench201:c3-c3_c3-c3_c3_c3,-1", "s.csv:2: the accuracy '-1'"),
    ("nasbench201:c3-c3_c3-c3_c3,90", "s.csv:2: "),
    (
      "nasbench201:c3-c3_c3-c3_c3_c3,0.9\nnasbench201:c1-c3_c3-c3_c3_c3,90",
      "s.csv: accuracies from"
    ),
    (
      "nasbench201:c3-c3_c3-c3_c3_c3,0.9",
      "1 samples of networks that read their input; 8 are needed"
    ),
  ])
  func mistakesInSamples(lines: String, message: String) throws {
    let command = try Command()
    defer { command.remove() }
    try "id,accuracy\n\(lines)\n".write(
      toFile: command.path("s.csv"), atomically: true, encoding: .utf8)
    try #"{"predictor": "networks"}"#.write(
      toFile: command.path("r.json"), atomically: true, encoding: .utf8)
    let result = try command.run(
      "predictor", "train", "--recipe", "r.json", "--samples", "s.csv")
    #expect(result.status == 65)
    #expect(result.errors.contains(message), "\(result.errors)")
  }
}
