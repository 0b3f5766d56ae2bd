import Architectures
import ArgumentParser
import Foundation
import Predictors
import Reports

struct BenchAccuracyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accuracy",
    abstract: "Score accuracy predictors on published tables, beside published figures.",
    discussion: """
      In a space, a predictor learns from a few architectures, drawn by seed, and is scored on all \
      others. 'samples' is how many it learned from; 0 is a transfer from other spaces. Coverage is \
      the share of unseen networks inside the 90 % interval.
      """)
  @Option(help: "Folder with nb201_accuracy.csv and its like, packed or not.") var data: String
  @Option(help: "Folder with ofa_mbv3_w1.0_imagenet_top1.csv; by default 'lut' beside --data.")
  var lut: String?
  @Option(help: "Seeds: 0 up to this number less one.") var seeds = 5
  @Option(help: "Only tasks whose name has this in it, such as NB201.") var only: String?
  @Option(help: "Plot of the correlations (SVG) to write.") var plot: String?
  @OptionGroup var common: CommonOptions

  func run() throws {
    guard seeds > 0 else { throw Failure(.usage, "--seeds \(seeds): 1 or more is meant") }
    let tables = AccuracyTables(folder: data, lut: lut ?? data + "/../lut")
    var rows: [BenchRow] = []
    for task in AccuracyTask.all where only.map({ task.name.contains($0) }) ?? true {
      rows += try task.rows(tables, seeds: seeds)
      Terminal.note("\(task.name), \(task.samples) samples done", quiet: common.quiet)
    }
    guard !rows.isEmpty else {
      throw Failure(.usage, "--only \(only ?? ""): no such task")
    }
    if let plot { try OutputFile.write(Self.plot(rows).svg(), to: plot) }
    try BenchRow.write(rows, schema: "bench-accuracy", common)
  }

  /// Correlation against samples, a line a task, published figures as marks.
  private static func plot(_ rows: [BenchRow]) -> Plot {
    let rows = rows.filter { $0.metric == "Kendall" && $0.samples > 0 }
    var names: [String] = []
    for row in rows where !names.contains(row.task) { names.append(row.task) }
    func points(_ task: String, _ value: (BenchRow) -> Double?) -> [Plot.Point] {
      rows.filter { $0.task == task }.compactMap { row in
        value(row).map {
          Plot.Point(log10(Double(row.samples)), $0, note: "\(task), \(row.samples) samples")
        }
      }
    }
    var series: [Plot.Series] = []
    for name in names { series.append(Plot.Series(name, .line, points(name, \.value))) }
    series.append(
      Plot.Series("published", .points, names.flatMap { points($0, \.reference) }))
    return Plot(
      "Accuracy predictors", subtitle: "Kendall's tau on unseen networks",
      x: Axis("training samples, power of ten"), y: Axis("Kendall's tau"), series: series)
  }
}
