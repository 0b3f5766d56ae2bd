import Architectures
import ArgumentParser
import Devices
import Foundation
import Predictors
import Store
import Tensors

extension PredictorCommand {
  struct Adapt: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fit the few-shot latency predictor to a device from a handful of networks.",
      discussion: """
        Without --samples the networks that tell most are chosen and measured by the device's \
        worker; --list prints them instead, for measuring by hand: fill in latency_ms and bring the \
        file back with --samples. Samples are kept in the store, where 'predict latency' and \
        'search' find them.
        """)
    @Option(help: "Device, as added with 'swiftlet device add', or any name with --samples.")
    var device: String
    @Option(help: "Space whose networks are measured, or a file of the space that samples are of.")
    var space: String?
    @Option(name: [.customShort("n"), .long], help: "How many networks to measure.") var count = 20
    @Option(help: "Seed of the networks that are chosen from.") var seed: UInt64 = 0
    @Flag(help: "Print the networks as CSV and measure nothing.") var list = false
    @Option(help: "CSV of measured latencies: id, latency_ms.") var samples: String?
    @Flag(help: "Latencies are all below one millisecond, and meant so.") var subMillisecond = false
    @Option(help: "File for a plot (SVG) of predicted against measured.") var plot: String?
    @Option(help: "Model to adapt; by default the one that came along.") var model: String?
    @OptionGroup var common: CommonOptions

    func run() throws {
      guard (2...1000).contains(count) else {
        throw Failure(.usage, "-n \(count): 2 to 1000 networks")
      }
      let store = try Store()
      let searchSpace = try space.map { try SpaceCatalog.standard.space($0) }
      if let samples {
        guard !list else {
          throw Failure(.usage, "--list: prints networks to measure; --samples has them measured")
        }
        let file = SampleImport(
          device: device, space: searchSpace, subMillisecond: subMillisecond, quiet: common.quiet)
        let read = try file.read(samples)
        // A column 'device' counts for more than the option: rows of others would help nothing here.
        let named = Set(read.map(\.device)).sorted()
        guard named.isEmpty || named.contains(device) else {
          throw Failure(
            .input,
            "\(samples): its samples are of '\(named.joined(separator: "', '"))' (column 'device'), "
              + "none of '\(device)'; say --device \(named[0]), or leave that column out")
        }
        try file.requireAgreement(read, of: device, samples, in: store)
        try store.add(read, replacing: true)
      } else {
        guard let searchSpace else {
          throw Failure(.usage, "name a --space to measure, or --samples")
        }
        let chosen = try chooseNetworks(searchSpace)
        if list { return try printList(chosen, searchSpace) }
        try measure(chosen, searchSpace, store)
      }
      let adaptation = try FewShotAdaptation(
        device: device, store: store, modelPath: model,
        questions: searchSpace.map { [$0] } ?? [], quiet: common.quiet)
      guard adaptation.samples.count >= FewShotAdaptation.fewestToCheck else {
        throw Failure(
          .input,
          "\(adaptation.samples.count) samples of '\(device)' can't check each other; with 10 the "
            + "order of networks is usually right, with 20 the error is a few per cent")
      }
      try FewShotReport(adaptation).print(common, plot: plot)
    }

    private func chooseNetworks(_ space: SearchSpace) throws -> [Genotype] {
      let model = try FewShotModel(contentsOf: model ?? FewShotAdaptation.bundledModel())
      return try model.networksToMeasure(count, of: SpaceEncoder(space), seed: seed)
    }

    private func printList(_ chosen: [Genotype], _ space: SearchSpace) throws {
      let ids = chosen.map { space.id($0) }
      if common.json {
        return try Output.json("networks", ["networks": .array(ids.map(JSON.string))])
      }
      Output.line("id,latency_ms")
      for id in ids { Output.line("\(id),") }
    }

    private func measure(_ chosen: [Genotype], _ space: SearchSpace, _ store: Store) throws {
      let device = try store.device(named: device)
      let export = try NetworkExport(batch: device.batch)
      let networks = try chosen.map { genotype in
        let graph = try space.graph(genotype)
        return NetworkToMeasure(id: space.id(genotype), space: space.name, digest: graph.digest) {
          try export.source(graph)
        }
      }
      let client = WorkerClient(device: device, isInterrupted: { Interrupt.isRequested })
      defer { client.close() }
      let quiet = common.quiet
      let measurer = Measurer(client: client) { Terminal.note("note: \($0)", quiet: quiet) }
      let collector = SampleCollector(store: store, measurer: measurer)
      var progress = Progress("measuring on \(device.name)", quiet: common.quiet)
      let summary = try Interrupt.guarding {
        try collector.collect(networks) { step in
          progress.update(
            step.done, of: step.total,
            "\(step.isSecondTry ? "again: " : "")\(Output.milliseconds(step.sample.latencyMedian.value)) ms"
          )
        }
      }
      progress.finish()
      for refusal in summary.refused {
        Terminal.note("note: \(Failure.message(of: refusal.error))", quiet: quiet)
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Predictors that came along, and devices that have samples to adapt to.")
    @OptionGroup var common: CommonOptions

    func run() throws {
      var bundled: [(name: String, provenance: String)] = []
      if let folder = SpaceCatalog.bundledFolder("checkpoints") {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        for file in files where file.hasSuffix(".safetensors") {
          let path = "\(folder)/\(file)"
          // Supernets are no predictors.
          guard let kind = try? PredictorKind(ofFile: path) else { continue }
          bundled.append((file, (try? FewShotModel(contentsOf: path))?.provenance ?? kind.text))
        }
      }
      let store = try Store()
      let samples = try store.samples()
      let byDevice = Dictionary(grouping: samples) { [$0.device, $0.space] }
      let groups = byDevice.sorted { $0.key.lexicographicallyPrecedes($1.key) }
      // Of all samples, those that a search would learn from.
      let usable = Dictionary(
        grouping: Set(samples.map(\.device)).flatMap {
          (try? FewShotAdaptation.comparable($0, store).samples) ?? []
        }
      ) { [$0.device, $0.space] }.mapValues(\.count)
      if common.json {
        try Output.json(
          "predictors",
          [
            "bundled": .array(
              bundled.map { ["file": .string($0.name), "provenance": .string($0.provenance)] }),
            "devices": .array(
              groups.map {
                [
                  "device": .string($0.key[0]), "space": .string($0.key[1]),
                  "samples": .integer($0.value.count),
                ]
              }),
          ])
        return
      }
      Output.table(["bundled", "what it is"], bundled.map { [$0.name, $0.provenance] })
      guard !groups.isEmpty else { return }
      Output.line("")
      Output.table(
        ["device", "space", "samples", "few-shot by default"],
        groups.map {
          [
            $0.key[0], $0.key[1].isEmpty ? "-" : $0.key[1], "\($0.value.count)",
            usable[$0.key] ?? 0 >= FewShotAdaptation.fewest && !$0.key[1].isEmpty ? "yes" : "no",
          ]
        })
    }
  }
}

/// Meta-trains the few-shot latency model by a recipe.
enum FewShotTraining {
  static func run(
    recipe: LatencyRecipe, data: String?, output: String?, _ common: CommonOptions
  ) throws {
    guard let data else {
      throw Failure(.usage, "this recipe needs --data, the folder its tables are in")
    }
    if let output { try OutputFile.makeFolder(of: output) }
    let start = ContinuousClock.now
    let engine = try Engine(threads: ProcessInfo.processInfo.activeProcessorCount)
    var bar = Progress("meta-training", quiet: common.quiet)
    let model = try FewShotModel.train(
      recipe, folder: data, space: { try SpaceCatalog.standard.space($0) }, engine: engine,
      progress: { bar.update($0, of: $1) })
    bar.finish()
    if let output { try model.write(to: output) }
    let seconds = (ContinuousClock.now - start).seconds
    if common.json {
      try Output.json(
        "training",
        [
          "file": .optional(output), "devices": .integer(model.sourceDevices.count),
          "seconds": .number(seconds), "provenance": .string(model.provenance),
        ])
    } else {
      Output.line(
        String(format: "%d source devices in %.1f s", model.sourceDevices.count, seconds))
      Output.line(model.provenance)
    }
  }
}
