import Architectures
import ArgumentParser
import Foundation
import Predictors
import Store

struct SamplesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "samples",
    abstract: "Measured latencies: list, import, export as CSV, remove, compare.",
    subcommands: [List.self, Import.self, Export.self, Remove.self, Compare.self])

  private static func printJSON(_ samples: [Sample]) throws {
    try Output.json("samples", ["samples": .array(samples.map { $0.json })])
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List samples of the store.")
    @Option(help: "Only of this device.") var device: String?
    @Option(help: "Only of this space.") var space: String?
    @Option(help: "table, json or csv.") var format = ListFormat.table
    @OptionGroup var common: CommonOptions

    func run() throws {
      let samples = try Store().samples(device: device, space: space)
      switch common.json ? .json : format {
      case .json:
        try SamplesCommand.printJSON(samples)
      case .csv:
        Output.text(SamplesCSV.text(samples))
      case .table:
        Output.table(
          ["median ms", "device", "batch", "threads", "runtime", "network"],
          samples.map {
            [
              Output.milliseconds($0.latencyMedian.value), $0.device,
              $0.batch.map(String.init) ?? "-", $0.threads.map(String.init) ?? "-",
              [$0.runtime, $0.runtimeVersion].compactMap { $0 }.joined(separator: " "), $0.id,
            ]
          })
      }
    }
  }

  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Import samples from CSV (columns: Docs/samples.md); all of the file or nothing.")
    @Argument(help: "CSV files; id and latency_ms suffice.") var files: [String]
    @Option(help: "Device of rows that name none.") var device: String?
    @Flag(help: "Replace samples of the same network, device and conditions.") var replace = false
    @Flag(help: "Latencies are all below one millisecond, and meant so.") var subMillisecond = false
    @OptionGroup var common: CommonOptions

    func run() throws {
      let count = try SampleImport(
        device: device, replacing: replace, subMillisecond: subMillisecond, quiet: common.quiet
      ).add(files, to: Store())
      if common.json {
        try Output.json("import", ["imported": .integer(count)])
      } else {
        Output.line("\(count) samples imported")
        if count < FewShotAdaptation.fewest {
          Terminal.note(
            "note: a predictor of the order of networks needs about 10 samples of a device, one of "
              + "the latencies themselves about 20", quiet: common.quiet)
        }
      }
    }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Export samples as CSV.")
    @Option(help: "Only of this device.") var device: String?
    @Option(help: "Only of this space.") var space: String?
    @Option(name: .shortAndLong, help: "File to write; stdout when left out.") var output: String?
    @OptionGroup var common: CommonOptions

    func run() throws {
      let store = try Store()
      let samples = try store.samples(device: device, space: space)
      // A misspelt name is no reason to empty a file.
      if let device { try store.requireSamplesOrDevice(named: device) }
      let text = SamplesCSV.text(samples)
      guard let output else {
        return try common.json ? SamplesCommand.printJSON(samples) : Output.text(text)
      }
      try OutputFile.write(text, to: output)
      if common.json {
        try Output.json(
          "export", ["exported": .integer(samples.count), "file": .string(output)])
      } else {
        Output.line("\(samples.count) samples in \(output)")
      }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a device's samples from the store; the device stays.")
    @Option(help: "Device whose samples go.") var device: String
    @Option(help: "Only of this space.") var space: String?
    @OptionGroup var common: CommonOptions

    func run() throws {
      let store = try Store()
      try store.requireSamplesOrDevice(named: device)
      let count = try store.removeSamples(device: device, space: space)
      if common.json {
        try Output.json("removal", ["device": .string(device), "removed": .integer(count)])
      } else {
        Output.line("\(count) samples of \(device) removed")
      }
    }
  }
}

extension Store {
  /// - Throws: `StoreError.unknownDevice` for a name that nothing is known of.
  fileprivate func requireSamplesOrDevice(named name: String) throws {
    if try samples(device: name).isEmpty { _ = try storedDevice(named: name) }
  }
}
