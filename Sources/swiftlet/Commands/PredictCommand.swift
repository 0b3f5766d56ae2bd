import Architectures
import ArgumentParser
import Devices
import Foundation
import Predictors

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Predict latency or accuracy of architectures.",
    subcommands: [Latency.self, Accuracy.self])

  struct Latency: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Latency by few-shot predictor, lookup table or kernel predictor, in milliseconds.",
      discussion: """
        A device with 10 samples of a space or more is predicted from them, any other by its table. \
        ONNX files need the few-shot predictor, or a kernel predictor, which takes any network.
        """)
    @Argument(help: "Ids, ONNX files, text files with one id a line, or '-' for stdin.")
    var architectures: [String]
    @Option(help: "Kernel predictor, as 'swiftlet kernels train' writes it.")
    var predictor: String?
    @Option(help: "Device that is asked about.") var device: String?
    @Option(help: "Lookup table; by default the device's.") var table: String?
    @Option(help: "Print the interval that holds the measured latency with this probability.")
    var confidence: Double?
    @OptionGroup var common: CommonOptions

    func run() throws {
      if let predictor {
        guard confidence == nil else {
          throw Failure(.usage, "--confidence: a kernel predictor has no intervals")
        }
        return try KernelPredictions.run(architectures, predictor: predictor, common: common)
      }
      let networks = try IDList.expand(architectures)
      if table == nil, let device,
        try FewShotPredictions.isMeant(for: networks, device: device, needed: confidence != nil)
      {
        return try FewShotPredictions.run(
          networks, device: device, confidence: confidence, common: common)
      }
      guard confidence == nil else {
        throw Failure(
          .usage, "--confidence needs a --device with samples; a table has no intervals")
      }
      try Predictions.run(networks, key: "latencyMs", common: common) { space in
        guard table != nil || device != nil else {
          throw Failure(.usage, "name a --device, a --table or a --predictor")
        }
        let path = try table ?? BundledFiles.table(space: space.name, device: device ?? "").path
        let predictor = try LookupTablePredictor(
          space: space, table: try LookupTable(path: path))
        return { genotypes in
          try genotypes.map { genotype in
            let latency = predictor.latency(genotype).value
            guard latency.isFinite else {
              throw Failure(.input, "\(path) has no price for a block of \(space.id(genotype))")
            }
            return latency
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
    @Option(help: "Accuracy predictor; by default the space's that came along.")
    var accuracyPredictor: String?
    @OptionGroup var common: CommonOptions

    func run() throws {
      if let accuracyPredictor, !FileManager.default.fileExists(atPath: accuracyPredictor) {
        throw Failure(.input, "\(accuracyPredictor): no such file")
      }
      if let accuracyPredictor, NetworkAccuracyPredictor.isPredictor(accuracyPredictor) {
        return try NetworkPredictions.run(
          architectures, predictor: accuracyPredictor, common: common)
      }
      try Predictions.run(architectures, key: "accuracy", common: common) { space in
        let predictor = try AccuracyPredictor(
          contentsOf: try accuracyPredictor ?? BundledFiles.accuracyPredictor(space: space.name),
          space: space)
        return { try predictor.scores($0) }
      }
    }
  }
}

/// Latencies of any networks by their kernels.
private enum KernelPredictions {
  static func run(_ arguments: [String], predictor: String, common: CommonOptions) throws {
    let predictor = try KernelPredictor(contentsOf: predictor)
    let predictions = try IDList.expand(arguments).map { argument in
      let network = try NetworkArgument(argument)
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
  static func run(
    _ arguments: [String], key: String, common: CommonOptions,
    predictor: (SearchSpace) throws -> ([Genotype]) throws -> [Double]
  ) throws {
    var spaces: [String: (space: SearchSpace, indices: [Int], genotypes: [Genotype])] = [:]
    let ids = try IDList.expand(arguments)
    var names = ids
    for (index, id) in ids.enumerated() {
      let name = String(id.prefix { $0 != ":" })
      let space = try spaces[name]?.space ?? SpaceCatalog.standard.space(ofID: id)
      let genotype = try space.genotype(id: id)
      names[index] = space.id(genotype)
      spaces[name, default: (space, [], [])].indices.append(index)
      spaces[name]?.genotypes.append(genotype)
    }
    var values = [Double](repeating: 0, count: ids.count)
    for (_, group) in spaces.sorted(by: { $0.key < $1.key }) {
      let predicted = try predictor(group.space)(group.genotypes)
      for (index, value) in zip(group.indices, predicted) { values[index] = value }
    }
    if common.json {
      try Output.json(
        "predictions",
        [
          "predictions": .array(
            zip(names, values).map { ["id": .string($0), key: .number($1)] })
        ])
    } else {
      Output.table(
        [key, "architecture"], zip(names, values).map { [String(format: "%.5f", $1), $0] })
    }
  }
}
