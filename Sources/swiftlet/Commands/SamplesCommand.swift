import Architectures
import ArgumentParser
import Foundation
import Predictors
import Store

struct SamplesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "samples", abstract: "Measured latencies: list, import, export as CSV.",
    subcommands: [List.self, Import.self, Export.self])

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
        try Output.json("samples", ["samples": .array(samples.map { $0.json })])
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
      let store = try Store()
      var count = 0
      for file in files {
        guard let data = FileManager.default.contents(atPath: file),
          let text = String(data: data, encoding: .utf8)
        else { throw Failure(.input, "\(file): no such file, or no UTF-8 text") }
        var samples = try SamplesCSV.parse(
          text, file: file, device: device, allowingSubMillisecond: subMillisecond)
        try resolve(&samples, file: file)
        try store.add(samples, replacing: replace)
        count += samples.count
      }
      if common.json {
        try Output.json("import", ["imported": .integer(count)])
      } else {
        Output.line("\(count) samples imported")
      }
    }

    /// Ids in canonical form with the digest of their network, so that the same network is the
    /// same sample wherever it came from. Names of files stay as they are.
    private func resolve(_ samples: inout [Sample], file: String) throws {
      var spaces: [String: SearchSpace] = [:]
      for index in samples.indices {
        let id = samples[index].id
        if let graph = try NetworkID.free(id) {
          samples[index].network = graph.digest
          continue
        }
        guard let colon = id.firstIndex(of: ":") else { continue }
        let name = String(id[..<colon])
        do {
          let space = try spaces[name] ?? SpaceCatalog.standard.space(name)
          spaces[name] = space
          let genotype = try space.genotype(id: id)
          samples[index].id = space.id(genotype)
          samples[index].space = space.name
          samples[index].network = try space.graph(genotype).digest
        } catch let error as ArchitecturesError {
          throw Failure(.input, "\(file): sample \(index + 1): \(error)")
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
      let samples = try Store().samples(device: device, space: space)
      let text = SamplesCSV.text(samples)
      guard let output else { return Output.text(text) }
      try OutputFile.write(text, to: output)
      if common.json {
        try Output.json(
          "export", ["exported": .integer(samples.count), "file": .string(output)])
      } else {
        Output.line("\(samples.count) samples in \(output)")
      }
    }
  }
}
