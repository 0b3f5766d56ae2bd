/// One axis of a plot: what it shows and in which unit.
public struct Axis: Hashable, Sendable {
  public var name: String
  /// As in `ms`; an axis of fractions shown in percent has the unit `%`.
  public var unit: String
  /// How it was obtained: device, runtime, threads, batch.
  public var detail: String

  public init(_ name: String, unit: String = "", detail: String = "") {
    self.name = name
    self.unit = unit
    self.detail = detail
  }

  /// `latency (ms)`, and what it was obtained with.
  var label: String {
    name + (unit.isEmpty ? "" : " (\(unit))") + (detail.isEmpty ? "" : ", \(detail)")
  }
}

/// Maps values to a length and chooses ticks at 1, 2 or 5 times a power of ten.
struct Scale {
  let low: Double
  let high: Double
  let step: Double
  let decimals: Int

  /// Covers `values` with a margin; about `target` ticks.
  init(_ values: [Double], target: Int = 6, margin: Double = 0.05) {
    var low = values.min() ?? 0
    var high = values.max() ?? 1
    if high - low <= 1e-12 * max(abs(low), abs(high)) {
      let pad = max(abs(low) * 0.05, 1e-9)
      low -= pad
      high += pad
    }
    let pad = (high - low) * margin
    // Nothing measured is negative, so an axis of positive values does not begin below zero.
    self.low = low >= 0 ? max(0, low - pad) : low - pad
    self.high = high + pad
    let rough = (self.high - self.low) / Double(max(1, target))
    var power = 1.0
    var decimals = 0
    while power > rough {
      power /= 10
      decimals += 1
    }
    while power * 10 <= rough {
      power *= 10
      decimals = 0
    }
    // Heckbert 1990, "Nice numbers for graph labels": the nearest of 1, 2, 5 and 10.
    let fraction = rough / power
    let factor = fraction < 1.5 ? 1.0 : fraction < 3.5 ? 2 : fraction < 7.5 ? 5 : 10
    step = power * factor
    self.decimals = factor == 10 ? max(0, decimals - 1) : decimals
  }

  /// Multiples of the step in range.
  var ticks: [Double] {
    let first = (low / step).rounded(.up)
    let last = (high / step).rounded(.down)
    guard last >= first, last - first < 100 else { return [] }
    return (0...Int(last - first)).map { (first + Double($0)) * step }
  }

  /// Whole numbers from 10,000 on have their digits in threes.
  func text(_ value: Double) -> String {
    let text = fixed(value, decimals)
    guard decimals == 0, abs(high) >= 10_000 || abs(low) >= 10_000 else { return text }
    let digits = text.drop { $0 == "-" }
    let grouped = digits.enumerated().map { index, digit in
      index > 0 && (digits.count - index) % 3 == 0 ? ",\(digit)" : "\(digit)"
    }
    return (value < 0 ? "-" : "") + grouped.joined()
  }

  /// Place of the value in `range`.
  func place(_ value: Double, in range: (Double, Double)) -> Double {
    range.0 + (value - low) / (high - low) * (range.1 - range.0)
  }
}
