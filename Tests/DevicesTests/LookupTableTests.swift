import Architectures
import Foundation
import Testing

@testable import Devices

/// A path that is gone when the test is.
final class TemporaryPath: Sendable {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("swiftlet-\(UUID().uuidString)").path

  deinit {
    for suffix in ["", ".partial", "-wal", "-shm", ".lock", ".device-fake.lock"] {
      try? FileManager.default.removeItem(atPath: path + suffix)
    }
  }
}

@Suite struct LookupTableTests {
  var table: LookupTable {
    var table = LookupTable(space: "toy", provenance: .init(device: "here"))
    table.entries = ["a": .init(Milliseconds(1.5)), "b": .init(Milliseconds(2))]
    return table
  }

  @Test func sumsAndMissingKeys() throws {
    #expect(try table.sum(["a", "b", "a"]).value == 5)
    #expect(try table.latency(["a"], resolution: 224).value == 1.5)
    let error = #expect(throws: DevicesError.self) { try table.sum(["x", "a", "y", "x"]) }
    #expect(error?.message == "the table of 'here' for toy lacks 2 keys, first: x")
    #expect(error?.exitCode == 65)
    let uncovered = #expect(throws: DevicesError.self) {
      try table.requireEntries(for: ["a", "d", "c", "c"])
    }
    #expect(uncovered?.message == "the table of 'here' for toy lacks 2 of 3 keys, first: c")
  }

  @Test func filesComeBack() throws {
    let file = TemporaryPath()
    var table = table
    table.entries["c\nd"] = .init(Milliseconds(0.1))
    table.entries["c\nd"]?.isStable = true
    table.provenance.settings = MeasurementSettings()
    try table.write(to: file.path)
    #expect(try LookupTable(path: file.path) == table)
  }

  @Test(arguments: [
    ("{}", "no lookup table of Swiftlet"),
    ("nonsense", "no lookup table of Swiftlet"),
    ("{\"schema\":\"swiftlet.lookup-table\",\"version\":2}", "a table of format 2"),
    ("{\"schema\":\"swiftlet.lookup-table\",\"version\":1}", "'table' is missing"),
  ])
  func badFilesAreNamed(text: String, words: String) throws {
    let file = TemporaryPath()
    try text.write(toFile: file.path, atomically: true, encoding: .utf8)
    let error = #expect(throws: DevicesError.self) { try LookupTable(path: file.path) }
    #expect(error?.message.contains(words) == true)
    #expect(error?.message.hasPrefix(file.path) == true)
  }

  @Test(arguments: [
    ("a:\n  mean: 1.5\n  count: 3\nb:\n  mean: 2\n", nil),
    ("", "t:1: the file has no keys"),
    ("a:\n  std: 1\nb:\n  mean: 2\n", "t:1: 'a' has no mean"),
    ("a:\n  mean: x\n", "t:2: mean is 'x', which is no number"),
    ("a:\n  mean: -1\n", "t:1: 'a' has the mean -1.0"),
    ("a:\n  mean: 1\na:\n  mean: 1\n", "t:3: 'a' occurs twice"),
    ("a:\n  mean: 1\n  mean: 2\n", "t:3: mean occurs twice"),
    ("a:\n  speed: 1\n", "t:2: unknown field 'speed'; mean, std, var and count are meant"),
    ("  mean: 1\n", "t:1: 'mean' belongs to no key"),
    ("a: 1\n", "t:1: 'a: 1' is neither 'key:' nor 'name: number'"),
    ("a\n", "t:1: 'a' is neither 'key:' nor 'name: number'"),
  ])
  func flatYAML(text: String, message: String?) throws {
    guard let message else {
      let entries = try PublishedTable.flatYAML(text, file: "t")
      #expect(entries["a"]?.milliseconds.value == 1.5)
      #expect(entries["a"]?.repeats == 3)
      #expect(entries["b"]?.milliseconds.value == 2)
      return
    }
    let error = #expect(throws: DevicesError.self) {
      try PublishedTable.flatYAML(text, file: "t")
    }
    #expect(error?.message == message)
  }

  @Test func singlePath() throws {
    let entries = try PublishedTable.singlePathJSON(
      "{\"3\": {\"0\": 1, \"1\": 2.5, \"2\": 3, \"3\": 4}}", file: "t")
    #expect(entries["block:3-op:3x3-e6"]?.milliseconds.value == 2.5)
    #expect(throws: DevicesError.self) {
      try PublishedTable.singlePathJSON("{\"3\": {\"0\": 1}}", file: "t")
    }
  }
}

@Suite struct CalibrationTests {
  /// Networks whose latency follows from their blocks by the given coefficients.
  func networks(_ count: Int, intercept: Double, slope: Double, perBlock: Double, noise: Double)
    -> [Calibration.Sample]
  {
    var state: UInt64 = 7
    func random() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / Double(1 << 53)
    }
    return (0..<count).map { _ in
      let blocks = 10 + Int(random() * 12)
      let sum = Double(blocks) * (0.5 + random())
      let latency =
        (intercept + slope * sum + perBlock * Double(blocks)) * (1 + noise * (random() - 0.5))
      return Calibration.Sample(
        sum: Milliseconds(sum), blocks: blocks, resolution: 128 + 4 * Int(random() * 24),
        measured: Milliseconds(latency))
    }
  }

  @Test func findsTheLawBehindTheSamples() throws {
    let fit = try Calibration(
      fitting: networks(40, intercept: 0.3, slope: 0.9, perBlock: -0.05, noise: 0))
    #expect(abs(fit.intercept - 0.3) < 1e-6)
    #expect(abs(fit.slope - 0.9) < 1e-6)
    #expect(abs(fit.perBlock + 0.05) < 1e-6)
    #expect(abs(fit.perResolution) < 1e-6)
    #expect(fit.error < 1e-9)
    #expect(fit.samples == 40)
    let latency = fit.latency(sum: Milliseconds(10), blocks: 12, resolution: 160)
    #expect(abs(latency.value - 8.7) < 1e-5)
  }

  @Test func takesNoTermsThatDoNotHelp() throws {
    let fit = try Calibration(
      fitting: networks(30, intercept: 0, slope: 0.8, perBlock: 0, noise: 0.02))
    #expect(fit.perBlock == 0)
    #expect(fit.perResolution == 0)
    #expect(abs(fit.slope - 0.8) < 0.02)
    #expect(fit.error < 0.01)
  }

  @Test func tooFewOrEqualNetworksAreRefusedOrSurvived() throws {
    let few = networks(4, intercept: 0, slope: 1, perBlock: 0, noise: 0)
    #expect(throws: DevicesError.self) { try Calibration(fitting: few) }
    let equal = Array(repeating: few[0], count: 8)
    #expect(abs(try Calibration(fitting: equal).slope - 1) < 1e-9)
  }
}
