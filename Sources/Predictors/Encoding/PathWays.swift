internal import Foundation

/// All ways from the start of a segment to an operator, in sum: computed operator by operator
/// without listing them.
struct PathWays: Sendable {
  /// Factor of a step on the number of ways, by kind of step; the sums over all ways of the product
  /// of factors tell, together, how ways are composed.
  ///
  /// Columns: spatial, pointwise, depthwise convolution, average pool, max pool.
  static let weights: [[Double]] = [
    [1, 1, 1, 1, 1], [0.5, 0.5, 0.5, 1, 1], [0.2, 0.2, 0.2, 1, 1], [2, 2, 2, 1, 1],
    [2, 1, 2, 1, 1], [4, 1, 4, 1, 1], [0.5, 1, 0.5, 1, 1], [0.2, 1, 0.2, 1, 1],
    [1, 1, 1, 0.3, 0.3], [0.3, 0.3, 0.3, 0.3, 0.3], [0.3, 1, 0.3, 0.3, 1], [2, 2, 2, 0.5, 0.5],
  ]
  /// `reach` is the share of the map that windows see, summed.
  static let costs = [
    "convolutions", "spatial convolutions", "pools", "steps", "activations", "reach",
  ]
  static let count = weights.count + 4 * costs.count + 8
  private static let logarithms = weights.map { $0.map { log($0) } }

  /// Logarithms of the weighted numbers of ways; the first is that of all ways.
  private var ways = [Double](repeating: 0, count: Self.weights.count)
  private var longest = [Double](repeating: 0, count: Self.costs.count)
  private var shortest = [Double](repeating: 0, count: Self.costs.count)
  private var mean = [Double](repeating: 0, count: Self.costs.count)
  private var variance = [Double](repeating: 0, count: Self.costs.count)

  init() {}

  /// The ways that end in an operator with several operands.
  init(joining parts: [PathWays]) {
    guard let first = parts.first else { return }
    self = first
    guard parts.count > 1 else { return }
    for column in ways.indices {
      let top = parts.map { $0.ways[column] }.max() ?? 0
      ways[column] = top + log(parts.reduce(0) { $0 + exp($1.ways[column] - top) })
    }
    let shares = parts.map { exp($0.ways[0] - ways[0]) }
    for cost in Self.costs.indices {
      longest[cost] = parts.map { $0.longest[cost] }.max() ?? 0
      shortest[cost] = parts.map { $0.shortest[cost] }.min() ?? 0
      var (sum, squares) = (0.0, 0.0)
      for (share, part) in zip(shares, parts) {
        sum += share * part.mean[cost]
        squares += share * (part.variance[cost] + part.mean[cost] * part.mean[cost])
      }
      mean[cost] = sum
      variance[cost] = max(0, squares - sum * sum)
    }
  }

  /// All ways pass an operator that reads a map of `height` rows.
  mutating func pass(_ line: OperatorLine, height: Int) {
    let isActivation = line.kind == .activation || line.kind == .gate
    if isActivation { lengthen(cost: 4, by: 1) }
    guard let column = Self.column(line.kind) else { return }
    for index in ways.indices { ways[index] += Self.logarithms[index][column] }
    if column < 3 { lengthen(cost: 0, by: 1) }
    if column == 0 || column == 2 { lengthen(cost: 1, by: 1) }
    if column > 2 { lengthen(cost: 2, by: 1) }
    lengthen(cost: 3, by: 1)
    let side = Double(line.kernelArea).squareRoot()
    lengthen(cost: 5, by: (side - 1) / Double(height))
  }

  private mutating func lengthen(cost: Int, by value: Double) {
    longest[cost] += value
    shortest[cost] += value
    mean[cost] += value
  }

  private static func column(_ kind: OperatorKind) -> Int? {
    switch kind {
    case .convolution, .grouped: 0
    case .pointwise, .product: 1
    case .depthwise: 2
    case .averagePool: 3
    case .maxPool: 4
    default: nil
    }
  }

  /// The numbers of a segment that ends here: `[count]`.
  var values: [Double] {
    var marks = [Double](repeating: 0, count: 8)
    if ways[0] > 1e-9 {
      for (index, holds) in [
        true, shortest[0] == 0, shortest[3] == 0, longest[2] > 0, shortest[2] > 0,
        longest[0] == 0, ways[0] > log(2.5), longest[0] - shortest[0] >= 2,
      ].enumerated() where holds { marks[index] = 1 }
    }
    return ways + longest + shortest + mean + variance + marks
  }
}
