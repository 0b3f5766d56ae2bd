import Architectures
import ArgumentParser
import Devices
import Foundation
import Predictors
import Store

struct KernelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Kernel-level latency: what a device computes in one go, and how long it takes.",
    subcommands: [Measure.self, Train.self, Evaluate.self, Show.self])

  struct Measure: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Measure fused operators and probe networks on a device.",
      discussion: """
        First pairs of operators, which tell what the device fuses; then networks drawn at random, \
        half of them single layers. Each sample is stored as soon as it is taken: run the same command \
        again to go on. Train on them with 'swiftlet kernels train'.
        """)
    @Option(help: "Device, as added with 'swiftlet device add'.") var device: String
    @Option(name: [.customShort("n"), .long], help: "How many probe networks.") var count = 1200
    @Option(help: "How many variations of badly predicted probes to measure after them.")
    var vary = 0
    @Option(help: "Seed of the draw.") var seed: UInt64 = 0
    @OptionGroup var common: CommonOptions

    func run() throws {
      guard count >= 0 else { throw Failure(.usage, "-n \(count): 0 or more is meant") }
      // Before minutes of measuring: variations are of what the others predict badly.
      guard vary == 0 || count >= 40 else {
        throw Failure(.usage, "--vary \(vary): needs -n of 40 or more, to find what to vary")
      }
      let store = try Store()
      let device = try store.device(named: device)
      let export = try NetworkExport(batch: device.batch)
      let client = WorkerClient(device: device, isInterrupted: { Interrupt.isRequested })
      defer { client.close() }
      let quiet = common.quiet
      let measurer = Measurer(client: client) { Terminal.note("note: \($0)", quiet: quiet) }
      let collector = SampleCollector(store: store, measurer: measurer)
      var fusion = Progress("fusion on \(device.name)", quiet: common.quiet)
      var tests = 0
      var test = FusionTest { graph in
        let network = ProbeSamples.network(graph, isShort: true, export)
        let latency = try collector.sample(of: network).latencyMedian
        tests += 1
        fusion.update(tests, of: 200, "\(Output.milliseconds(latency.value)) ms")
        return latency
      }
      let (count, seed, vary) = (count, seed, vary)
      let (rules, summary) = try Interrupt.guarding {
        let rules = try test.rules()
        fusion.finish()
        let probes = ProbeNetworks(seed: seed)
        let targets = try (0..<count).map { number in
          ProbeSamples.network(try probes.network(number), isShort: number % 4 != 3, export)
        }
        var progress = Progress("probes on \(device.name)", quiet: quiet)
        var summary = try collector.collect(targets) { step in
          progress.update(
            step.done, of: step.total,
            (step.isSecondTry ? "again: " : "")
              + "\(Output.milliseconds(step.sample.latencyMedian.value)) ms")
        }
        progress.finish()
        guard vary > 0 else { return (rules, summary) }
        // A probe that the device cannot run has no sample.
        let numbers = Dictionary(zip(targets.map(\.digest), 0...)) { first, _ in first }
        let worst = try ProbeSamples.worst(summary.samples, rules: rules)
          .compactMap { numbers[summary.samples[$0].network] }
        let variations = try (0..<(worst.isEmpty ? 0 : vary)).map { index in
          let number = worst[index % worst.count]
          return ProbeSamples.network(
            try probes.network(number, variation: 1 + index / worst.count),
            isShort: number % 4 != 3, export)
        }
        var second = Progress("variations on \(device.name)", quiet: quiet)
        let more = try collector.collect(variations) { second.update($0.done, of: $0.total, "") }
        second.finish()
        summary.samples += more.samples
        summary.refused += more.refused
        summary.measured += more.measured
        return (rules, summary)
      }
      try report(summary, rules)
      try summary.requireAll(on: device.name, quiet: quiet)
    }

    private func report(_ summary: SampleCollector.Summary, _ rules: FusionRules) throws {
      if common.json {
        try Output.json(
          "kernel-measurements",
          [
            "device": .string(device), "probes": .integer(summary.samples.count),
            "measured": .integer(summary.measured), "known": .integer(summary.known),
            "unstable": .integer(summary.unstable),
            "fused": .object(rules.joins.mapValues { .array($0.sorted().map { .string($0) }) }),
          ])
        return
      }
      Output.table(
        ["operator", "fuses"],
        rules.joins.sorted { $0.key < $1.key }.map {
          [$0.key, $0.value.sorted().joined(separator: " ")]
        })
      Output.line("\(summary.samples.count) probes, \(summary.measured) of them measured now")
    }
  }
}

/// Samples of fusion tests and probes in the store.
enum ProbeSamples {
  static let space = "probes"

  /// - Parameter isShort: whether it is measured like a single block, which feels less of the
  ///   machine's slowness than a whole network.
  static func network(
    _ graph: OperatorGraph, isShort: Bool, _ export: NetworkExport
  ) -> NetworkToMeasure {
    var network = NetworkToMeasure(id: NetworkID.text(graph), space: space, digest: graph.digest) {
      try export.source(graph)
    }
    network.referenceShare = isShort ? LookupTableBuilder.referenceShare : nil
    return network
  }

  /// Indices of the samples that are off by more than 10 % when predicted by a model of the others, in
  /// four folds, the worst first.
  static func worst(_ samples: [Sample], rules: FusionRules) throws -> [Int] {
    let errors = try KernelPredictor.crossValidated(
      KernelSamples(samples), rules: rules, folds: 4
    ).map { abs($0) }
    return errors.indices.filter { errors[$0] > 0.1 }.sorted { errors[$0] > errors[$1] }
  }

  static func rules(device: String) throws -> FusionRules {
    try KernelSamples(try Store().samples(device: device, space: space)).fusionRules()
  }
}
