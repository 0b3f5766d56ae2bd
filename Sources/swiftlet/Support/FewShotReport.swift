import Architectures
import Foundation
import Predictors
import Reports
import Store

/// What to expect of a device's predictor, from its own samples: figures, a sentence, a plot.
struct FewShotReport {
  let adaptation: FewShotAdaptation
  let held: [FewShotModel.Held]
  let errors: ErrorStatistics
  let ranks: RankStatistics

  init(_ adaptation: FewShotAdaptation) throws {
    self.adaptation = adaptation
    held = try adaptation.leaveOneOut()
    errors = ErrorStatistics(held.map(\.predicted.value), held.map(\.measured.value))
    ranks = RankStatistics(held.map(\.predicted.value), held.map(\.measured.value))
  }

  private var p90: Double {
    ErrorStatistics.quantile(
      0.9,
      ofSorted: held.map { abs($0.predicted.value / $0.measured.value - 1) }.sorted())
  }

  /// A plain sentence.
  var sentence: String {
    var text = String(
      format:
        "Expect predictions for '%@' to be off by %.1f %% in the middle and by %.1f %% at nine of "
        + "ten networks (%d samples, each predicted from the others; rank correlation %.3f); %d of "
        + "%d lie in their 90 %% interval.",
      adaptation.device, errors.median * 100, p90 * 100, held.count, ranks.spearman,
      held.count { $0.isInside }, held.count)
    if held.count < FewShotAdaptation.fewest {
      text +=
        " With fewer than \(FewShotAdaptation.fewest) samples these figures are rough themselves."
    }
    return text
  }

  var json: [String: JSON] {
    [
      "device": .string(adaptation.device), "samples": .integer(held.count),
      "medianError": .number(errors.median), "meanError": .number(errors.mean),
      "p90Error": .number(p90), "within10": .number(errors.within10),
      "spearman": .number(ranks.spearman), "kendall": .number(ranks.kendall),
      "inside90": .number(Double(held.count { $0.isInside }) / Double(held.count)),
      "expectation": .string(sentence),
    ]
  }

  func writePlot(to path: String) throws {
    let plot = Plot.predictedAgainstMeasured(
      "Few-shot latency on \(adaptation.device)",
      subtitle: "\(held.count) networks, each predicted from the others",
      quantity: Axis("latency", unit: "ms"),
      points: zip(held, adaptation.samples).map { point, sample in
        Plot.Point(point.measured.value, point.predicted.value, note: sample.id)
      })
    try OutputFile.write(try plot.svg(), to: path)
  }

  func print(_ common: CommonOptions, plot: String?) throws {
    if let plot { try writePlot(to: plot) }
    if common.json {
      var body = json
      body["plot"] = .optional(plot)
      return try Output.json("few-shot", body)
    }
    Output.table(
      ["samples", "median error %", "p90 %", "within 10 %", "Spearman", "in 90 % interval"],
      [
        [
          "\(held.count)", Output.percent(errors.median), Output.percent(p90),
          Output.percent(errors.within10), String(format: "%.4f", ranks.spearman),
          Output.percent(Double(held.count { $0.isInside }) / Double(held.count)),
        ]
      ])
    Output.line(sentence)
    if let plot { Output.line(plot) }
  }
}
