internal import Foundation

/// A Gaussian process that knows its samples by a few hundred inducing points: what it keeps is one
/// weight a point and how sure each is, from which no sample can be read back.
///
/// Source: the deterministic training conditional of Quiñonero-Candela and Rasmussen 2005 (section
/// 5), in coordinates in which the points are independent, so that single precision loses nothing.
struct SparseGaussianProcess: Sendable {
  let kernel: GroupedKernel
  /// Inducing points.
  let points: GroupedFeatures
  /// Mean of the independent coordinates, float32 as files hold it.
  let weights: [Double]
  /// `[points, points]`: lower factor of their precision, float32.
  let precision: [Double]
  private let prior: CholeskyFactor
  private let posterior: CholeskyFactor

  /// Relative height added to the points' covariances: keeps them well conditioned.
  private static let jitter = 1e-6

  /// Conditions on samples. - Complexity: samples times the square of inducing points.
  /// - Throws: `failed` where a covariance matrix can't be factored.
  init(
    _ kernel: GroupedKernel, inducing points: GroupedFeatures, _ samples: GroupedFeatures,
    targets: [Double]
  ) throws {
    let prior = try Self.prior(kernel, points)
    let count = points.count
    // Coordinates of each sample, `[samples, points]`.
    let coordinates = RowMatrix(
      rows: samples.count, columns: count,
      values: prior.halfSolve(try kernel.covariance(samples, points)))
    let noise = kernel.noiseVariance
    var precision = coordinates.gram.values.map { $0 / noise }
    for row in 0..<count { precision[row * count + row] += 1 }
    guard let factor = CholeskyFactor(precision, size: count) else { throw Self.failure }
    let response = coordinates.transposed.times(targets).map { $0 / noise }
    try self.init(
      kernel, points, weights: factor.solve(response).map { Double(Float($0)) },
      precision: factor.lower.map { Double(Float($0)) })
  }

  /// As files hold it.
  init(
    _ kernel: GroupedKernel, _ points: GroupedFeatures, weights: [Double], precision: [Double]
  ) throws {
    self.kernel = kernel
    self.points = points
    self.weights = weights
    self.precision = precision
    prior = try Self.prior(kernel, points)
    guard let posterior = CholeskyFactor(lower: precision, size: points.count) else {
      throw Self.failure
    }
    self.posterior = posterior
  }

  /// Means, and variances with noise, at other points.
  func predict(_ others: GroupedFeatures) throws -> [(mean: Double, variance: Double)] {
    let heights = kernel.variances(others)
    let count = points.count
    var result: [(mean: Double, variance: Double)] = []
    result.reserveCapacity(others.count)
    // In pieces, so that memory stays bounded however many points are asked for.
    for start in stride(from: 0, to: others.count, by: 1024) {
      let piece = others[start..<min(start + 1024, others.count)]
      let coordinates = prior.halfSolve(try kernel.covariance(piece, points))
      let unknown = posterior.squaredNorms(coordinates)
      for row in 0..<piece.count {
        var (mean, known) = (0.0, 0.0)
        for column in 0..<count {
          let coordinate = coordinates[row * count + column]
          mean += coordinate * weights[column]
          known += coordinate * coordinate
        }
        let variance = max(0, heights[start + row] - known) + unknown[row] + kernel.noiseVariance
        result.append((mean, variance))
      }
    }
    return result
  }

  private static func prior(_ kernel: GroupedKernel, _ points: GroupedFeatures) throws
    -> CholeskyFactor
  {
    var covariance = try kernel.covariance(points, points)
    let added = jitter * exp(kernel.variance) + GroupedKernel.jitter
    for row in 0..<points.count { covariance[row * points.count + row] += added }
    guard let factor = CholeskyFactor(covariance, size: points.count) else { throw failure }
    return factor
  }

  private static let failure = PredictorsError(
    .failed, "the inducing points' covariance matrix can't be factored")
}
