import Architectures
import ArgumentParser
import Foundation
import Predictors
import Store

struct BenchKernelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Score kernel-level predictors: unseen families, convolution rows.",
    discussion: """
      Predictors learn from the probes and are scored on families that they never saw. With --data, \
      also on single convolutions: a fifth of the shapes is held out, by seed.
      """)
  @Option(help: "CSV of probes; by default those that came along.") var probes: String?
  @Option(help: "CSV of families on the same device; by default those that came along.")
  var families: String?
  @Option(help: "Folder with v100_trt_conv_ops.csv.") var data: String?
  @Option(help: "Seeds: 0 up to this number less one.") var seeds = 3
  @Flag(help: "Score the families that choices are made on, not the test families.")
  var validation = false
  @OptionGroup var common: CommonOptions

  func run() throws {
    guard seeds > 0 else { throw Failure(.usage, "--seeds \(seeds): 1 or more is meant") }
    let single = try data.map { try convolutions($0) } ?? []
    try BenchRow.write(try networks() + single, schema: "bench-kernels", common)
  }

  private func networks() throws -> [BenchRow] {
    let probes = try SampleFile.read(try probes ?? bundled("kernel-probes.csv"))
    let scored = Set((validation ? NetworkFamily.validation : NetworkFamily.test).map(\.rawValue))
    let samples = try KernelSamples(
      SampleFile.read(try families ?? bundled("families.csv")).filter { sample in
        sample.device == probes.first?.device
          && scored.contains(String(sample.id.dropFirst(7).prefix { $0 != "-" }))
      })
    let seen = try KernelSamples(probes)
    var found: [String: [LatencyEvaluation]] = [:]
    var names: [String] = []
    for seed in 0..<seeds {
      var options = SumModel.Options.kernels
      options.seed = UInt64(seed)
      let predictor = try KernelPredictor.train(seen, options: options)
      let rows = try KernelEvaluation.rows(predictor, samples)
      names = rows.map(\.name)
      for row in rows { found[row.name, default: []].append(row.evaluation) }
      Terminal.note("seed \(seed) done", quiet: common.quiet)
    }
    let published = (0.99, "nn-Meter, Cortex-A76, own kernels and 26,000 networks")
    return try layers(seen)
      + names.flatMap { name -> [BenchRow] in
        let all = found[name]!
        return [
          row(
            name, "within 10 %", all, \.errors.within10, name == "all" ? published : nil),
          row(name, "mean error", all, \.errors.mean, nil),
          row(name, "Spearman", all, \.ranks.spearman, nil),
        ]
      }
  }

  /// Probes with one convolution or matrix product, each predicted by a model of the other folds.
  private func layers(_ probes: KernelSamples) throws -> [BenchRow] {
    let errors = try KernelPredictor.crossValidated(
      probes, rules: try probes.fusionRules(), folds: 4)
    let single = probes.rows.indices.filter { index in
      probes.rows[index].graph.nodes.count { ["Conv", "Gemm", "MatMul"].contains($0.op) } == 1
    }.map { abs(errors[$0]) }
    return [
      BenchRow(
        task: "convolution and GEMM rows", metric: "mean error", samples: single.count,
        value: Self.mean(single), reference: Self.gpperf.0, source: Self.gpperf.1),
      BenchRow(
        task: "convolution and GEMM rows", metric: "within 10 %", samples: single.count,
        value: Self.mean(single.map { $0 <= 0.1 ? 1 : 0 })),
    ]
  }

  private static let gpperf = (0.1557, "GPPerf, GEMM on an RTX 4070")

  private func row(
    _ task: String, _ metric: String, _ evaluations: [LatencyEvaluation],
    _ value: KeyPath<LatencyEvaluation, Double>, _ reference: (Double, String)?
  ) -> BenchRow {
    let values = evaluations.map { $0[keyPath: value] }
    return BenchRow(
      task: task, metric: metric, samples: evaluations[0].samples, value: Self.mean(values),
      spread: Self.deviation(values), reference: reference?.0, source: reference?.1)
  }

  private func convolutions(_ folder: String) throws -> [BenchRow] {
    let file = folder + "/v100_trt_conv_ops.csv"
    guard let text = try TextFile.read(file) else {
      throw Failure(.input, "\(file): no such file, nor with .gz behind")
    }
    let table = try ConvolutionTable(csv: text, file: file)
    var options = SumModel.Options()
    (options.rounds, options.depth, options.rate, options.hasOffset) = (400, 7, 0.1, false)
    var errors: [ErrorStatistics] = []
    for seed in 0..<seeds {
      options.seed = UInt64(seed)
      let split = table.split(holdout: 0.2, seed: UInt64(seed))
      let model = try SumModel(
        fitting: split.seen.map { ([table.part($0)], $0.latency) }, kinds: table.kinds,
        options: options)
      errors.append(
        ErrorStatistics(
          split.heldOut.map { model.time([table.part($0)]) }, split.heldOut.map(\.latency)))
      Terminal.note("convolutions, seed \(seed) done", quiet: common.quiet)
    }
    return [
      ("mean error", \ErrorStatistics.mean, Optional(Self.gpperf)),
      ("within 10 %", \.within10, nil),
    ]
    .map { metric, value, reference in
      let values = errors.map { $0[keyPath: value] }
      return BenchRow(
        task: "V100 convolutions", metric: metric, samples: errors[0].samples,
        value: Self.mean(values), spread: Self.deviation(values), reference: reference?.0,
        source: reference?.1)
    }
  }

  private func bundled(_ name: String) throws -> String {
    guard let folder = SpaceCatalog.bundledFolder("datasets") else {
      throw Failure(.unavailable, "the folder 'datasets' that comes with the command is not there")
    }
    return "\(folder)/\(name)"
  }

  private static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  private static func deviation(_ values: [Double]) -> Double {
    let mean = mean(values)
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count - 1)))
      .squareRoot()
  }
}
