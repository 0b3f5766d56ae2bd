/// Puts the processes' scores and those of the ranking perceptrons together.
struct ScoreMix: Sendable {
  /// Weight of the ranking in units of spread.
  private let share: Double
  /// Spread of the processes' scores of left-out samples, and what makes the mix as wide as targets
  /// call for.
  private var spread = 1.0
  private var slope = 1.0

  /// - Parameters:
  ///   - means: the processes' scores of left-out samples; `ranks` the perceptrons', if there are any.
  init(_ means: [Double], _ ranks: [Double]?, targets: [Double], share: Double) {
    self.share = share
    guard let ranks else { return }
    spread = max(1e-6, Self.deviation(means))
    let mixed = zip(means, ranks).map { (1 - share) * $0 / spread + share * $1 }
    let square = mixed.reduce(0) { $0 + $1 * $1 }
    // An order that left-out samples contradict keeps a little of its width.
    slope = max(0.05, zip(mixed, targets).reduce(0) { $0 + $1.0 * $1.1 } / max(1e-9, square))
  }

  func callAsFunction(_ mean: Double, _ rank: Double?) -> Double {
    guard let rank else { return mean }
    return slope * ((1 - share) * mean / spread + share * rank)
  }

  private static func deviation(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (square / Double(values.count)).squareRoot()
  }
}
