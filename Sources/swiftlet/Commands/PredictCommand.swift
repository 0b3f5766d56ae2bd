import Architectures
import ArgumentParser
import Devices
import Foundation
import Predictors
import Store

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Predict latency or accuracy of architectures.",
    subcommands: [Latency.self, Accuracy.self])

  struct Latency: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Latency by few-shot predictor, lookup table or kernel predictor, in milliseconds.",
      discussion: """
        A device with 10 samples of a space or more is predicted from them, any other by its table. \
        ONNX files need the few-shot predictor, or a kernel predictor, which takes any network. \
        A file says itself which of them it is.
        """)
    @Argument(help: "Ids, ONNX files, text files with one id a line, or '-' for stdin.")
    var architectures: [String]
    @Option(
      name: [.long, .customLong("predictor"), .customLong("table")],
      help: "Kernel predictor, lookup table or few-shot model; by default the device's.")
    var latencyPredictor: String?
    @Option(help: "Device that is asked about.") var device: String?
    @Option(help: "Print the interval that holds the measured latency with this probability.")
    var confidence: Double?
    @OptionGroup var common: CommonOptions

    func run() throws {
      let networks = try IDList.expand(architectures)
      switch try latencyPredictor.map({ try PredictorKind(ofFile: $0) }) {
      case .kernelLatency:
        try refuseConfidence("a kernel predictor has no intervals")
        try KernelPredictions.run(networks, predictor: latencyPredictor!, common: common)
      case .lookupTable: try byTable(networks)
      case .fewShotLatency:
        guard let device else {
          throw Failure(.usage, "a few-shot model needs the --device that it is adapted to")
        }
        try FewShotPredictions.run(
          networks, device: device, model: latencyPredictor, confidence: confidence,
          common: common)
      case .some(let kind):
        throw Failure(
          .input,
          "\(latencyPredictor!) is \(kind.text); --latency-predictor takes one that predicts latency"
        )
      case nil:
        guard let device else {
          throw Failure(.usage, "name a --device or a --latency-predictor")
        }
        let needed = confidence != nil
        if try FewShotPredictions.isMeant(for: networks, device: device, needed: needed) {
          return try FewShotPredictions.run(
            networks, device: device, confidence: confidence, common: common)
        }
        try byTable(networks)
      }
    }

    /// The named table, else the device's own, else the one that came along for a device that is
    /// known: a misspelt name must not get another machine's latencies.
    private func table(_ space: SearchSpace) throws -> String {
      if let latencyPredictor { return latencyPredictor }
      let device = device ?? ""
      let found = try BundledFiles.table(space: space.name, device: device)
      if found.isOwn {
        Terminal.note("note: by the table \(found.path)", quiet: common.quiet)
        if let doubt = try BundledFiles.doubt(ofTable: found.path, device: device, Store()) {
          Terminal.note("note: \(doubt)", quiet: common.quiet)
        }
      } else {
        _ = try Store().device(named: device)
        Terminal.note(
          "note: by \(found.path), which was measured on another machine; '\(device)' has no table "
            + "and fewer than \(FewShotAdaptation.fewest) samples of \(space.name)",
          quiet: common.quiet)
      }
      return found.path
    }

    private func refuseConfidence(_ why: String) throws {
      guard confidence != nil else { return }
      throw Failure(.usage, "--confidence: \(why); a --device with samples has")
    }

    private func byTable(_ networks: [String]) throws {
      try refuseConfidence("a table has no intervals")
      try Predictions.run(networks, key: "latencyMs", common: common) { space in
        let path = try table(space)
        let predictor = try LookupTablePredictor(
          space: space, table: try LookupTable(path: path))
        return { genotypes in
          try genotypes.map { genotype in
            let latency = predictor.latency(genotype).value
            guard latency.isFinite else {
              throw Failure(.input, "\(path) has no price for a block of \(space.id(genotype))")
            }
            return Predictions.Prediction(value: latency)
          }
        }
      }
    }
  }

  struct Accuracy: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Top-1 accuracy by predictor, 0...1.")
    @Argument(help: "Ids, ONNX files (predictors of networks only), text files of them, or '-'.")
    var architectures: [String]
    @Option(
      help: ArgumentHelp(
        "Accuracy predictor; by default the space's that came along.",
        discussion: "Networks of other spaces and ONNX files are ranked by a model of any network.")
    )
    var accuracyPredictor: String?
    @OptionGroup var common: CommonOptions

    func run() throws {
      let networks = try IDList.expand(architectures)
      guard let path = try accuracyPredictor ?? bundled(for: networks) else {
        return try bySpace(networks)
      }
      let kind = try PredictorKind(ofFile: path)
      switch kind {
      case .spaceAccuracy: try bySpace(networks)
      case .networkAccuracy:
        try NetworkPredictions.run(networks, predictor: path, common: common)
      case .networkRanking: try RankPredictions.run(networks, model: path, common: common)
      case .fewShotLatency, .kernelLatency, .lookupTable:
        throw Failure(
          .input, "\(path) is \(kind.text); --accuracy-predictor takes one that predicts accuracy")
      }
    }

    /// The model that ranks any networks, where one of them comes from no space with a predictor.
    private func bundled(for networks: [String]) throws -> String? {
      let spaces = Set(
        networks.map { network in
          NetworkArgument.isFile(network) ? "" : String(network.prefix { $0 != ":" })
        })
      let known = try spaces.filter { name in
        guard let space = try? SpaceCatalog.standard.space(name) else { return false }
        return try BundledFiles.accuracyPredictor(space).isOwn
      }
      guard known.count < spaces.count else { return nil }
      if !known.isEmpty {
        Terminal.note(
          "note: networks of \(known.sorted().joined(separator: ", ")) have accuracies when asked "
            + "for alone; beside others they are ranked, too", quiet: common.quiet)
      }
      return try BundledFiles.networkRanking()
    }

    private func bySpace(_ networks: [String]) throws {
      try Predictions.run(networks, key: "accuracy", common: common) { space in
        let predictor = try AccuracyPredictor(
          contentsOf: try accuracyPredictor
            ?? BundledFiles.accuracyPredictor(space).path, space: space)
        if let mismatch = predictor.mismatch {
          Terminal.note("note: \(mismatch)", quiet: common.quiet)
        }
        return { genotypes in
          try predictor.predict(genotypes).map {
            Predictions.Prediction(value: $0.accuracy, isExtrapolated: $0.isExtrapolation)
          }
        }
      }
    }
  }
}

/// Latencies of any networks by their kernels.
private enum KernelPredictions {
  static func run(_ networks: [String], predictor: String, common: CommonOptions) throws {
    let predictor = try KernelPredictor(contentsOf: predictor)
    let predictions = try networks.map { argument in
      let network = try NetworkArgument(argument)
      network.noteUnknownAxes(quiet: common.quiet)
      return (name: network.id ?? argument, found: predictor.predict(network.graph))
    }
    for prediction in predictions where !prediction.found.unknown.isEmpty {
      Terminal.note(
        "note: \(prediction.name.prefix(80)): no sample had "
          + prediction.found.unknown.sorted().joined(separator: ", ")
          + "; its time is a guess", quiet: common.quiet)
    }
    if common.json {
      try Output.json(
        "predictions",
        [
          "device": .string(predictor.provenance.device),
          "predictions": .array(
            predictions.map {
              [
                "id": .string($0.name), "latencyMs": .number($0.found.latency.value),
                "kernels": .integer($0.found.kernels.count),
                "unknown": .array($0.found.unknown.sorted().map { .string($0) }),
              ]
            }),
        ])
    } else {
      Output.table(
        ["latencyMs", "architecture"],
        predictions.map { [String(format: "%.5f", $0.found.latency.value), $0.name] })
    }
  }
}

/// Predictions for ids of any spaces, printed in the order of the ids.
private enum Predictions {
  struct Prediction {
    var value: Double
    /// `nil` for latencies.
    var isExtrapolated: Bool?

    func json(id: String, key: String) -> JSON {
      var fields: [String: JSON] = ["id": .string(id), key: .number(value)]
      if let isExtrapolated { fields["isExtrapolated"] = .bool(isExtrapolated) }
      return .object(fields)
    }
  }

  static func run(
    _ ids: [String], key: String, common: CommonOptions,
    predictor: (SearchSpace) throws -> ([Genotype]) throws -> [Prediction]
  ) throws {
    var spaces: [String: (space: SearchSpace, indices: [Int], genotypes: [Genotype])] = [:]
    var names = ids
    for (index, id) in ids.enumerated() {
      let name = String(id.prefix { $0 != ":" })
      let space = try spaces[name]?.space ?? SpaceCatalog.standard.space(ofID: id)
      let genotype = try space.genotype(id: id)
      names[index] = space.id(genotype)
      spaces[name, default: (space, [], [])].indices.append(index)
      spaces[name]?.genotypes.append(genotype)
    }
    var found = [Prediction](repeating: Prediction(value: 0), count: ids.count)
    for (_, group) in spaces.sorted(by: { $0.key < $1.key }) {
      let predicted = try predictor(group.space)(group.genotypes)
      for (index, prediction) in zip(group.indices, predicted) { found[index] = prediction }
    }
    if common.json {
      try Output.json(
        "predictions",
        ["predictions": .array(zip(names, found).map { $1.json(id: $0, key: key) })])
    } else {
      let extrapolated = found.count { $0.isExtrapolated == true }
      if extrapolated > 0 {
        Terminal.note(
          "note: \(extrapolated) of \(found.count) predictions are extrapolated: to a resolution "
            + "or a space that the predictor wasn't trained on", quiet: common.quiet)
      }
      Output.table(
        [key, "architecture"],
        zip(names, found).map { [String(format: "%.5f", $1.value), $0] })
    }
  }
}
