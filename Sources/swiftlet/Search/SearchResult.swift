import Architectures
import Foundation
import ONNXFormat
import Predictors
import Reports
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
  /// The winner, or without measuring the best prediction.
  let best: Evaluated?
  /// Of the best, and what was counted with them.
  private let weights: SearchWeights.Found?

  private var spec: SearchSpec { session.spec }

  init(
    study: String, session: SearchSession, run: SearchRun, winner: BudgetKeeper.Trial?,
    trials: [BudgetKeeper.Trial], seconds: Double
  ) throws {
    self.study = study
    self.session = session
    self.run = run
    self.winner = winner
    self.trials = trials
    self.seconds = seconds
    best = winner?.found ?? (session.spec.measures ? nil : run.best)
    weights = try best.map { try session.weights.find(for: $0.genotype) }
  }

  private func measured(_ genotype: Genotype) -> Double? {
    trials.first { $0.found.genotype == genotype }?.measured.latencyMedian.value
  }

  private func json(_ entry: Evaluated) throws -> [String: JSON] {
    let cost = try session.space.graph(entry.genotype).cost
    let isAccuracy = session.accuracy.isAccuracy
    return [
      "id": .string(session.space.id(entry.genotype)), "space": .string(session.space.name),
      "latencyMs": .number(try session.expectedLatency(entry)),
      "latencyHighMs": spec.confidence == nil ? .null : .number(entry.costs[0]),
      "accuracy": isAccuracy ? .number(entry.score) : .null,
      "rank": isAccuracy ? .null : .number(entry.score),
      "measuredLatencyMs": .optional(measured(entry.genotype)), "macs": .integer(cost.macs),
      "parameters": .integer(cost.parameters),
      "resolution": .integer(session.space.resolution(entry.genotype)),
      "accuracyIsExtrapolated": .bool(try session.accuracy.isExtrapolated(entry.genotype)),
    ]
  }

  private func body() throws -> [String: JSON] {
    var bestBody = try best.map { JSON.object(try json($0)) } ?? .null
    if case .object(var fields) = bestBody {
      fields["text"] = .string(try session.space.graph(best!.genotype).text)
      fields["weights"] = .optional(weights?.source.provenance)
      fields["testAccuracy"] = .optional(weights?.accuracy)
      if let output = spec.output { fields["file"] = .string("\(output)/best.onnx") }
      bestBody = .object(fields)
    }
    return [
      "study": .string(study), "space": .string(session.space.name),
      "device": .string(spec.device), "seed": .unsigned(spec.seed),
      "latencyBudgetMs": .number(spec.latencyBudget), "searcher": .string(spec.searcher),
      "latencyFile": .string(spec.latencyFile), "latencyPredictor": .string(spec.latencySource),
      "confidence": .optional(spec.confidence),
      "accuracyPredictor": .string(spec.accuracyPredictor),
      "evaluations": .integer(run.evaluations), "seconds": .number(seconds), "best": bestBody,
      "front": .array(try run.front.map { .object(try json($0)) }),
      "measured": .array(
        try trials.map { trial in
          [
            "id": .string(trial.measured.id),
            "latencyMs": .number(try session.expectedLatency(trial.found)),
            "measuredLatencyMs": .number(trial.measured.latencyMedian.value),
            "accuracy": session.accuracy.isAccuracy ? .number(trial.found.score) : .null,
            "rank": session.accuracy.isAccuracy ? .null : .number(trial.found.score),
            "stable": trial.measured.isStable.map(JSON.bool) ?? .null,
          ]
        }),
    ]
  }

  func printJSON() throws { try Output.json("search", try body()) }

  func printText() throws {
    if !trials.isEmpty {
      Output.table(
        [
          session.accuracy.isAccuracy ? "accuracy %" : "rank %", "predicted ms", "measured ms",
          "within budget", "architecture",
        ],
        try trials.map { trial in
          let time = trial.measured.latencyMedian.value
          return [
            Output.percent(trial.found.score),
            Output.milliseconds(try session.expectedLatency(trial.found)),
            Output.milliseconds(time), time <= spec.latencyBudget ? "yes" : "no",
            trial.measured.id,
          ]
        })
      Output.line("")
    }
    guard let best else { return }
    Output.line("best: \(session.space.id(best.genotype))")
    var line =
      session.accuracy.text(best.score)
      + String(format: ", predicted %.3f ms", try session.expectedLatency(best))
    if let confidence = spec.confidence {
      line += String(
        format: " (at most %.3f with probability %g)", best.costs[0], confidence)
    }
    if let measured = measured(best.genotype) {
      line += String(format: ", measured %.3f ms on %@", measured, spec.device)
    }
    Output.line(line + String(format: ", budget %g ms", spec.latencyBudget))
    if let weights {
      var line = "weights: \(weights.source.provenance)"
      if let accuracy = weights.accuracy {
        line += String(format: "; %.2f %% of the test images right", accuracy * 100)
      }
      Output.line(line)
    }
    Output.line(
      String(format: "%d evaluations in %.3f s", run.evaluations, seconds))
    if let output = spec.output {
      Output.line("\(output): best.onnx, result.json, front.csv, front.svg, report.html")
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
    // The network first: what result.json names is there. An earlier one must not pass for it.
    let network = "\(output)/best.onnx"
    if let best, let weights {
      try export(best, weights, to: network)
    } else if FileManager.default.fileExists(atPath: network) {
      do {
        try FileManager.default.removeItem(atPath: network)
      } catch {
        throw Failure(.failed, "\(network): an earlier search's network can't be removed")
      }
    }
    try OutputFile.write(try writer.encode(JSON.object(body)), to: "\(output)/result.json")
    try writeFront(to: output)
    try OutputFile.write(try html(), to: "\(output)/report.html")
  }

  private func frontTable() throws -> FrontTable {
    FrontTable(
      rows: try run.front.map { entry in
        FrontTable.Row(
          id: session.space.id(entry.genotype), latencyMs: try session.expectedLatency(entry),
          accuracy: entry.score, measuredLatencyMs: measured(entry.genotype),
          metrics: spec.confidence == nil ? [] : [entry.costs[0]])
      }.sorted { $0.latencyMs < $1.latencyMs },
      // By these the front is one; by the expected latencies some may be beaten by others.
      metrics: spec.confidence == nil ? [] : ["latency_high_ms"],
      score: session.accuracy.isAccuracy ? "accuracy" : "rank")
  }

  /// Device and conditions, as the plot's axis names them.
  private var deviceText: String {
    guard let sample = trials.first?.measured else { return spec.device }
    let runtime = [sample.runtime, sample.runtimeVersion].compactMap { $0 }.joined(separator: " ")
    let threads = sample.threads.map { "\($0) thread\($0 == 1 ? "" : "s")" }
    let parts = [runtime, threads ?? "", sample.batch.map { "batch \($0)" } ?? ""]
    return ([spec.device] + parts.filter { !$0.isEmpty }).joined(separator: ", ")
  }

  private func plot() throws -> Plot {
    Plot.front(
      try frontTable(),
      title: "\(session.space.name) under \(String(format: "%g", spec.latencyBudget)) ms",
      subtitle: "\(run.evaluations) evaluations, seed \(spec.seed)", device: deviceText,
      quantity: session.accuracy.name, budgetMs: spec.latencyBudget,
      best: best.map { session.space.id($0.genotype) })
  }

  private func writeFront(to output: String) throws {
    try OutputFile.write(try frontTable().csv(), to: "\(output)/front.csv")
    try OutputFile.write(try plot().svg(), to: "\(output)/front.svg")
  }

  /// The study as one HTML file.
  func html() throws -> String {
    let id = best.map { session.space.id($0.genotype) }
    var facts = [
      HTMLReport.Fact("study", study), .init("space", session.space.name),
      .init("device", deviceText), .init("latency by", spec.latencySource),
      .init("accuracy predictor", spec.accuracyPredictor), .init("searcher", spec.searcher),
      .init("seed", "\(spec.seed)"), .init("evaluations", "\(run.evaluations)"),
    ]
    if let id { facts.append(.init("best", id)) }
    if let weights { facts.append(.init("weights", weights.source.provenance)) }
    if let accuracy = weights?.accuracy {
      facts.append(.init("test accuracy", String(format: "%.2f %%", accuracy * 100)))
    }
    return try HTMLReport(
      "\(session.space.name) on \(spec.device)",
      subtitle: String(format: "latency budget %g ms", spec.latencyBudget),
      sections: [
        .plot(try plot(), caption: "Predicted front; the chosen network at its measured latency."),
        .front(try frontTable(), best: id), .facts("Provenance", facts),
      ]
    ).html()
  }

  private func export(
    _ entry: Evaluated, _ weights: SearchWeights.Found, to path: String
  ) throws {
    var properties = weights.properties
    properties["swiftlet.id"] = session.space.id(entry.genotype)
    properties["swiftlet.predicted_latency_ms"] = "\(try session.expectedLatency(entry))"
    properties["swiftlet.predicted_\(session.accuracy.isAccuracy ? "accuracy" : "rank")"] =
      "\(entry.score)"
    properties["swiftlet.device"] = spec.device
    if let measured = measured(entry.genotype) {
      properties["swiftlet.measured_latency_ms"] = "\(measured)"
    }
    if let accuracy = weights.accuracy { properties["swiftlet.test_accuracy"] = "\(accuracy)" }
    try ONNXFile.write(
      try session.space.graph(entry.genotype), weights: weights.source,
      metadata: ONNXMetadata(properties: properties), to: URL(fileURLWithPath: path))
  }
}
