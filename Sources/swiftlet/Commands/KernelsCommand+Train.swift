import Architectures
import ArgumentParser
import Foundation
import Predictors
import Store

extension KernelsCommand {
  struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Learn a device's kernels from its samples.",
      discussion: """
        Samples are those of 'swiftlet kernels measure', from the store or as CSV; samples of spaces \
        and families of the same device may be added. Same samples and seed, same predictor.
        """)
    @Option(help: "Device whose probes the store has.") var device: String?
    @Option(help: "CSV files of samples in place of the store.") var samples: [String] = []
    @Option(help: "Seed.") var seed: UInt64 = 0
    @Option(name: .shortAndLong, help: "File to write (safetensors).") var output: String
    @OptionGroup var common: CommonOptions

    func run() throws {
      guard (device == nil) != samples.isEmpty else {
        throw Failure(.usage, "name a --device of the store, or --samples as CSV")
      }
      let found =
        try device.map { try Store().samples(device: $0, space: ProbeSamples.space) }
        ?? samples.flatMap { try SampleFile.read($0) }
      try OutputFile.makeFolder(of: output)
      var options = SumModel.Options.kernels
      options.seed = seed
      var bar = Progress("training", quiet: common.quiet)
      let rounds = options.rounds
      let predictor = try KernelPredictor.train(try KernelSamples(found), options: options) {
        bar.update($0, of: rounds)
      }
      bar.finish()
      try predictor.write(to: output)
      if common.json {
        try Output.json(
          "training",
          [
            "device": .string(predictor.provenance.device), "file": .string(output),
            "samples": .integer(found.count), "seed": .unsigned(seed),
          ])
      } else {
        Output.line(
          "\(output): kernels of \(predictor.provenance.device) from \(found.count) networks")
      }
    }
  }

  struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Score a kernel predictor on networks it did not see.",
      discussion: """
        A row for each family, space or file among the samples, and one for all.
        """)
    @Option(help: "Kernel predictor.") var predictor: String
    @Option(help: "CSV files of samples; of the predictor's device and conditions.")
    var samples: [String] = []
    @OptionGroup var common: CommonOptions

    func run() throws {
      guard !samples.isEmpty else { throw Failure(.usage, "name --samples as CSV") }
      let predictor = try KernelPredictor(contentsOf: predictor)
      let made = predictor.provenance
      let found = try samples.flatMap { try SampleFile.read($0) }.filter {
        $0.device == made.device && $0.batch ?? 1 == made.batch && $0.threads == made.threads
          && $0.optimization == made.optimization
      }
      guard !found.isEmpty else {
        let conditions = Sample.conditions(
          threads: made.threads, batch: made.batch, precision: nil, optimization: made.optimization)
        throw Failure(
          .input,
          "no samples of '\(made.device)' (\(conditions)) in \(samples.joined(separator: ", "))")
      }
      let rows = try KernelEvaluation.rows(predictor, KernelSamples(found))
      if common.json {
        try Output.json(
          "evaluation",
          [
            "device": .string(predictor.provenance.device),
            "rows": .array(rows.map { KernelEvaluation.json($0.name, $0.evaluation) }),
          ])
      } else {
        KernelEvaluation.table(rows)
      }
    }
  }
}

/// Samples from a CSV file of any magnitude.
enum SampleFile {
  static func read(_ file: String) throws -> [Sample] {
    guard let data = FileManager.default.contents(atPath: file),
      let text = String(data: data, encoding: .utf8)
    else { throw Failure(.input, "\(file): no such file, or no UTF-8 text") }
    return try SamplesCSV.parse(text, file: file, device: "-", allowingSubMillisecond: true)
  }
}

/// Predictions beside measured latencies, family by family.
enum KernelEvaluation {
  typealias Row = (name: String, evaluation: LatencyEvaluation)

  /// One row for each group of ids, and one, `all`, for all.
  static func rows(_ predictor: KernelPredictor, _ samples: KernelSamples) throws -> [Row] {
    var groups: [String: [Int]] = [:]
    for (index, row) in samples.rows.enumerated() {
      groups[name(row.sample.id), default: []].append(index)
    }
    let predicted = samples.rows.map { predictor.latency($0.graph) }
    func evaluation(_ indices: [Int]) throws -> LatencyEvaluation {
      try LatencyEvaluation(
        predicted: indices.map { predicted[$0] },
        measured: indices.map { samples.rows[$0].sample.latencyMedian })
    }
    return try groups.sorted { $0.key < $1.key }.map { ($0.key, try evaluation($0.value)) }
      + [("all", try evaluation(Array(samples.rows.indices)))]
  }

  /// The family or space of an id.
  private static func name(_ id: String) -> String {
    if id.hasPrefix("family:") { return String(id.dropFirst(7).prefix { $0 != "-" }) }
    return id.hasPrefix("Input1:") ? "texts" : String(id.prefix { $0 != ":" })
  }

  static func table(_ rows: [Row]) {
    Output.table(
      [
        "networks", "of", "mean error %", "median %", "p95 %", "within 5 %", "within 10 %",
        "bias %",
        "Spearman",
      ],
      rows.map { name, evaluation in
        let errors = evaluation.errors
        return [
          "\(evaluation.samples)", name, Output.percent(errors.mean),
          Output.percent(errors.median), Output.percent(errors.p95),
          Output.percent(errors.within5), Output.percent(errors.within10),
          Output.percent(errors.bias), String(format: "%.4f", evaluation.ranks.spearman),
        ]
      })
  }

  static func json(_ name: String, _ evaluation: LatencyEvaluation) -> JSON {
    [
      "of": .string(name), "samples": .integer(evaluation.samples),
      "meanError": .number(evaluation.errors.mean),
      "medianError": .number(evaluation.errors.median),
      "p95Error": .number(evaluation.errors.p95), "within5": .number(evaluation.errors.within5),
      "within10": .number(evaluation.errors.within10), "bias": .number(evaluation.errors.bias),
      "spearman": .number(evaluation.ranks.spearman),
    ]
  }
}
