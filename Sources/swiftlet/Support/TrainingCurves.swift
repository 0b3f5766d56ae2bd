import Reports
import Supernets

/// How the accuracies of a supernet in training went, as a picture.
enum TrainingCurves {
  /// Draws `log.csv` of a training's folder as `log.svg` beside it.
  static func write(folder: String, space: String) throws {
    let rows = try TrainingLog.rows("\(folder)/log.csv")
    guard !rows.isEmpty else { return }
    func curve(_ name: String, _ accuracy: KeyPath<TrainingLog.Accuracies, Double>) -> Plot.Series {
      let points = rows.map { row in
        Plot.Point(Double(row.epoch), 100 * row.accuracy[keyPath: accuracy])
      }
      // A line of one epoch would not be seen.
      return Plot.Series(name, rows.count > 1 ? .line : .points, points)
    }
    let starts = zip(rows, rows.dropFirst()).filter { $0.phase != $1.phase }
    let plot = Plot(
      "Training \(space)", subtitle: "validation images; every subnet with statistics of its own",
      x: Axis("epoch"), y: Axis("top-1 accuracy", unit: "%"),
      series: [
        curve("largest", \.largest), curve("random", \.random), curve("smallest", \.smallest),
      ],
      rules: starts.map { Plot.Rule(.vertical(Double($0.0.epoch)), "\($0.1.phase) from here") })
    try OutputFile.write(plot.svg(), to: "\(folder)/log.svg")
  }
}
