import Foundation
import Testing

/// What `predictor`, `predict latency` and `samples` do with samples and options that don't fit.
struct PredictorCommandTests {
  private static let datasets = URL(filePath: KernelsTests.probes).deletingLastPathComponent()
  static let table = datasets.appending(path: "ofa-mobilenetv3-table.json").path

  /// Ids of `ofa-mobilenetv3` with a latency each that grows with their number of blocks.
  private static func measured(
    _ count: Int, _ command: Command
  ) throws -> [(id: String, ms: Double)] {
    let drawn = try command.run(
      "space", "sample", "ofa-mobilenetv3", "-n", "\(count)", "--json"
    ).json
    let networks = try #require(drawn["architectures"] as? [[String: Any]])
    return try networks.map {
      let id = try #require($0["id"] as? String)
      return (id, 1 + 0.1 * Double(id.split(whereSeparator: { "-_".contains($0) }).count))
    }
  }

  private static func write(_ lines: [String], _ name: String, _ command: Command) throws {
    try (lines.joined(separator: "\n") + "\n")
      .write(toFile: command.path(name), atomically: true, encoding: .utf8)
  }

  /// Samples of two devices, or of two conditions of one, are no measure of a table.
  @Test func tablesAreScoredOnOneDevice() throws {
    let command = try Command()
    defer { command.remove() }
    let rows = try Self.measured(12, command)
    func evaluate(_ options: String...) throws -> Command.Result {
      try command.run(
        [
          "predictor", "evaluate", "--space", "ofa-mobilenetv3", "--table", Self.table,
          "--samples", "s.csv", "--holdout", "5", "--json",
        ] + options)
    }
    try Self.write(
      ["id,latency_ms,device"]
        + rows.enumerated().map { "\($1.id),\($1.ms),\($0 < 10 ? "slow" : "fast")" },
      "s.csv", command)
    let two = try evaluate()
    #expect(two.status == 65)
    #expect(two.errors.contains("of 'fast', 'slow'; choose one with --device"), "\(two.errors)")
    let one = try evaluate("--device", "slow")
    #expect(one.status == 0 && one.json["samples"] as? Int == 5, "\(one.errors)")
    let few = try evaluate("--device", "fast")
    #expect(few.errors.contains("2 samples of ofa-mobilenetv3 on 'fast'"), "\(few.errors)")

    try Self.write(
      ["id,latency_ms,device,threads"]
        + rows.enumerated().map { "\($1.id),\($1.ms),d,\(1 + $0 % 2)" }, "s.csv", command)
    let conditions = try evaluate()
    #expect(conditions.status == 65)
    #expect(conditions.errors.contains("(threads=1; threads=2)"), "\(conditions.errors)")
  }

  /// What a table was calibrated on doesn't score it.
  @Test func calibrationSamplesDoNotScore() throws {
    let command = try Command()
    defer { command.remove() }
    let rows = try Self.measured(30, command)
    try Self.write(["id,latency_ms"] + rows.map { "\($0.id),\($0.ms)" }, "s.csv", command)
    try FileManager.default.copyItem(atPath: Self.table, toPath: command.path("t.json"))
    func run(_ arguments: String...) throws -> Command.Result {
      try command.run(
        arguments + ["--space", "ofa-mobilenetv3", "--samples", "s.csv", "--json"])
    }
    let apart = try run("table", "calibrate", "t.json", "-n", "20", "--holdout", "10")
    #expect(apart.status == 0, "\(apart.errors)")
    let clean = try run("predictor", "evaluate", "--table", "t.json", "--holdout", "10")
    #expect(clean.json["samples"] as? Int == 10 && clean.errors.isEmpty, "\(clean.errors)")
    let mixed = try run("predictor", "evaluate", "--table", "t.json", "--holdout", "29")
    #expect(mixed.json["samples"] as? Int == 10, "\(mixed.errors)")
    #expect(mixed.errors.contains("note: 19 of 29 networks don't score"), "\(mixed.errors)")
    #expect(try run("table", "calibrate", "t.json", "-n", "30").status == 0)
    let none = try run("predictor", "evaluate", "--table", "t.json", "--holdout", "10")
    #expect(none.status == 65)
    #expect(none.errors.contains("calibrated on all 10 networks"), "\(none.errors)")
  }

  /// A table must be of its format, and price blocks of its space.
  @Test func importedTablesAreChecked() throws {
    let command = try Command()
    defer { command.remove() }
    try Self.write(
      [
        "Conv-input:224x224x3-output:112x112x16:", "  mean: 1",
        "expanded_conv-input:9x9x9-output:9x9x9-expand:3-kernel:3-stride:1-idskip:1:", "  mean: 2",
      ], "t.yaml", command)
    func take(_ format: String, _ space: String) throws -> Command.Result {
      try command.run(
        "table", "import", "t.yaml", "--format", format, "--space", space, "--device", "d", "-o",
        "t.json")
    }
    let format = try take("nsganetv2", "fbnet")
    #expect(format.status == 65)
    #expect(format.errors.contains("are those of --format proxylessnas"), "\(format.errors)")
    let space = try take("proxylessnas", "nasbench201")
    #expect(space.status == 65)
    #expect(space.errors.contains("blocks of nasbench201 is there"), "\(space.errors)")
    #expect(!FileManager.default.fileExists(atPath: command.path("t.json")))
    let part = try take("proxylessnas", "fbnet")
    #expect(part.status == 0, "\(part.errors)")
    #expect(part.errors.contains("note: the table lacks "), "\(part.errors)")
  }

  /// A fast device takes less than a millisecond for every network; these are no seconds.
  @Test func samplesBelowAMillisecondScoreATable() throws {
    let command = try Command()
    defer { command.remove() }
    let rows = try Self.measured(12, command)
    try Self.write(["id,latency_ms"] + rows.map { "\($0.id),\($0.ms / 100)" }, "s.csv", command)
    let result = try command.run(
      "predictor", "evaluate", "--space", "ofa-mobilenetv3", "--table", Self.table,
      "--samples", "s.csv", "--holdout", "5", "--json")
    #expect(result.status == 0 && result.json["samples"] as? Int == 5, "\(result.errors)")
  }

  /// One network may not be learned from and score.
  @Test func aNetworkOfTwoNamesIsRefused() throws {
    let command = try Command()
    defer { command.remove() }
    // Both widths of the stem are rounded to 24 channels.
    let rest = "d0-w1-w1_e0.35_e0.2-w0.8_e0.2_e0.2-w0.65_e0.35_e0.25_e0.2_e0.25-w0.8_e0.25_e0.25"
    try Self.write(
      ["id,latency_ms"]
        + ["w0.65", "w0.8", "w1"].enumerated().map { "ofa-resnet50:r132-\($1)-\(rest),\($0 + 2)" },
      "s.csv", command)
    let result = try command.run(
      "table", "calibrate", "none.json", "--space", "ofa-resnet50", "--samples", "s.csv")
    #expect(result.status == 65)
    #expect(
      result.errors.contains("s.csv: ofa-resnet50:r132-w0.65-\(rest) is there twice"),
      "\(result.errors)")
  }

  /// A kernel predictor is scored on samples of its own setting.
  @Test func kernelsAreScoredUnderTheirConditions() throws {
    let command = try Command()
    defer { command.remove() }
    for (batch, status) in [(1, 0), (2, 65)] {
      try Self.write(
        [
          "id,space,device,latency_ms,threads,batch,optimization",
          "family:alexnet-0,families,onnxruntime-1t,1.7,1,\(batch),all",
          "family:alexnet-1,families,onnxruntime-1t,3.7,1,\(batch),all",
        ], "s.csv", command)
      let result = try command.run(
        "kernels", "evaluate", "--predictor", KernelsTests.trained, "--samples", "s.csv")
      #expect(result.status == status, "\(result.errors)")
      #expect(
        status == 0 || result.errors.contains("(threads=1 batch=1 optimization=all) in s.csv"))
    }
  }

  /// Samples count under the conditions that they would be used under.
  @Test func samplesOfOtherConditionsDoNotCount() throws {
    let command = try Command()
    defer { command.remove() }
    let rows = try Self.measured(13, command)
    #expect(try command.run("device", "add", "desk", "--no-check").status == 0)
    func add(_ rows: ArraySlice<(id: String, ms: Double)>, _ conditions: String) throws {
      try Self.write(
        ["id,latency_ms,threads,batch,precision,optimization"]
          + rows.map { "\($0.id),\($0.ms),\(conditions)" }, "s.csv", command)
      #expect(try command.run("samples", "import", "s.csv", "--device", "desk").status == 0)
    }
    try add(rows[..<12], "2,1,float32,all")
    let other = try command.run("predict", "latency", rows[12].id, "--device", "desk")
    #expect(other.status == 0)
    #expect(
      other.errors.contains(
        "(threads=2 batch=1 precision=float32 optimization=all) than its own (threads=1 "),
      "\(other.errors)")
    try add(rows[..<4], "1,1,float32,all")
    let folder = command.path(".swiftlet/tables/desk")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: Self.table, toPath: folder + "/ofa-mobilenetv3.json")
    let own = try command.run("predict", "latency", rows[12].id, "--device", "desk")
    #expect(own.errors.contains("note: by the table .swiftlet/tables/desk"), "\(own.errors)")
  }

  /// What can't be learned from together is not stored, so that a corrected file is taken.
  @Test func samplesThatDisagreeAreNotStored() throws {
    let command = try Command()
    defer { command.remove() }
    let rows = try Self.measured(12, command)
    func adapt(threads: (Int) -> Int) throws -> Command.Result {
      try Self.write(
        ["id,latency_ms,threads"]
          + rows.enumerated().map { "\($1.id),\($1.ms),\(threads($0))" }, "s.csv", command)
      return try command.run("predictor", "adapt", "--device", "ph", "--samples", "s.csv", "--json")
    }
    let mixed = try adapt { 1 + $0 % 2 }
    #expect(mixed.status == 65)
    #expect(
      mixed.errors.contains("s.csv: samples of 'ph' were taken under 2 conditions (threads=1; "),
      "\(mixed.errors)")
    let corrected = try adapt { _ in 1 }
    #expect(corrected.json["samples"] as? Int == 12, "\(corrected.errors)")
    let other = try adapt { _ in 2 }
    #expect(other.status == 65)
    #expect(other.errors.contains("swiftlet samples remove --device ph"), "\(other.errors)")
    let exported = try command.run("samples", "export", "--device", "ph", "--json")
    #expect((exported.json["samples"] as? [Any])?.count == 12)
    let removed = try command.run("samples", "remove", "--device", "ph", "--json")
    #expect(removed.json["removed"] as? Int == 12, "\(removed.errors)")
    #expect(try adapt { _ in 2 }.json["samples"] as? Int == 12)
  }

  /// Families are at hand; a file is, while it holds what was measured; probes are no networks.
  @Test func networksOfNoSpaceAreAtHand() throws {
    let command = try Command()
    defer { command.remove() }
    let cell = "nasbench201:c3-c3_c3-c3_c3_c3"
    #expect(try command.run("export", cell, "-o", "net.onnx").status == 0)
    try Self.write(
      [
        "id,space,latency_ms,network", "family:alexnet-0,families,1.7,", "family:alexnet-1,,3.7,",
        "family:vgg-0,families,9.7,", "net.onnx,,2.5,0123456789abcdef",
        #""Input1:1x8x4x4; Relu(Input1) --> Out1:1x8x4x4",probes,0.1,"#,
      ], "s.csv", command)
    let changed = try command.run(
      "predictor", "adapt", "--device", "d", "--samples", "s.csv", "--json")
    #expect(changed.json["samples"] as? Int == 3, "\(changed.errors)")
    #expect(changed.errors.contains("1 samples are of networks that are not at hand"))
    try Self.write(["id,latency_ms", "net.onnx,2.5"], "s.csv", command)
    let named = try command.run(
      "predictor", "adapt", "--device", "d", "--samples", "s.csv", "--json")
    #expect(named.json["samples"] as? Int == 4, "\(named.errors)")
  }

  /// Notes come once, by device, and not at all when nobody wants them.
  @Test func outliersAreNotedOnce() throws {
    let command = try Command()
    defer { command.remove() }
    let rows = try Self.measured(6, command)
    func notes(_ arguments: [String]) throws -> Int {
      try command.run(arguments).errors.components(separatedBy: "in another unit?").count - 1
    }
    try Self.write(
      ["id,latency_ms"] + rows.enumerated().map { "\($1.id),\($0 == 3 ? 5000 : $1.ms)" },
      "s.csv", command)
    #expect(try notes(["predictor", "adapt", "--device", "d", "--samples", "s.csv"]) == 1)
    #expect(try notes(["samples", "import", "s.csv", "--device", "e", "--quiet"]) == 0)
    try Self.write(
      ["id,latency_ms,device"]
        + rows.flatMap { ["\($0.id),\($0.ms),fast", "\($0.id),\($0.ms * 1000),slow"] },
      "s.csv", command)
    #expect(try notes(["samples", "import", "s.csv"]) == 0)
  }

  /// A recipe for one space, quick to train.
  private static let recipe = """
    {"space": "nasbench201", "members": 1,
     "candidates": [{"hidden": [8], "learningRate": 0.01, "weightDecay": 0.1, "epochs": 2}]}
    """

  /// Any seed that fits 64 bits, into a folder that is not there yet.
  @Test func trainsWithAnySeedIntoANewFolder() throws {
    let command = try Command()
    defer { command.remove() }
    let drawn = try command.run("space", "sample", "nasbench201", "-n", "40", "--json").json
    let networks = try #require(drawn["architectures"] as? [[String: Any]])
    try Self.write(
      ["id,accuracy"]
        + networks.enumerated().map { "\($1["id"] ?? ""),\(0.5 + 0.01 * Double($0))" },
      "s.csv", command)
    try Self.write([Self.recipe], "r.json", command)
    let result = try command.run(
      "predictor", "train", "--recipe", "r.json", "--samples", "s.csv", "-o", "new/deep/p.st",
      "--seed", "9223372036854775808", "--json")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("\"seed\":9223372036854775808"), "\(result.output)")
    #expect(FileManager.default.fileExists(atPath: command.path("new/deep/p.st")))
    // What can't be written fails before anything is trained.
    let blocked = try command.run(
      "predictor", "train", "--recipe", "r.json", "--samples", "s.csv", "-o", "s.csv/p.st")
    #expect(blocked.status == 1 && blocked.errors.contains("s.csv/p.st: can't be written"))
  }

  @Test func theSeedReachesLatencyRecipes() throws {
    let command = try Command()
    defer { command.remove() }
    let drawn = try command.run("space", "sample", "nasbench201", "-n", "120", "--json").json
    let networks = try #require(drawn["architectures"] as? [[String: Any]])
    try Self.write(
      ["id,a,b,c"]
        + networks.enumerated().map { "\($1["id"] ?? ""),\($0 + 1),\(2 + $0 % 7),\(120 - $0)" },
      "t.csv", command)
    try Self.write(
      [
        #"{"kind": "few-shot latency", "seed": 0,"#,
        #""tables": [{"file": "t.csv", "space": "nasbench201"}]}"#,
      ], "r.json", command)
    let result = try command.run(
      "predictor", "train", "--recipe", "r.json", "--data", ".", "--seed", "7", "--json")
    #expect(result.status == 0, "\(result.errors)")
    #expect((result.json["provenance"] as? String)?.hasPrefix("meta-trained with seed 7") == true)
  }

  @Test(arguments: [
    (recipe, ["--samples", "s.csv", "--plot", "p.svg"], "--plot"),
    (recipe, ["--samples", "s.csv", "--data", "."], "--data"),
    (#"{"predictor": "networks"}"#, ["--samples", "s.csv", "--releases", "s.csv"], "--releases"),
    (#"{"predictor": "ranking"}"#, ["--data", ".", "--samples", "s.csv"], "--samples"),
    (#"{"kind": "few-shot latency"}"#, ["--data", ".", "--plot", "p.svg"], "--plot"),
  ]) func optionsWithoutUseAreRefused(recipe: String, options: [String], name: String) throws {
    let command = try Command()
    defer { command.remove() }
    try Self.write([recipe], "r.json", command)
    let result = try command.run(["predictor", "train", "--recipe", "r.json"] + options)
    #expect(result.status == 64, "\(result.errors)")
    #expect(result.errors.contains("\(name): r.json has no use for it"), "\(result.errors)")
  }

  /// A packed file by its full name; a damaged one in one line, without gzip's own.
  @Test func packedFilesAreReadByTheirFullName() throws {
    let command = try Command()
    defer { command.remove() }
    try Self.write(["id,accuracy", "a,1", "b,2"], "first.csv", command)
    try Self.write(["id,accuracy", "a,1", "b,3"], "second.csv", command)
    let gzip = Process()
    gzip.executableURL = URL(filePath: "/usr/bin/env")
    gzip.arguments = ["gzip", command.path("first.csv")]
    try gzip.run()
    gzip.waitUntilExit()
    let compare = ["samples", "compare", "first.csv.gz", "second.csv", "--json"]
    #expect(try command.run(compare).json["networks"] as? Int == 2)
    try Self.write(["no gzip"], "first.csv.gz", command)
    let damaged = try command.run(compare)
    #expect(damaged.status == 65)
    #expect(damaged.errors.split(separator: "\n").count == 1, "\(damaged.errors)")
  }
}
