public import Architectures
import Foundation

/// A round of timed runs, one after the other.
public struct MeasurementRound: Equatable, Sendable {
  /// Milliseconds of each run, as timed; at least one.
  public var times: [Double]
  /// How much slower than in quiet times the reference network was around the round: 1.05 is 5 %;
  /// nothing where it did not run.
  public var slowdown: Double?

  public init(times: [Double], slowdown: Double? = nil) {
    self.times = times
    self.slowdown = slowdown
  }
}

/// What the rounds say of a network's latency.
///
/// Neighbours on the same machine slow everything that touches memory, for seconds at a time; no
/// number of repeats in a row averages that away. So each round is scaled back by the share of the
/// reference network's slowdown that a network is known to feel, and the latency is the median of the rounds' medians. It is stable when
/// its standard error, estimated from the rounds, is within the tolerance.
public struct MeasurementStatistics: Equatable, Sendable {
  /// Median over the rounds; first and ninth decile of all runs; all scaled to quiet times.
  public var latencyMedian: Milliseconds
  public var latencyP10: Milliseconds
  public var latencyP90: Milliseconds
  /// All timed runs.
  public var repeats: Int
  public var rounds: Int
  /// The rounds' median slowdown, if the reference network ran between them.
  public var slowdown: Double?
  /// Standard error of the median, as a share of it.
  public var error: Double
  public var isStable: Bool

  /// - Precondition: at least one round, and in each at least one run.
  public init(_ rounds: [MeasurementRound], settings: MeasurementSettings) {
    precondition(!rounds.isEmpty && rounds.allSatisfy { !$0.times.isEmpty }, "no timed runs")
    let scaled = rounds.map { round in
      let scale = pow(round.slowdown ?? 1, -settings.referenceShare)
      return round.times.map { $0 * scale }
    }
    let times = scaled.flatMap { $0 }.sorted()
    let medians = scaled.map { Self.median($0) }
    let median = Self.median(medians)
    latencyMedian = Milliseconds(median)
    latencyP10 = Milliseconds(Self.quantile(0.1, of: times))
    latencyP90 = Milliseconds(Self.quantile(0.9, of: times))
    repeats = times.count
    self.rounds = rounds.count
    let slowdowns = rounds.compactMap(\.slowdown)
    slowdown = slowdowns.isEmpty ? nil : Self.median(slowdowns)
    // A normal sample's deviation from its median absolute deviation, and a median's standard error
    // from that deviation: both constants are the normal distribution's.
    let deviation = 1.4826 * Self.median(medians.map { abs($0 - median) })
    error = 1.2533 * deviation / Double(rounds.count).squareRoot() / median
    isStable = rounds.count >= settings.minRounds && error <= settings.tolerance
  }

  /// Whether this try is to replace an earlier one that isn't stable.
  ///
  /// - Parameter error: of the earlier one; nothing where it isn't known.
  func improves(onError error: Double?) -> Bool { isStable || self.error < error ?? .infinity }

  /// Distance from p10 to p90 as a share of the median.
  public var spread: Double { (latencyP90.value - latencyP10.value) / latencyMedian.value }

  static func median(_ values: [Double]) -> Double { quantile(0.5, of: values.sorted()) }

  /// The `share`-quantile of ascending `sorted`, between its neighbours by proportion.
  ///
  /// - Note: R's default, type 7 (Hyndman and Fan 1996).
  static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    let position = share * Double(sorted.count - 1)
    let below = Int(position)
    guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
    return sorted[below] + (position - Double(below)) * (sorted[below + 1] - sorted[below])
  }
}
