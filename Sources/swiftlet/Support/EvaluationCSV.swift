import Architectures
import Foundation
import Store

/// Accuracies of architectures as the CSV that accuracy predictors are trained on.
enum EvaluationCSV {
  private static let header = [
    "id", "accuracy", "images", "macs", "parameters", "checkpoint", "conditions", "date",
  ]

  /// - Parameter costs: of the evaluations' architectures, in their order.
  static func write(_ evaluations: [StoredEvaluation], costs: [OperatorCost], to path: String)
    throws
  {
    let rows = zip(evaluations, costs).map { result, cost in
      [
        result.id, String(format: "%.4f", result.accuracy), "\(result.images)", "\(cost.macs)",
        "\(cost.parameters)", String(result.checkpoint.prefix(12)), result.conditions, result.date,
      ]
    }
    try OutputFile.write(CSVTable(header: header, rows: rows).text, to: path)
  }
}
