import Architectures
import Foundation
import Predictors

/// Trains the model that ranks networks of any space.
enum RankingTraining {
  static func run(
    recipe: NetworkRankingRecipe, data: String?, output: String?, _ common: CommonOptions
  ) throws {
    guard let data else {
      throw Failure(.usage, "this recipe needs --data, the folder its tables are in")
    }
    if let output { try OutputFile.makeFolder(of: output) }
    let start = ContinuousClock.now
    var bar = Progress("training", quiet: common.quiet)
    let model = try NetworkRankingModel.train(
      recipe, folder: data, date: ISO8601DateFormatter().string(from: Date())
    ) { bar.update($0, of: $1) }
    bar.finish()
    if let output { try model.write(to: output) }
    let seconds = (ContinuousClock.now - start).seconds
    let tables = model.provenance.tables
    if common.json {
      return try Output.json(
        "training",
        [
          "predictor": "ranking", "file": .optional(output), "seconds": .number(seconds),
          "tables": .array(
            tables.map {
              [
                "name": .string($0.name), "networks": .integer($0.networks),
                "spearman": .number($0.spearman),
              ]
            }),
        ])
    }
    Output.table(
      ["table", "networks", "Spearman of a model without it"],
      tables.map { [$0.name, "\($0.networks)", String(format: "%.3f", $0.spearman)] })
    Output.line(String(format: "%.1f s", seconds))
  }
}
