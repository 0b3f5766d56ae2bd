import Architectures
import ArgumentParser
import Devices
import Foundation
import Predictors
import Store

struct PredictorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predictor",
    abstract: "Predictors: train them, adapt them to a device, evaluate them.",
    subcommands: [Train.self, Adapt.self, Evaluate.self, List.self])

  struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Train an accuracy predictor, or the few-shot latency model, by a recipe.",
      discussion: """
        A recipe with "predictor": "networks" trains on networks of any origin: samples are a CSV \
        with id (or the path of an ONNX file) and accuracy. The recipes of a latency model and of the \
        model that ranks networks of any space name tables under --data. Any other is for the accuracies of one space. \
        The recipe (JSON) names the space, the candidates to choose from and the seed. Samples are \
        split by architecture; candidates are compared on the validation part, the test part is \
        looked at once. Same recipe and samples, same weights.
        """)
    @Option(help: "Recipe, such as checkpoints/ofa-mobilenetv3-accuracy.recipe.json.")
    var recipe: String
    @Option(help: "CSV with id and accuracy (0...1), or with ks, e, d, r and top1 (per cent).")
    var samples: String?
    @Option(help: "Folder of the tables that a latency recipe names.") var data: String?
    @Option(help: "CSV of released networks at several resolutions, for the law of resolution.")
    var releases: String?
    @Option(help: "Seed of split and training; the recipe's when left out.") var seed: UInt64?
    @Option(name: .shortAndLong, help: "File to write (safetensors); nothing when left out.")
    var output: String?
    @Option(help: "Plot (SVG) of predicted against measured, leave one out; networks only.")
    var plot: String?
    @OptionGroup var common: CommonOptions

    func run() throws {
      guard let json = FileManager.default.contents(atPath: recipe) else {
        throw Failure(.input, "\(recipe): cannot be read")
      }
      if LatencyRecipe.describes(recipe) {
        try refuseOptions(but: ["data"])
        var recipe = try LatencyRecipe(contentsOf: recipe)
        if let seed { recipe.seed = seed }
        return try FewShotTraining.run(recipe: recipe, data: data, output: output, common)
      }
      if NetworkRankingRecipe.isMeant(by: json) {
        try refuseOptions(but: ["data"])
        var recipe = try NetworkRankingRecipe(json: json, name: recipe)
        if let seed { recipe.seed = seed }
        return try RankingTraining.run(recipe: recipe, data: data, output: output, common)
      }
      let isForNetworks = NetworkAccuracyRecipe.isMeant(by: json)
      try refuseOptions(but: ["samples", isForNetworks ? "plot" : "releases"])
      guard let file = samples else {
        throw Failure(.usage, "this recipe needs --samples, measured accuracies")
      }
      if isForNetworks {
        var recipe = try NetworkAccuracyRecipe(json: json, name: recipe)
        if let seed { recipe.seed = seed }
        return try NetworkPredictorTraining(
          recipe: recipe, samples: file, output: output, plot: plot, common: common
        ).run()
      }
      var recipe = try AccuracyRecipe(json: json, name: recipe)
      if let seed { recipe.seed = seed }
      let space = try SpaceCatalog.standard.space(recipe.space)
      let samples = try AccuracySamples(contentsOf: file, space: space)
      let releases = try releases.map { try ReleasedNetworks(contentsOf: $0, space: space) }
      if let output { try OutputFile.makeFolder(of: output) }
      var bar = Progress("training", quiet: common.quiet)
      let predictor = try AccuracyPredictor.train(
        recipe: recipe, space: space, samples: samples, releases: releases
      ) { bar.update($0.done, of: $0.total) }
      bar.finish()
      if let output { try predictor.write(to: output) }
      let provenance = predictor.description.provenance
      guard let ranks = provenance.testRanks, let errors = provenance.testErrors else { return }
      if common.json {
        try Output.json(
          "training",
          [
            "space": .string(space.name), "file": .optional(output),
            "seed": .unsigned(recipe.seed),
            "architectures": .integer(samples.samples.count),
            "test": .integer(provenance.test ?? 0), "kendall": .number(ranks.kendall),
            "spearman": .number(ranks.spearman), "meanError": .number(errors.mean),
          ])
      } else {
        Output.table(
          ["seed", "architectures", "test", "Kendall", "Spearman", "mean error %"],
          [
            [
              "\(recipe.seed)", "\(samples.samples.count)", "\(provenance.test ?? 0)",
              String(format: "%.4f", ranks.kendall), String(format: "%.4f", ranks.spearman),
              Output.percent(errors.mean),
            ]
          ])
      }
    }

    /// - Throws: `Failure` for an option that the recipe's kind doesn't read.
    private func refuseOptions(but read: [String]) throws {
      let given = ["samples": samples, "data": data, "releases": releases, "plot": plot]
      let useless = given.filter { $0.value != nil && !read.contains($0.key) }.keys.min()
      if let useless { throw Failure(.usage, "--\(useless): \(recipe) has no use for it") }
    }
  }

  struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Score a latency predictor on samples that it did not see.",
      discussion: """
        With --device: the few-shot predictor, each of the device's samples predicted from the \
        others. With --table: samples are divided by seed, --holdout of them score, --calibrate of \
        the others fit the \
        calibration; 0 takes the calibration that the table has.
        """)
    @Option(help: "Device whose samples are meant: in the store, or with --table in the CSV.")
    var device: String?
    @Option(help: "Few-shot: file for a plot (SVG) of predicted against measured.")
    var plot: String?
    @Option(help: "Name of a space, or path of a space file.") var space: String?
    @Option(help: "Lookup table.") var table: String?
    @Option(help: "Samples as CSV.") var samples: String?
    @Option(help: "How many samples score.") var holdout = 200
    @Option(help: "How many of the others calibrate.") var calibrate = 0
    @Option(help: "Seed of the division.") var seed: UInt64 = 0
    @OptionGroup var common: CommonOptions

    func run() throws {
      guard let table else {
        guard let device else {
          throw Failure(.usage, "name a --device with samples, or a --table with --samples")
        }
        if let samples {
          throw Failure(
            .usage,
            "--samples \(samples): read with a --table; swiftlet samples import keeps them for "
              + "--device")
        }
        guard calibrate == 0 else {
          throw Failure(.usage, "--calibrate: calibrates a --table, and none is named")
        }
        let adaptation = try FewShotAdaptation(
          device: device, store: Store(),
          questions: space.map { [try SpaceCatalog.standard.space($0)] } ?? [],
          quiet: common.quiet)
        return try FewShotReport(adaptation).print(common, plot: plot)
      }
      guard let space, let samples else {
        throw Failure(.usage, "--table needs --space and --samples")
      }
      guard plot == nil else {
        throw Failure(.usage, "--plot: drawn of the few-shot predictor, not of a --table")
      }
      guard calibrate >= 0 else { throw Failure(.usage, "--calibrate \(calibrate): 0 or more") }
      let searchSpace = try SpaceCatalog.standard.space(space)
      try evaluate(table: table, space: searchSpace, samples: samples)
    }

    private func evaluate(table: String, space: SearchSpace, samples: String) throws {
      let split = try SampleSplit(
        file: samples, space: space, device: device, holdout: holdout, seed: seed)
      var table = try LookupTable(path: table)
      if calibrate > 0 {
        table.calibration = try TableCalibration.fit(table, space, split, count: calibrate)
      }
      let predictor = try LookupTablePredictor(space: space, table: table)
      let unseen = try predictor.unseen(split.heldOut)
      let seen = split.heldOut.count - unseen.count
      if seen > 0 {
        guard !unseen.isEmpty else {
          throw Failure(
            .input,
            "\(samples): the table was calibrated on all \(seen) networks that were to score; raise "
              + "--holdout, or calibrate it with swiftlet table calibrate --holdout \(holdout)")
        }
        Terminal.note(
          "note: \(seen) of \(split.heldOut.count) networks don't score: the table was calibrated on "
            + "them", quiet: common.quiet)
      }
      let evaluation = try predictor.evaluate(unseen)
      let (errors, ranks) = (evaluation.errors, evaluation.ranks)
      if common.json {
        try Output.json(
          "evaluation",
          [
            "space": .string(space.name), "device": .string(table.provenance.device),
            "samples": .integer(evaluation.samples), "calibration": .integer(calibrate),
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
              "\(evaluation.samples)", Output.percent(errors.median), Output.percent(errors.p95),
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
    return try LookupTablePredictor(space: space, table: table)
      .calibration(fitting: Array(split.seen.prefix(count)))
  }
}
