import Architectures
import Foundation
import Predictors
import Store

/// Latencies of ids and ONNX files by a device's few-shot predictor.
enum FewShotPredictions {
  /// Whether the device has samples enough for these networks, or they can't be predicted otherwise:
  /// few samples are better than a table of another machine.
  static func isMeant(for networks: [String], device: String, needed: Bool) throws -> Bool {
    if try needed || !networks.allSatisfy(isOfSpace) { return true }
    let spaces = Set(networks.map { String($0.prefix { $0 != ":" }) })
    let samples = try FewShotAdaptation.comparable(device, Store()).samples
    return spaces.allSatisfy { space in
      let count = samples.count { $0.space == space }
      guard count < FewShotAdaptation.fewest else { return true }
      let hasTable = (try? BundledFiles.table(space: space, device: device).isOwn) ?? false
      return count > 1 && !hasTable
    }
  }

  /// Whether `name` is an architecture's id: no file, no family's variant, no text.
  private static func isOfSpace(_ name: String) throws -> Bool {
    try !NetworkArgument.isFile(name) && NetworkID.free(name) == nil
  }

  /// Samples of other spaces say little of a space, and their intervals nothing.
  private static func requireSamples(
    of spaces: Set<String>, _ adaptation: FewShotAdaptation, confidence: Double?, quiet: Bool
  ) throws {
    for space in spaces.subtracting(adaptation.samples.map(\.space)).sorted() {
      guard confidence == nil else {
        throw Failure(
          .input,
          "no samples of \(space) on '\(adaptation.device)': intervals hold for networks like the "
            + "samples; measure some with: swiftlet predictor adapt --device \(adaptation.device) "
            + "--space \(space)")
      }
      Terminal.note(
        "note: no samples of \(space) on '\(adaptation.device)': its latencies are extrapolated "
          + "from other networks", quiet: quiet)
    }
  }

  static func run(
    _ networks: [String], device: String, model: String? = nil, confidence: Double?,
    common: CommonOptions
  ) throws {
    if let confidence, !(confidence > 0 && confidence < 1) {
      throw Failure(.usage, "--confidence \(confidence): between 0 and 1, such as 0.9")
    }
    let spaces = try networks.filter { try isOfSpace($0) && $0.contains(":") }
      .map { String($0.prefix { $0 != ":" }) }
    let adaptation = try FewShotAdaptation(
      device: device, store: Store(), modelPath: model,
      questions: Set(spaces).sorted().map { try SpaceCatalog.standard.space($0) },
      quiet: common.quiet)
    try requireSamples(of: Set(spaces), adaptation, confidence: confidence, quiet: common.quiet)
    let predictor = try adaptation.predictor()
    Terminal.note(
      "note: few-shot predictor from \(adaptation.samples.count) samples of \(device)",
      quiet: common.quiet)
    let encoders = Dictionary(uniqueKeysWithValues: adaptation.encoders.map { ($0.space.name, $0) })
    let encoder = ArchitectureEncoder()
    let rows = try networks.map { name -> (name: String, encoding: ArchitectureEncoding) in
      if try isOfSpace(name), let space = encoders[String(name.prefix { $0 != ":" })] {
        let genotype = try space.space.genotype(id: name)
        return (space.space.id(genotype), try space.encode(genotype))
      }
      let network = try NetworkArgument(name)
      network.noteUnknownAxes(quiet: common.quiet)
      return (name, encoder.encode(network.graph))
    }
    let found = rows.map { row in
      (
        name: row.name, latency: predictor.latency(row.encoding).value,
        interval: confidence.map { predictor.interval(row.encoding, confidence: $0) },
        isOutOfReach: predictor.isOutOfReach(row.encoding)
      )
    }
    for entry in found where entry.isOutOfReach {
      Terminal.note(
        "note: \(entry.name.prefix(80)): too unlike the samples to be predicted from them; shown is "
          + "a tenth of the fastest", quiet: common.quiet)
    }
    if common.json {
      return try Output.json(
        "predictions",
        [
          "predictor": "few-shot", "samples": .integer(adaptation.samples.count),
          "predictions": .array(
            found.map {
              var entry: [String: JSON] = [
                "id": .string($0.name), "latencyMs": .number($0.latency),
                "isOutOfReach": .bool($0.isOutOfReach),
              ]
              if let interval = $0.interval {
                entry["latencyLowMs"] = .number(interval.lowerBound.value)
                entry["latencyHighMs"] = .number(interval.upperBound.value)
              }
              return .object(entry)
            }),
        ])
    }
    Output.table(
      ["latencyMs"] + (confidence == nil ? [] : ["from", "to"]) + ["architecture"],
      found.map { entry in
        [String(format: "%.5f", entry.latency)]
          + (entry.interval.map {
            [
              String(format: "%.5f", $0.lowerBound.value),
              String(format: "%.5f", $0.upperBound.value),
            ]
          } ?? []) + [entry.name]
      })
  }
}
