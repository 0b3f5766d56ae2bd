public import Architectures

/// Says how good architectures are; higher is better. An accuracy predictor, or a measurement.
public protocol ArchitectureScorer: Sendable {
  /// The score of each genotype, in order; accuracies lie in 0...1.
  ///
  /// Searchers ask once per step, for genotypes in canonical form that they did not ask before.
  /// An architecture's score must not depend on the others of the batch: a resumed search asks
  /// in other batches and must find the same.
  func scores(_ genotypes: [Genotype]) throws -> [Double]
}

/// Says what an architecture costs; lower is better. Asked for every candidate, most of which are
/// then rejected, so an answer should take about 100 ns.
public protocol CostModel: Sendable {
  /// The cost of a genotype in canonical form, in the unit of its metric; NaN excludes it.
  func cost(_ genotype: Genotype) throws -> Double
}

extension SeparableCost: CostModel {
  public func cost(_ genotype: Genotype) throws -> Double { self(genotype) }
}

/// A cost with its name and unit, and the limits that architectures must keep, if any.
public struct Metric: Sendable {
  /// As in `latency`, `macs`, `parameters`, `bytes`, `resolution`.
  public var name: String
  /// As in `ms`, `M`, `px`; may be empty.
  public var unit: String
  /// The largest cost allowed.
  public var limit: Double?
  /// The smallest cost allowed, as for a resolution.
  public var floor: Double?
  public var model: any CostModel

  public init(
    _ name: String, unit: String, limit: Double? = nil, floor: Double? = nil,
    model: any CostModel
  ) {
    self.name = name
    self.unit = unit
    self.limit = limit
    self.floor = floor
    self.model = model
  }

  /// A value with its unit, as messages write it: `7.2 ms`.
  func text(_ value: Double) -> String {
    let number = shortNumber(value)
    return unit.isEmpty ? number : "\(number) \(unit)"
  }
}

/// Four significant digits without trailing zeros; whole numbers in full.
func shortNumber(_ value: Double) -> String {
  guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
  guard value != value.rounded() else { return "\(Int64(value))" }
  var scale = 1.0
  while abs(value) * scale < 1000, scale < 1e12 { scale *= 10 }
  return "\((value * scale).rounded() / scale)".replacingSuffix(".0", with: "")
}

extension String {
  fileprivate func replacingSuffix(_ suffix: String, with other: String) -> String {
    hasSuffix(suffix) ? dropLast(suffix.count) + other : self
  }
}
