import ArgumentParser
import Foundation

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Score predictors beside published figures, or time training and supernets.",
    subcommands: [
      BenchAccuracyCommand.self, BenchLatencyCommand.self, BenchKernelsCommand.self,
      BenchEngineCommand.self, BenchSupernetCommand.self,
    ])
}

/// One figure of a benchmark beside a published one.
struct BenchRow {
  var task: String
  var metric: String
  /// Samples that scored.
  var samples: Int
  var value: Double
  /// Standard deviation over seeds.
  var spread: Double?
  var reference: Double?
  /// Where the reference comes from.
  var source: String?

  var json: JSON {
    [
      "task": .string(task), "metric": .string(metric), "samples": .integer(samples),
      "value": .number(value), "spread": .optional(spread), "reference": .optional(reference),
      "source": .optional(source),
    ]
  }

  static func write(_ rows: [BenchRow], schema: String, _ common: CommonOptions) throws {
    if common.json {
      return try Output.json(schema, ["rows": .array(rows.map(\.json))])
    }
    func text(_ value: Double?) -> String { value.map { String(format: "%.4f", $0) } ?? "-" }
    Output.table(
      ["task", "metric", "samples", "value", "spread", "reference", "source"],
      rows.map {
        [
          $0.task, $0.metric, "\($0.samples)", text($0.value), text($0.spread), text($0.reference),
          $0.source ?? "-",
        ]
      })
  }
}
