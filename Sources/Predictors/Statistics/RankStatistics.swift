/// How well predictions order and follow what was measured: 1 is perfect, 0 no relation.
///
/// A statistic is 0 where it isn't defined: fewer than two pairs, or a side that is constant.
public struct RankStatistics: Codable, Equatable, Sendable {
  /// Kendall's tau-b (Kendall 1945), which corrects for ties.
  public var kendall: Double
  /// Spearman's rho: Pearson's r of the ranks, ties sharing the mean rank.
  public var spearman: Double
  /// Pearson's r: a linear relation.
  public var pearson: Double

  /// - Precondition: both have the same length.
  public init(_ predicted: [Double], _ measured: [Double]) {
    kendall = Self.kendall(predicted, measured)
    spearman = Self.spearman(predicted, measured)
    pearson = Self.pearson(predicted, measured)
  }

  /// Kendall's tau-b by counting exchanges of a merge sort (Knight 1966), O(n log n).
  public static func kendall(_ x: [Double], _ y: [Double]) -> Double {
    precondition(x.count == y.count, "one measured value for each predicted one")
    let n = x.count
    guard n > 1 else { return 0 }
    let order = x.indices.sorted { x[$0] != x[$1] ? x[$0] < x[$1] : y[$0] < y[$1] }
    let pairs = n * (n - 1) / 2
    let tiedX = ties(order) { x[$0] == x[$1] }
    let tiedBoth = ties(order) { x[$0] == x[$1] && y[$0] == y[$1] }
    var sorted = order.map { y[$0] }
    let exchanges = sortCountingExchanges(&sorted)
    let tiedY = ties(Array(sorted.indices)) { sorted[$0] == sorted[$1] }
    // Concordant minus discordant pairs; pairs tied in x or y are neither.
    let excess = pairs - tiedX - tiedY + tiedBoth - 2 * exchanges
    let scale = Double(pairs - tiedX).squareRoot() * Double(pairs - tiedY).squareRoot()
    return scale > 0 ? Double(excess) / scale : 0
  }

  public static func spearman(_ x: [Double], _ y: [Double]) -> Double {
    pearson(ranks(x), ranks(y))
  }

  public static func pearson(_ x: [Double], _ y: [Double]) -> Double {
    precondition(x.count == y.count, "one measured value for each predicted one")
    guard x.count > 1 else { return 0 }
    let meanX = x.reduce(0, +) / Double(x.count)
    let meanY = y.reduce(0, +) / Double(y.count)
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    for (a, b) in zip(x, y) {
      xx += (a - meanX) * (a - meanX)
      yy += (b - meanY) * (b - meanY)
      xy += (a - meanX) * (b - meanY)
    }
    let scale = xx.squareRoot() * yy.squareRoot()
    return scale > 0 ? xy / scale : 0
  }

  /// Ranks from 1; equal values share their mean rank.
  static func ranks(_ x: [Double]) -> [Double] {
    let order = x.indices.sorted { x[$0] < x[$1] }
    var ranks = [Double](repeating: 0, count: x.count)
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, x[order[end]] == x[order[start]] { end += 1 }
      for position in start..<end { ranks[order[position]] = Double(start + end + 1) / 2 }
      start = end
    }
    return ranks
  }

  /// Pairs within runs of neighbours that `areEqual`.
  private static func ties(_ order: [Int], _ areEqual: (Int, Int) -> Bool) -> Int {
    var (pairs, run) = (0, 0)
    for (before, after) in zip(order, order.dropFirst()) {
      run = areEqual(before, after) ? run + 1 : 0
      pairs += run
    }
    return pairs
  }

  /// Merge sort, bottom up; returns how many pairs stood in the wrong order.
  private static func sortCountingExchanges(_ values: inout [Double]) -> Int {
    var exchanges = 0
    var width = 1
    var merged = values
    while width < values.count {
      var start = 0
      while start < values.count {
        let middle = min(start + width, values.count)
        let end = min(start + 2 * width, values.count)
        var (left, right) = (start, middle)
        for position in start..<end {
          if left < middle, right >= end || values[left] <= values[right] {
            merged[position] = values[left]
            left += 1
          } else {
            merged[position] = values[right]
            exchanges += middle - left
            right += 1
          }
        }
        start = end
      }
      swap(&values, &merged)
      width *= 2
    }
    return exchanges
  }
}
