import Architectures
import ArgumentParser
import Foundation
import Predictors
import Reports
import Tensors

struct BenchLatencyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latency",
    abstract: "Few-shot latency on unseen devices: the splits of NASFLAT and HELP.",
    discussion: """
      Each task trains on its source devices alone; sources that play the new device decide \
      everything that is decided. Networks to measure are chosen by the model, from 1,000 drawn by \
      seed. Spearman is over the whole space; errors leave out networks read as nearly 0 ms.
      """)
  @Option(help: "Folder with latency/ and accuracy/ of the published data.") var data: String
  @Option(help: "Tasks, separated by commas; all of them when left out.") var tasks: String?
  @Option(help: "Seeds to average over.") var seeds = 5
  @Flag(help: "Also predict one space from samples of another.") var transfer = false
  @Flag(
    help: ArgumentHelp(
      "Only devices that this project measured itself, each left out in turn.",
      discussion: """
        The held-out one is adapted with 10 samples; sources are the published devices alone, or \
        together with the other own ones.
        """))
  var own = false
  @Flag(help: "Also train HELP's form and one like NASFLAT's, for the first seed (minutes).")
  var learned = false
  @Flag(help: "Also time predictions over the space of Once-for-All, with this machine's threads.")
  var speed = false
  @Option(help: "File for a plot (SVG) of the tasks beside the published figures.")
  var plot: String?
  @OptionGroup var common: CommonOptions

  func run() throws {
    let engine = try Engine(threads: ProcessInfo.processInfo.activeProcessorCount)
    guard seeds > 0 else { throw Failure(.usage, "--seeds \(seeds): 1 or more is meant") }
    if own {
      let given = ["--tasks": tasks != nil, "--plot": plot != nil]
        .merging(["--transfer": transfer, "--learned": learned, "--speed": speed]) { $1 }
      if let useless = given.filter(\.value).keys.min() {
        throw Failure(.usage, "\(useless): --own has no use for it")
      }
      return try OwnDevices.bench(data: data, seeds: seeds, engine, common)
    }
    let benchmark = try LatencyBenchmark(
      folder: data, space: { try SpaceCatalog.standard.space($0) }, engine: engine)
    let wanted = tasks.map { Set($0.split(separator: ",").map(String.init)) }
    if let unknown = wanted?.first(where: { name in !benchmark.tasks.contains { $0.name == name } })
    {
      throw Failure(
        .usage,
        "no task '\(unknown)'; there are \(benchmark.tasks.map(\.name).joined(separator: ", "))")
    }
    var rows: [BenchRow] = []
    var means: [(task: LatencyBenchmark.Task, spearman: Double)] = []
    for task in benchmark.tasks where wanted?.contains(task.name) ?? true {
      var bar = Progress("task \(task.name)", quiet: common.quiet)
      let figures = try benchmark.score(task, seeds: seeds, learned: learned) {
        bar.update($0, of: $1)
      }
      bar.finish()
      for figure in figures {
        let isMain =
          figure.method == "few-shot" && figure.metric == "Spearman"
          && figure.samples == task.samples
        if isMain { means.append((task, figure.value)) }
        let published = isMain ? task.published.max { $0.value < $1.value } : nil
        rows.append(row(figure, published))
      }
    }
    let nasflat = means.filter { $0.task.samples == 20 && !$0.task.published.isEmpty }
    if nasflat.count > 1 {
      let count = Double(nasflat.count)
      let best = nasflat.map { $0.task.published.map(\.value).max()! }.reduce(0, +) / count
      rows.append(
        BenchRow(
          task: "mean of \(nasflat.map(\.task.name).joined(separator: " "))",
          metric: "few-shot Spearman", samples: 20,
          value: nasflat.map(\.spearman).reduce(0, +) / count, spread: nil, reference: best,
          source: "better published of each"))
    }
    if transfer {
      for figure in try benchmark.scoreTransfer(seeds: seeds) { rows.append(row(figure, nil)) }
    }
    if speed { rows += try PredictionSpeed.rows(engine) }
    if let plot { try OutputFile.write(try Self.plot(means).svg(), to: plot) }
    try BenchRow.write(rows, schema: "bench.latency", common)
  }

  private func row(
    _ figure: LatencyBenchmark.Figure, _ published: (value: Double, source: String)?
  ) -> BenchRow {
    BenchRow(
      task: figure.task, metric: "\(figure.method) \(figure.metric)", samples: figure.samples,
      value: figure.value, spread: figure.spread, reference: published?.value,
      source: published?.source)
  }

  private static func plot(
    _ means: [(task: LatencyBenchmark.Task, spearman: Double)]
  ) -> Plot {
    func points(_ value: (LatencyBenchmark.Task) -> Double?) -> [Plot.Point] {
      means.enumerated().compactMap { place, entry in
        value(entry.task).map { Plot.Point(Double(place + 1), $0, note: entry.task.name) }
      }
    }
    let names = means.enumerated().map { "\($0.offset + 1) \($0.element.task.name)" }
    return Plot(
      "Latency of unseen devices from a few samples", subtitle: names.joined(separator: ", "),
      x: Axis("task"), y: Axis("Spearman"),
      series: [
        Plot.Series(
          "few-shot", .points,
          means.enumerated().map {
            Plot.Point(Double($0.offset + 1), $0.element.spearman, note: $0.element.task.name)
          }),
        Plot.Series("best published", .points, points { $0.published.map(\.value).max() }),
      ])
  }
}
