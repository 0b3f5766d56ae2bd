import Foundation
import Predictors
import Reports

/// Training of a predictor for networks of any origin.
struct NetworkPredictorTraining {
  var recipe: NetworkAccuracyRecipe
  var samples: String
  var output: String?
  var plot: String?
  var common: CommonOptions

  func run() throws {
    let clock = ContinuousClock()
    let start = clock.now
    let samples = try NetworkSamples(file: samples, encoder: ArchitectureEncoder())
    for note in samples.notes.prefix(5) { Terminal.note("note: \(note)", quiet: common.quiet) }
    for path in [output, plot].compactMap({ $0 }) { try OutputFile.makeFolder(of: path) }
    let predictor = try NetworkAccuracyPredictor(
      samples.encodings, accuracies: samples.accuracies, population: samples.population,
      recipe: recipe)
    let seconds = (clock.now - start) / .seconds(1)
    if let output {
      try predictor.write(
        to: output,
        provenance: .init(
          data: URL(fileURLWithPath: self.samples).lastPathComponent, digest: samples.digest,
          date: ISO8601DateFormatter().string(from: Date())))
    }
    let points = predictor.leaveOneOutPoints
    if let plot {
      let plotted = Plot.predictedAgainstMeasured(
        "Leave one out", subtitle: "each network predicted from all others",
        quantity: Axis("accuracy"),
        points: points.map { Plot.Point($0.measured, $0.predicted) })
      try OutputFile.write(plotted.svg(), to: plot)
    }
    let ranks = predictor.leaveOneOut
    if common.json {
      return try Output.json(
        "training",
        [
          "predictor": "networks", "file": .optional(output),
          "samples": .integer(predictor.samples), "kendall": .number(ranks.kendall),
          "spearman": .number(ranks.spearman),
          "weights": .array(predictor.weights.map(JSON.number)),
          "seconds": .number(seconds),
        ])
    }
    Output.table(
      ["samples", "Kendall", "Spearman", "seconds"],
      [
        [
          "\(predictor.samples)", String(format: "%.4f", ranks.kendall),
          String(format: "%.4f", ranks.spearman), String(format: "%.1f", seconds),
        ]
      ])
    Output.line(
      "Of two networks like these, the better one is named in "
        + String(format: "%.0f %% of cases (leave one out).", 50 * (1 + ranks.kendall)))
    if predictor.samples < 30 {
      Output.line("With so few samples the figure itself is rough; 50 samples or more settle it.")
    }
  }
}

/// Accuracies of any networks.
enum NetworkPredictions {
  static func run(_ networks: [String], predictor path: String, common: CommonOptions) throws {
    let predictor = try NetworkAccuracyPredictor(contentsOf: path)
    let encoder = ArchitectureEncoder()
    let networks = try networks.map { argument in
      let network = try NetworkArgument(argument)
      return (name: network.id ?? argument, encoding: encoder.encode(network.graph))
    }
    let predictions = try predictor.predict(networks.map(\.encoding))
    // Shares, also where the predictor learned per cent.
    let unit = predictor.isPercent ? 100.0 : 1
    let accuracies = predictions.map { $0.accuracy / unit }
    let intervals = predictions.map { prediction in
      let interval = predictor.interval(prediction, confidence: 0.9)
      return (low: interval.lowerBound / unit, high: interval.upperBound / unit)
    }
    if common.json {
      return try Output.json(
        "predictions",
        [
          "predictions": .array(
            networks.indices.map { index in
              [
                "id": .string(networks[index].name),
                "accuracy": .number(accuracies[index]),
                "accuracyLow": .number(intervals[index].low),
                "accuracyHigh": .number(intervals[index].high),
                "score": .number(predictions[index].score),
              ]
            })
        ])
    }
    Output.table(
      ["accuracy", "90 % from", "to", "architecture"],
      networks.indices.map { index in
        [
          String(format: "%.5f", accuracies[index]),
          String(format: "%.5f", intervals[index].low),
          String(format: "%.5f", intervals[index].high), networks[index].name,
        ]
      })
  }
}
