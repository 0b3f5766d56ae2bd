import ArgumentParser
import Foundation
import Predictors
import Reports
import Store

extension SamplesCommand {
  struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Compare two measurements of the same networks, from two CSV files.",
      discussion: """
        Two devices, two runs on one, validation and test accuracies, accuracies with a supernet's \
        weights and of networks trained alone. Two measurements of the same quantity with errors of \
        their own also say how well any predictor could follow the first: their covariance is the \
        variance of what is common to them (reliability, Spearman 1904), and tau follows from the \
        correlation as if values were normal (Kendall 1948).
        """)
    @Argument(help: "CSV with a column 'id'.") var first: String
    @Argument(help: "CSV with a column 'id'.") var second: String
    @Option(help: "Column to compare; latency_ms or accuracy when left out.") var column: String?
    @Option(help: "Plot (SVG) to write.") var plot: String?
    @OptionGroup var common: CommonOptions

    func run() throws {
      let (a, b) = (try Measurements(first, column), try Measurements(second, column))
      guard a.column == b.column else {
        throw Failure(
          .input, "\(first) has \(a.column) and \(second) \(b.column): name one with --column")
      }
      let ids = a.ids.filter { b.values[$0] != nil }
      guard ids.count >= 2 else {
        throw Failure(
          .input, "\(first) and \(second) have \(ids.count) networks in common; 2 are needed")
      }
      let (x, y) = (ids.map { a.values[$0]! }, ids.map { b.values[$0]! })
      let differences = zip(x, y).map { $1 - $0 }
      // Where all networks have the same value, differences are all there is to say.
      let relation = Relation(x, y)
      for (file, values) in [(first, x), (second, y)] where Set(values).count == 1 {
        Terminal.note(
          "\(file): all \(ids.count) common networks have the same \(a.column); nothing can be said "
            + "of an order", quiet: common.quiet)
      }
      if let plot {
        var picture = Plot(
          "Two measurements of \(ids.count) networks", x: Axis(first, detail: a.column),
          y: Axis(second, detail: b.column),
          series: [
            Plot.Series(
              "networks", .points, zip(ids, zip(x, y)).map { .init($1.0, $1.1, note: $0) })
          ],
          rules: [Plot.Rule(.diagonal, "dashed: equal")])
        picture.isSquare = true
        try OutputFile.write(picture.svg(), to: plot)
      }
      let mean = differences.reduce(0, +) / Double(ids.count)
      let largest = differences.map(abs).max() ?? 0
      if common.json {
        return try Output.json(
          "comparison",
          [
            "column": .string(a.column), "networks": .integer(ids.count),
            "meanDifference": .number(mean), "largestDifference": .number(largest),
            "kendall": .optional(relation?.ranks.kendall),
            "spearman": .optional(relation?.ranks.spearman),
            "pearson": .optional(relation?.ranks.pearson),
            "reliability": .optional(relation?.reliability),
            "ceilingPearson": .optional(relation?.ceiling),
            "ceilingKendall": .optional(relation?.kendallCeiling),
          ])
      }
      if ids.count <= 50 {
        Output.table(
          ["first", "second", "difference", "network"],
          zip(ids, zip(x, y)).map { id, pair in
            [number(pair.0), number(pair.1), number(pair.1 - pair.0), id]
          })
        Output.line("")
      }
      var rows = [
        ["networks in both", "\(ids.count)"],
        ["first: mean, deviation", "\(number(average(x))), \(number(deviation(x)))"],
        ["second: mean, deviation", "\(number(average(y))), \(number(deviation(y)))"],
        ["difference: mean, largest", "\(number(mean)), \(number(largest))"],
      ]
      if let relation { rows += relation.rows }
      Output.table(["figure", a.column], rows)
    }

    private func number(_ value: Double) -> String { String(format: "%.4f", value) }
  }

  /// How two measurements follow each other; nil where one side is constant.
  private struct Relation {
    let ranks: RankStatistics
    /// Share of the first measurement's variance that is common to both, from 0 to 1.
    let reliability: Double

    init?(_ x: [Double], _ y: [Double]) {
      guard Set(x).count > 1, Set(y).count > 1 else { return nil }
      ranks = RankStatistics(x, y)
      reliability = min(1, max(0, covariance(x, y) / covariance(x, x)))
    }

    /// Pearson's correlation of the first with what is common: no predictor does better.
    var ceiling: Double { reliability.squareRoot() }
    var kendallCeiling: Double { 2 / Double.pi * asin(ceiling) }

    var rows: [[String]] {
      [
        ["Kendall's tau", String(format: "%.3f", ranks.kendall)],
        ["Spearman", String(format: "%.3f", ranks.spearman)],
        ["Pearson", String(format: "%.3f", ranks.pearson)],
        ["reliability of the first", String(format: "%.3f", reliability)],
        [
          "ceiling of a predictor of the first",
          String(format: "tau %.3f, Pearson %.3f", kendallCeiling, ceiling),
        ],
      ]
    }
  }

  /// One number for each network of a CSV file.
  struct Measurements {
    var column: String
    var ids: [String] = []
    var values: [String: Double] = [:]

    init(_ file: String, _ wanted: String?) throws {
      guard let text = try TextFile.read(file) else {
        throw Failure(.input, "\(file): no such file")
      }
      let table = try CSVTable(parsing: text, file: file)
      let candidates = wanted.map { [$0] } ?? ["latency_ms", "accuracy"]
      guard let id = table.header.firstIndex(of: "id"),
        let column = candidates.first(where: table.header.contains),
        let index = table.header.firstIndex(of: column)
      else {
        throw Failure(
          .input,
          "\(file): needs a column 'id' and \(candidates.joined(separator: " or ")), has "
            + table.header.joined(separator: ", "))
      }
      self.column = column
      for row in table.rows {
        let name = row.fields[id]
        guard let value = Double(row.fields[index]), value.isFinite else {
          throw Failure(
            .input, "\(file):\(row.line): '\(row.fields[index])' in \(column) is no number")
        }
        guard values.updateValue(value, forKey: name) == nil else {
          throw Failure(.input, "\(file):\(row.line): \(name) occurs twice; keep one row of each")
        }
        ids.append(name)
      }
    }
  }
}

private func average(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }
private func deviation(_ x: [Double]) -> Double { covariance(x, x).squareRoot() }

/// Of a sample: divided by one less than its size.
private func covariance(_ x: [Double], _ y: [Double]) -> Double {
  let (mx, my) = (average(x), average(y))
  return zip(x, y).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) } / Double(x.count - 1)
}
