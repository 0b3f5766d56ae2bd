import ArgumentParser
import EngineBenchmarks
import Foundation

struct BenchSupernetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "supernet",
    abstract: "Training steps of a once-for-all supernet, and how fast its subnets are evaluated.",
    discussion: """
      Run it alone on the machine; images are made up. step:sandwich trains the largest subnet, the \
      smallest and two random ones, which the largest teaches; step:shrinking trains four random \
      ones beside a teacher. 'make bench-supernet' times the published package's layers in PyTorch \
      beside it.
      """)
  @Option(help: "Name of a space, or path of a space file.") var space = "ofa-mobilenetv3-cifar"
  @Option(help: "Images a step.") var batch = 64
  @Option(help: "Steps of each kind to time.") var steps = 10
  @Option(help: "Subnets to evaluate.") var subnets = 8
  @Option(help: "Images that a subnet is judged on.") var images = 5000
  @Option(help: "Training images that its statistics are taken from.") var recalibration = 2000
  @Option(help: "Threads that compute.") var threads = 2
  @OptionGroup var common: CommonOptions

  private struct Row {
    var task: String
    var metric: String
    var ours: Double
  }

  func validate() throws {
    let options = [
      ("batch", batch), ("steps", steps), ("subnets", subnets), ("images", images),
      ("recalibration", recalibration),
    ]
    for (name, value) in options where !(1...1_000_000).contains(value) {
      throw ValidationError("--\(name) \(value) is not in 1...1000000")
    }
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads \(threads) is not in 1...1024")
    }
  }

  func run() throws {
    var options = SupernetBenchmark.Options()
    options.batch = batch
    options.threads = threads
    options.validation = images
    options.recalibration = recalibration
    let benchmark = try SupernetBenchmark(space: space, options)
    var rows: [Row] = []
    for kind in SupernetBenchmark.Step.allCases {
      let milliseconds = try median(of: kind, benchmark)
      rows.append(Row(task: kind.task, metric: "ms", ours: milliseconds))
      rows.append(
        Row(task: kind.task, metric: "images/s", ours: Double(batch) / milliseconds * 1000))
    }
    rows.append(
      Row(task: "evaluate", metric: "subnets/s", ours: try evaluationRate(benchmark)))
    if common.json {
      return try Output.json(
        "supernet-benchmark",
        [
          "space": .string(space), "batch": .integer(batch), "threads": .integer(threads),
          "rows": .array(
            rows.map {
              [
                "task": .string($0.task), "metric": .string($0.metric), "ours": .number($0.ours),
              ]
            }),
        ])
    }
    Output.table(
      ["task", "metric", "ours"],
      rows.map { [$0.task, $0.metric, String(format: "%.2f", $0.ours)] })
  }

  /// Milliseconds of a step, after two to warm up.
  private func median(
    of kind: SupernetBenchmark.Step, _ benchmark: SupernetBenchmark
  ) throws -> Double {
    var bar = Progress(kind.task, quiet: common.quiet)
    defer { bar.finish() }
    for number in 0..<2 { _ = try benchmark.step(kind, number) }
    var times: [Double] = []
    for number in 0..<steps {
      times.append(try benchmark.step(kind, number))
      bar.update(number + 1, of: steps, String(format: "%.0f ms", times[number]))
    }
    return times.sorted()[steps / 2]
  }

  /// Subnets a second, `threads` at a time.
  private func evaluationRate(_ benchmark: SupernetBenchmark) throws -> Double {
    var bar = Progress("evaluate", quiet: common.quiet)
    defer { bar.finish() }
    var milliseconds = 0.0
    for first in stride(from: 0, to: subnets, by: 2 * threads) {
      let last = min(subnets, first + 2 * threads)
      milliseconds += try benchmark.evaluate(first..<last)
      bar.update(last, of: subnets)
    }
    return Double(subnets) / milliseconds * 1000
  }
}
