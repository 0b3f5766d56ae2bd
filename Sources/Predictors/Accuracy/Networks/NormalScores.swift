internal import Foundation

/// Carries measured values over to normal scores by rank, and back: order is what a search needs, and
/// ranks don't care that a few networks fail and many are nearly equal.
struct NormalScores: Codable, Equatable, Sendable {
  /// Distinct measured values ascending, and the scores of their (mean) ranks.
  private(set) var values: [Double] = []
  private(set) var scores: [Double] = []

  init(_ measured: [Double]) {
    let sorted = measured.sorted()
    var start = 0
    while start < sorted.count {
      var end = start + 1
      while end < sorted.count, sorted[end] == sorted[start] { end += 1 }
      values.append(sorted[start])
      scores.append(Self.quantile(Double(start + end) / 2 / Double(sorted.count)))
      start = end
    }
  }

  /// Whether both columns are finite and rise.
  var isSound: Bool {
    values.count == scores.count && !values.isEmpty
      && [values, scores].allSatisfy { column in
        column.allSatisfy(\.isFinite) && zip(column, column.dropFirst()).allSatisfy { $0 < $1 }
      }
  }

  var range: ClosedRange<Double> { (values.first ?? 0)...(values.last ?? 0) }

  /// The score of a value, straight between measured ones and on beyond them.
  func score(_ value: Double) -> Double { Self.interpolate(value, values, scores) }

  /// The value of a score.
  func value(_ score: Double) -> Double { Self.interpolate(score, scores, values) }

  private static func interpolate(_ x: Double, _ from: [Double], _ to: [Double]) -> Double {
    guard from.count > 1 else { return to.first ?? 0 }
    var (low, high) = (0, from.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if from[middle] <= x { low = middle } else { high = middle }
    }
    // Beyond the ends the slope of the outer tenth holds: a single pair of neighbours may be steep.
    let tenth = max(1, from.count / 10)
    if x < from[0] { (low, high) = (0, tenth) }
    if x > from[from.count - 1] { (low, high) = (from.count - 1 - tenth, from.count - 1) }
    let anchor = x < from[0] ? low : x > from[from.count - 1] ? high : low
    return to[anchor] + (to[high] - to[low]) / (from[high] - from[low]) * (x - from[anchor])
  }

  /// The normal distribution function.
  static func probability(_ score: Double) -> Double { 0.5 * erfc(-score / 2.0.squareRoot()) }

  /// Inverse of the normal distribution function, by bisection of `erfc`, to 1e-9.
  static func quantile(_ probability: Double) -> Double {
    var (low, high) = (-9.0, 9.0)
    for _ in 0..<40 {
      let middle = (low + high) / 2
      let isBelow = Self.probability(middle) < probability
      if isBelow { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
