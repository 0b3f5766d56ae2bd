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
    let table = CSVTable(header: header, rows: rows(evaluations, costs))
    try OutputFile.write(table.text, to: path)
  }

  /// The same; rows of other architectures that the file has already stay in it.
  static func update(_ path: String, _ evaluations: [StoredEvaluation], costs: [OperatorCost])
    throws
  {
    let ids = Set(evaluations.map(\.id))
    let earlier = try TextFile.read(path).map { try CSVTable(parsing: $0, file: path) }
    if let earlier, earlier.header != header {
      throw Failure(.input, "\(path): not a file of accuracies; choose another folder")
    }
    let kept = (earlier?.rows ?? []).map(\.fields).filter { !ids.contains($0[0]) }
    let table = CSVTable(header: header, rows: kept + rows(evaluations, costs))
    try OutputFile.write(table.text, to: path)
  }

  private static func rows(
    _ evaluations: [StoredEvaluation], _ costs: [OperatorCost]
  ) -> [[String]] {
    zip(evaluations, costs).map { result, cost in
      [
        result.id, String(format: "%.4f", result.accuracy), "\(result.images)", "\(cost.macs)",
        "\(cost.parameters)", String(result.checkpoint.prefix(12)), result.conditions, result.date,
      ]
    }
  }
}
