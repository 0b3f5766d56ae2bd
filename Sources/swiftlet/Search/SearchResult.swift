import Architectures
import Foundation
import ONNXFormat
import Predictors
import Searchers
import Store

/// What a search found: printed, and written as files.
struct SearchResult {
  let study: String
  let session: SearchSession
  let run: SearchRun
  let winner: BudgetKeeper.Trial?
  let trials: [BudgetKeeper.Trial]
  /// Of the first search, without measuring.
  let seconds: Double

  private var spec: SearchSpec { session.spec }
  /// The winner, or without measuring the best prediction.
  private var best: Evaluated? { winner?.found ?? (spec.measures ? nil : run.best) }

  private func measured(_ genotype: Genotype) -> Double? {
    trials.first { $0.found.genotype == genotype }?.measured.latencyMedian.value
  }

  private func json(_ entry: Evaluated) throws -> [String: JSON] {
    let cost = try session.space.graph(entry.genotype).cost
    let prediction = try session.accuracy.predict([entry.genotype])[0]
    return [
      "id": .string(session.space.id(entry.genotype)), "space": .string(session.space.name),
      "latencyMs": .number(entry.costs[0]), "accuracy": .number(entry.score),
      "measuredLatencyMs": .optional(measured(entry.genotype)), "macs": .integer(cost.macs),
      "parameters": .integer(cost.parameters),
      "resolution": .integer(session.space.resolution(entry.genotype)),
      "accuracyIsExtrapolated": .bool(prediction.isExtrapolation),
    ]
  }

  private func body() throws -> [String: JSON] {
    var bestBody = try best.map { JSON.object(try json($0)) } ?? .null
    if case .object(var fields) = bestBody {
      fields["text"] = .string(try session.space.graph(best!.genotype).text)
      if let output = spec.output { fields["file"] = .string("\(output)/best.onnx") }
      bestBody = .object(fields)
    }
    return [
      "study": .string(study), "space": .string(session.space.name),
      "device": .string(spec.device), "seed": .integer(Int(spec.seed)),
      "latencyBudgetMs": .number(spec.latencyBudget), "searcher": .string(spec.searcher),
      "table": .string(spec.table), "accuracyPredictor": .string(spec.accuracyPredictor),
      "evaluations": .integer(run.evaluations), "seconds": .number(seconds), "best": bestBody,
      "front": .array(try run.front.map { .object(try json($0)) }),
      "measured": .array(
        trials.map { trial in
          [
            "id": .string(trial.measured.id), "latencyMs": .number(trial.found.costs[0]),
            "measuredLatencyMs": .number(trial.measured.latencyMedian.value),
            "accuracy": .number(trial.found.score),
            "stable": trial.measured.isStable.map(JSON.bool) ?? .null,
          ]
        }),
    ]
  }

  func printJSON() throws { try Output.json("search", try body()) }

  func printText() {
    if !trials.isEmpty {
      Output.table(
        ["accuracy %", "predicted ms", "measured ms", "within budget", "architecture"],
        trials.map { trial in
          let time = trial.measured.latencyMedian.value
          return [
            Output.percent(trial.found.score), Output.milliseconds(trial.found.costs[0]),
            Output.milliseconds(time), time <= spec.latencyBudget ? "yes" : "no",
            trial.measured.id,
          ]
        })
      Output.line("")
    }
    guard let best else { return }
    Output.line("best: \(session.space.id(best.genotype))")
    var line = String(
      format: "predicted top-1 %.2f %%, predicted %.3f ms", best.score * 100, best.costs[0])
    if let measured = measured(best.genotype) {
      line += String(format: ", measured %.3f ms on %@", measured, spec.device)
    }
    Output.line(line + String(format: ", budget %g ms", spec.latencyBudget))
    Output.line(
      String(format: "%d evaluations in %.3f s", run.evaluations, seconds))
    if let output = spec.output {
      Output.line("\(output): best.onnx, result.json, front.csv, front.svg")
    }
  }

  /// Writes network, front and result to the spec's folder.
  func write() throws {
    guard let output = spec.output else { return }
    let writer = JSONEncoder()
    writer.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    var body = try body()
    body["schema"] = "swiftlet.search"
    body["version"] = 1
    try OutputFile.write(try writer.encode(JSON.object(body)), to: "\(output)/result.json")
    if let best { try export(best, to: "\(output)/best.onnx") }
    try writeFront(to: output)
  }

  private func writeFront(to output: String) throws {
    let rows = run.front.map { entry in
      [
        session.space.id(entry.genotype), "\(entry.costs[0])", "\(entry.score)",
        measured(entry.genotype).map { "\($0)" } ?? "",
      ]
    }
    let table = CSVTable(
      header: ["id", "latency_ms", "accuracy", "measured_latency_ms"], rows: rows)
    try OutputFile.write(table.text, to: "\(output)/front.csv")
  }

  private func export(_ entry: Evaluated, to path: String) throws {
    var properties = [
      "swiftlet.id": session.space.id(entry.genotype),
      "swiftlet.predicted_latency_ms": "\(entry.costs[0])",
      "swiftlet.predicted_accuracy": "\(entry.score)", "swiftlet.device": spec.device,
    ]
    if let measured = measured(entry.genotype) {
      properties["swiftlet.measured_latency_ms"] = "\(measured)"
    }
    try ONNXFile.write(
      try session.space.graph(entry.genotype), weights: HeInitialization(seed: spec.seed),
      metadata: ONNXMetadata(properties: properties), to: URL(fileURLWithPath: path))
  }
}
