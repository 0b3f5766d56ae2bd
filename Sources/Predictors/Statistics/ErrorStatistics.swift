/// How far predictions are from what was measured, relative to the measured value: 0.02 is 2 %.
public struct ErrorStatistics: Codable, Equatable, Sendable {
  public var samples: Int
  /// Mean absolute relative error (MAPE).
  public var mean: Double
  public var median: Double
  /// 95 % of the errors are at most this.
  public var p95: Double
  public var largest: Double
  /// Share of predictions within 5 % of the measured value, and within 10 %.
  public var within5: Double
  public var within10: Double
  /// Mean signed relative error: above zero where predictions are too high.
  public var bias: Double

  /// Statistics of no samples are NaN.
  /// - Precondition: both have the same length; `measured` isn't zero anywhere.
  public init(_ predicted: [Double], _ measured: [Double]) {
    precondition(predicted.count == measured.count, "one measured value for each predicted one")
    let signed = zip(predicted, measured).map { ($0 - $1) / abs($1) }
    let errors = signed.map(abs).sorted()
    let count = Double(errors.count)
    samples = errors.count
    mean = errors.reduce(0, +) / count
    median = Self.quantile(0.5, ofSorted: errors)
    p95 = Self.quantile(0.95, ofSorted: errors)
    largest = errors.last ?? .nan
    within5 = Double(errors.count { $0 <= 0.05 }) / count
    within10 = Double(errors.count { $0 <= 0.1 }) / count
    bias = signed.reduce(0, +) / count
  }

  /// A quantile by linear interpolation between order statistics (Hyndman and Fan 1996, type 7).
  public static func quantile(_ q: Double, ofSorted values: [Double]) -> Double {
    guard let last = values.indices.last else { return .nan }
    let place = min(max(q, 0), 1) * Double(last)
    let below = Int(place)
    let above = min(below + 1, last)
    return values[below] + (place - Double(below)) * (values[above] - values[below])
  }
}
