import Architectures
import ArgumentParser
import Devices
import Foundation
import Predictors

struct PredictorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predictor", abstract: "Predictors: evaluate them on samples.",
    subcommands: [Evaluate.self])

  struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Score a latency table on samples that it did not see.",
      discussion: """
        Samples are divided by seed: --holdout of them score, --calibrate of the others fit the \
        calibration; 0 takes the calibration that the table has.
        """)
    @Option(help: "Name of a space, or path of a space file.") var space: String
    @Option(help: "Lookup table.") var table: String
    @Option(help: "Samples as CSV.") var samples: String
    @Option(help: "How many samples score.") var holdout = 200
    @Option(help: "How many of the others calibrate.") var calibrate = 0
    @Option(help: "Seed of the division.") var seed: UInt64 = 0
    @OptionGroup var common: CommonOptions

    func run() throws {
      let space = try SpaceCatalog.standard.space(space)
      let split = try SampleSplit(file: samples, space: space, holdout: holdout, seed: seed)
      var table = try LookupTable(path: table)
      if calibrate > 0 {
        table.calibration = try TableCalibration.fit(table, space, split, count: calibrate)
      }
      let predictor = try LookupTablePredictor(space: space, table: table)
      let measured = split.heldOut.map(\.latency.value)
      let predicted = split.heldOut.map { predictor.latency($0.genotype).value }
      let errors = ErrorStatistics(predicted, measured)
      let ranks = RankStatistics(predicted, measured)
      if common.json {
        try Output.json(
          "evaluation",
          [
            "space": .string(space.name), "device": .string(table.provenance.device),
            "samples": .integer(measured.count), "calibration": .integer(calibrate),
            "medianError": .number(errors.median), "meanError": .number(errors.mean),
            "p95Error": .number(errors.p95), "within5": .number(errors.within5),
            "within10": .number(errors.within10), "bias": .number(errors.bias),
            "spearman": .number(ranks.spearman), "kendall": .number(ranks.kendall),
          ])
      } else {
        Output.table(
          [
            "networks", "median error %", "p95 %", "within 5 %", "within 10 %", "bias %",
            "Spearman", "Kendall",
          ],
          [
            [
              "\(measured.count)", Output.percent(errors.median), Output.percent(errors.p95),
              Output.percent(errors.within5), Output.percent(errors.within10),
              Output.percent(errors.bias), String(format: "%.4f", ranks.spearman),
              String(format: "%.4f", ranks.kendall),
            ]
          ])
      }
    }
  }
}

/// Fits a table's calibration to whole networks.
enum TableCalibration {
  static func fit(_ table: LookupTable, _ space: SearchSpace, _ split: SampleSplit, count: Int)
    throws -> Calibration
  {
    guard split.seen.count >= count else {
      throw Failure(
        .input, "\(split.seen.count) samples are left to calibrate on; \(count) were asked for")
    }
    let predictor = try LookupTablePredictor(space: space, table: table)
    return try Calibration(
      fitting: split.seen.prefix(count).map {
        predictor.calibrationSample($0.genotype, measured: $0.latency)
      })
  }
}
