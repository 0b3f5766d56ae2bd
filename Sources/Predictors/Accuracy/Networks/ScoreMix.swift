internal import Foundation

/// Puts the processes' scores and those of the ranking perceptrons together.
struct ScoreMix: Sendable {
  /// Weight of the ranking in units of spread, 0...1: what left-out samples make likely, few of them
  /// held back by what is expected.
  private(set) var share = 0.0
  /// Spread of the processes' scores of left-out samples, and what makes the mix as wide as targets
  /// call for.
  private var spread = 1.0
  private var slope = 1.0

  /// How far shares lie from what is expected: a standard deviation. Chosen with the share.
  private static let shareDeviation = 0.15

  /// - Parameters:
  ///   - means: the processes' scores of left-out samples; `ranks` the perceptrons', if there are any.
  ///   - expected: share of the ranking before anything is seen.
  init(_ means: [Double], _ ranks: [Double]?, targets: [Double], expected: Double) {
    guard let ranks else { return }
    let square = means.reduce(0) { $0 + $1 * $1 } / Double(means.count)
    spread = max(1e-6, square.squareRoot())
    var best = -Double.infinity
    for share in stride(from: 0, through: 0.9, by: 0.05) {
      let fit = fit(share, means, ranks, targets)
      let distance = (share - expected) / Self.shareDeviation
      let likelihood = -0.5 * (Double(targets.count) * log(fit.error) + distance * distance)
      if likelihood > best { (best, self.share, slope) = (likelihood, share, fit.slope) }
    }
  }

  func callAsFunction(_ mean: Double, _ rank: Double?) -> Double {
    guard let rank else { return mean }
    return slope * ((1 - share) * mean / spread + share * rank)
  }

  /// Least squares of the targets on the mix.
  private func fit(_ share: Double, _ means: [Double], _ ranks: [Double], _ targets: [Double])
    -> (slope: Double, error: Double)
  {
    let mixed = zip(means, ranks).map { (1 - share) * $0 / spread + share * $1 }
    let square = mixed.reduce(0) { $0 + $1 * $1 }
    // An order that left-out samples contradict keeps a little of its width.
    let slope = max(0.05, zip(mixed, targets).reduce(0) { $0 + $1.0 * $1.1 } / max(1e-9, square))
    let error = zip(mixed, targets).reduce(0) { sum, pair in
      let distance = pair.1 - slope * pair.0
      return sum + distance * distance
    }
    return (slope, max(1e-9, error / Double(targets.count)))
  }
}
