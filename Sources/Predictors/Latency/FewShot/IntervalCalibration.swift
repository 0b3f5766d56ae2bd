internal import Foundation

/// How many standard deviations an interval needs to hold what it says, learned from source devices
/// that played new ones: quantiles of |error| / deviation, by number of samples.
struct IntervalCalibration: Sendable, Equatable, Codable {
  /// Confidences of the quantiles, rising.
  static let confidences = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99]

  struct Row: Sendable, Equatable, Codable {
    var samples: Int
    /// One a confidence.
    var factors: [Double]
  }

  /// By number of samples, rising; empty before anything was learned.
  var rows: [Row] = []

  /// Quantiles of errors divided by their predicted deviations.
  mutating func learn(samples: Int, ratios: [Double]) {
    let sorted = ratios.map(abs).sorted()
    rows.append(
      Row(
        samples: samples,
        factors: Self.confidences.map { ErrorStatistics.quantile($0, ofSorted: sorted) }))
    rows.sort { $0.samples < $1.samples }
  }

  /// Deviations to each side; between numbers of samples by their logarithm, a normal
  /// distribution's where nothing was learned.
  func factor(confidence: Double, samples: Int) -> Double {
    guard let first = rows.first, let last = rows.last else {
      return Self.normal(confidence)
    }
    func value(_ row: Row) -> Double {
      let place = Self.confidences.firstIndex { $0 >= confidence } ?? Self.confidences.count - 1
      guard place > 0, Self.confidences[place] > confidence else {
        // Below the first quantile and beyond the last as a normal distribution goes.
        return row.factors[place]
          * (Self.normal(confidence) / Self.normal(Self.confidences[place]))
      }
      let (low, high) = (Self.confidences[place - 1], Self.confidences[place])
      let share = (confidence - low) / (high - low)
      return row.factors[place - 1] + share * (row.factors[place] - row.factors[place - 1])
    }
    if samples <= first.samples { return value(first) }
    guard let upper = rows.firstIndex(where: { $0.samples >= samples }) else { return value(last) }
    let (a, b) = (rows[upper - 1], rows[upper])
    let share =
      (log(Double(samples)) - log(Double(a.samples)))
      / (log(Double(b.samples)) - log(Double(a.samples)))
    return value(a) + share * (value(b) - value(a))
  }

  /// Two-sided quantile of the normal distribution, by bisection of the error function.
  static func normal(_ confidence: Double) -> Double {
    var (low, high) = (0.0, 10.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if erf(middle / 2.0.squareRoot()) < confidence { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
