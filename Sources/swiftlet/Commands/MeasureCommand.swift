import Architectures
import ArgumentParser
import Devices
import Foundation
import Store

struct MeasureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Measure networks on a device and keep the samples.",
    discussion: """
      Networks are architectures' ids, ONNX files, text files with one id a line, or -n drawn from \
      a space. A network that the store has for this device is not measured again unless --again. \
      Each sample is stored as soon as it is taken: run the same command again to go on. A network \
      that the device cannot run doesn't keep the others from being measured; the status is 65 then.
      """)
  @Argument(help: "Ids, ONNX files or text files with one id a line; '-' reads ids from stdin.")
  var networks: [String] = []
  @Option(help: "Device, as added with 'swiftlet device add'.") var device: String
  @Option(help: "Space to draw architectures from.") var space: String?
  @Option(name: [.customShort("n"), .long], help: "How many architectures to draw.")
  var count: Int?
  @Option(help: "Seed of the draw.") var seed: UInt64 = 0
  @Flag(help: "Measure also what was measured before.") var again = false
  @OptionGroup var common: CommonOptions

  func run() throws {
    let store = try Store()
    let device = try store.device(named: device)
    let export = try NetworkExport(batch: device.batch)
    let targets = try networksToMeasure(export, device)
    guard !targets.isEmpty else {
      throw Failure(.usage, "nothing to measure: name ids or files, or --space S -n N")
    }
    let client = WorkerClient(device: device, isInterrupted: { Interrupt.isRequested })
    defer { client.close() }
    let quiet = common.quiet
    let measurer = Measurer(client: client) { Terminal.note("note: \($0)", quiet: quiet) }
    let collector = SampleCollector(store: store, measurer: measurer)
    var progress = Progress("measuring on \(device.name)", quiet: common.quiet)
    let summary = try Interrupt.guarding {
      try collector.collect(targets, again: again) { step in
        progress.update(
          step.done, of: step.total,
          (step.isSecondTry ? "again: " : "")
            + "\(Output.milliseconds(step.sample.latencyMedian.value)) ms  "
            + "\(step.sample.id.prefix(60))")
      }
    }
    progress.finish()
    try report(summary, device)
    try summary.requireAll(on: device.name, quiet: quiet)
  }

  private func networksToMeasure(_ export: NetworkExport, _ device: Device) throws
    -> [NetworkToMeasure]
  {
    var result: [NetworkToMeasure] = []
    for argument in try IDList.expand(networks) {
      let network = try NetworkArgument(argument)
      let graph = network.graph
      if let file = network.file {
        let path = URL(fileURLWithPath: file).path
        // Its name as given: several files may have one last component, and predictors find it so.
        result.append(
          NetworkToMeasure(id: file, space: "", digest: graph.digest) { .path(path) })
      } else {
        result.append(
          NetworkToMeasure(
            id: network.id!, space: network.sampleSpace, digest: graph.digest
          ) { try export.source(graph) })
      }
    }
    if let space {
      let space = try SpaceCatalog.standard.space(space)
      guard let count else { throw Failure(.usage, "--space needs -n, how many architectures") }
      for genotype in try space.distinctSamples(count, seed: seed) {
        let graph = try space.graph(genotype)
        result.append(
          NetworkToMeasure(id: space.id(genotype), space: space.name, digest: graph.digest) {
            try export.source(graph)
          })
      }
    } else if count != nil {
      throw Failure(.usage, "-n needs --space, where to draw from")
    }
    return result
  }

  private func report(_ summary: SampleCollector.Summary, _ device: Device) throws {
    if common.json {
      try Output.json(
        "measurements",
        [
          "device": .string(device.name), "measured": .integer(summary.measured),
          "known": .integer(summary.known), "unstable": .integer(summary.unstable),
          "samples": .array(summary.samples.map { $0.json }),
          "refused": .array(
            summary.refused.map {
              ["id": .string($0.id), "message": .string(Failure.message(of: $0.error))]
            }),
        ])
      return
    }
    Output.table(
      ["median ms", "p10", "p90", "repeats", "stable", "network"],
      summary.samples.map { sample in
        [
          Output.milliseconds(sample.latencyMedian.value),
          sample.latencyP10.map { Output.milliseconds($0.value) } ?? "-",
          sample.latencyP90.map { Output.milliseconds($0.value) } ?? "-",
          sample.repeats.map(String.init) ?? "-", sample.isStable == false ? "no" : "yes",
          sample.id,
        ]
      })
    if summary.unstable > 0 {
      Terminal.note(
        "note: \(summary.unstable) of \(summary.samples.count) medians did not settle: "
          + "times differed from round to round", quiet: common.quiet)
    }
  }
}

extension SampleCollector.Summary {
  /// Notes the networks that the device cannot run.
  /// - Throws: `Failure` if there are any.
  func requireAll(on device: String, quiet: Bool) throws {
    for refusal in refused {
      Terminal.note("note: \(Failure.message(of: refusal.error))", quiet: quiet)
    }
    guard refused.isEmpty else {
      throw Failure(
        .input,
        "\(refused.count) of \(refused.count + samples.count) networks cannot run on '\(device)'")
    }
  }
}

extension Sample {
  var json: JSON {
    [
      "id": .string(id), "space": .string(space), "device": .string(device),
      "latencyMs": .number(latencyMedian.value), "measuredLatencyMs": .number(latencyMedian.value),
      "p10Ms": .optional(latencyP10?.value), "p90Ms": .optional(latencyP90?.value),
      "repeats": repeats.map(JSON.integer) ?? .null, "stable": isStable.map(JSON.bool) ?? .null,
      "runtime": .optional(runtime), "runtimeVersion": .optional(runtimeVersion),
      "threads": threads.map(JSON.integer) ?? .null, "batch": batch.map(JSON.integer) ?? .null,
      "precision": .optional(precision), "cpu": .optional(cpu), "date": .optional(date),
    ]
  }
}

/// Ids from arguments: an id, an ONNX file, a text file with one id a line, or `-` for stdin.
enum IDList {
  static func expand(_ arguments: [String]) throws -> [String] {
    try arguments.flatMap { argument -> [String] in
      if argument == "-" {
        return lines(
          String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self))
      }
      guard !NetworkArgument.isFile(argument), FileManager.default.fileExists(atPath: argument)
      else { return [argument] }
      guard let data = FileManager.default.contents(atPath: argument), data.count <= 64 << 20,
        let text = String(data: data, encoding: .utf8)
      else { throw Failure(.input, "\(argument): no text file of at most 64 MiB") }
      return lines(text)
    }
  }

  private static func lines(_ text: String) -> [String] {
    text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
  }
}
