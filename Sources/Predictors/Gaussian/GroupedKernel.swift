internal import Foundation

/// The covariance of two points: a Matern function (smoothness 5/2) of a distance in which each
/// group of features has its own scale, and a linear trend in each group.
///
/// Source: Rasmussen and Williams 2006, equations 4.17 and 4.1; one scale a group in place of one a
/// feature, since few samples can't tell hundreds of scales.
struct GroupedKernel: Codable, Equatable, Sendable {
  /// Natural logarithms: variance of the Matern part, squared length scale and variance of the
  /// trend by group, variance of the noise.
  var variance = -0.5
  var scales: [Double]
  var trends: [Double]
  var noise = log(0.05)
  var hasTrend: Bool

  init(groups: Int, hasTrend: Bool) {
    scales = Array(repeating: 0.7 + 0.5 * log(Double(groups)), count: groups)
    trends = Array(repeating: -3, count: groups)
    self.hasTrend = hasTrend
  }

  /// Smallest noise: keeps the covariance matrix well conditioned.
  static let jitter = 1e-4
  var noiseVariance: Double { exp(noise) + Self.jitter }

  /// Covariances of points of two sets, without noise: `[rows.count, columns.count]`.
  func covariance(_ rows: GroupedFeatures, _ columns: GroupedFeatures) throws -> [Double] {
    let products = try rows.products(columns)
    let (left, right) = (rows.squaredLengths, columns.squaredLengths)
    let weights = scales.map { 0.5 * exp(-$0) }
    let slopes = trends.map { hasTrend ? exp($0) : 0 }
    let height = exp(variance)
    var result = [Double](repeating: 0, count: rows.count * columns.count)
    for row in 0..<rows.count {
      for column in 0..<columns.count {
        let place = row * columns.count + column
        var (distance, trend) = (0.0, 0.0)
        for group in weights.indices {
          let product = Double(products[group][place])
          let squares = Double(left[group][row]) + Double(right[group][column])
          distance += weights[group] * max(0, squares - 2 * product)
          trend += slopes[group] * product
        }
        result[place] = height * Self.matern(distance) + trend
      }
    }
    return result
  }

  /// Variance of each point, without noise.
  func variances(_ points: GroupedFeatures) -> [Double] {
    let lengths = points.squaredLengths
    return (0..<points.count).map { row in
      exp(variance)
        + (hasTrend
          ? trends.indices.reduce(0) { $0 + exp(trends[$1]) * Double(lengths[$1][row]) } : 0)
    }
  }

  /// Of the squared distance.
  static func matern(_ square: Double) -> Double {
    let r = (5 * max(square, 1e-12)).squareRoot()
    return (1 + r + r * r / 3) * exp(-r)
  }

  /// Derivative of ``matern(_:)`` by the squared distance.
  static func maternSlope(_ square: Double) -> Double {
    let r = (5 * max(square, 1e-12)).squareRoot()
    return -5.0 / 6 * (1 + r) * exp(-r)
  }

  /// All parameters in a row, and back.
  var parameters: [Double] {
    get { [variance, noise] + scales + trends }
    set {
      (variance, noise) = (newValue[0], newValue[1])
      scales = Array(newValue[2..<2 + scales.count])
      trends = Array(newValue[(2 + scales.count)...])
    }
  }
}
