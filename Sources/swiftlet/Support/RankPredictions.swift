import Architectures
import Foundation
import Predictors

/// Ranks of any networks' accuracies by a model of other spaces: each in its space, ONNX files among
/// the networks that the model learned from.
enum RankPredictions {
  private struct Row {
    var name: String
    var among: String
    var prediction: NetworkRanking.Prediction
  }

  static func run(_ networks: [String], model path: String, common: CommonOptions) throws {
    let model = try NetworkRankingModel(contentsOf: path)
    var scorers: [String: NetworkRankingScorer] = [:]
    let free = try NetworkRanking(model)
    let encoder = ArchitectureEncoder()
    let rows = try networks.map { argument in
      let network = try NetworkArgument(argument)
      guard let space = network.space, let genotype = network.genotype else {
        let prediction = try free.predict([encoder.encode(network.graph)])[0]
        return Row(
          name: network.id ?? argument, among: "networks learned from", prediction: prediction)
      }
      let scorer =
        try scorers[space.name] ?? NetworkRankingScorer(model, space: space)
      scorers[space.name] = scorer
      return Row(
        name: network.id ?? argument, among: space.name,
        prediction: try scorer.predict([genotype])[0])
    }
    Terminal.note(
      "note: ranks for ordering networks, no accuracies: the share of the space expected to be less "
        + "accurate, by a model that learned from other spaces", quiet: common.quiet)
    if common.json {
      return try Output.json(
        "predictions", ["predictor": "ranking", "predictions": .array(rows.map(json))])
    }
    Output.table(
      ["rank", "90 % from", "to", "among", "architecture"],
      rows.map { row in
        let interval = row.prediction.interval(confidence: 0.9)
        return [row.prediction.rank, interval.lowerBound, interval.upperBound].map {
          String(format: "%.4f", $0)
        } + [row.among, row.name]
      })
  }

  private static func json(_ row: Row) -> JSON {
    let interval = row.prediction.interval(confidence: 0.9)
    return [
      "id": .string(row.name), "among": .string(row.among), "rank": .number(row.prediction.rank),
      "rankLow": .number(interval.lowerBound), "rankHigh": .number(interval.upperBound),
      "score": .number(row.prediction.score), "deviation": .number(row.prediction.deviation),
    ]
  }
}
