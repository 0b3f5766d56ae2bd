import Foundation

/// One part of something that is measured as a whole: a kernel of a network.
public struct SumPart: Sendable {
  /// Parts of a kind share a regressor.
  public var kind: Int
  /// What trees split on.
  public var features: [Float]
  /// Quantities that the part's time grows with, at least one above zero.
  public var terms: [Double]
}

/// Predicts a whole's time as an offset plus the sum over its parts, each `base * exp(correction)`:
/// base is linear in the terms with coefficients that are not negative, so that it extrapolates;
/// trees, and a perceptron if there is one, correct it, and the mean of both counts.
public struct SumModel: Equatable, Sendable {
  /// Coefficients of a kind's terms; all zero for a kind that was not seen.
  var coefficients: [[Double]]
  var trees: [TreeEnsemble]
  var network: PartNetwork?
  /// Milliseconds that a whole takes beside its parts.
  var offset: Double

  /// The least a part is taken to cost, in milliseconds.
  static let floor = 2e-4

  /// Milliseconds of one part.
  public func time(_ part: SumPart) -> Double {
    base(part) * factor(part)
  }

  /// What the part's base is multiplied with.
  func factor(_ part: SumPart) -> Double {
    let trees = trees[part.kind](part.features)
    guard let network else { return exp(trees) }
    return exp((trees + network.correction(part)) / 2)
  }

  /// Milliseconds of a whole.
  public func time(_ parts: [SumPart]) -> Double { parts.reduce(offset) { $0 + time($1) } }

  func base(_ part: SumPart) -> Double {
    max(Self.floor, zip(coefficients[part.kind], part.terms).reduce(0) { $0 + $1.0 * $1.1 })
  }

  /// Whether parts of the kind were among those it learned from.
  public func knows(kind: Int) -> Bool { coefficients[kind].contains { $0 > 0 } }
}
