internal import Foundation

/// Regression by a Gaussian process: predictions with variances from some hundred samples.
struct GaussianProcess: Sendable {
  let kernel: GroupedKernel
  let points: GroupedFeatures
  private let factor: CholeskyFactor
  private let weights: [Double]
  /// Predictions for each sample from all others, and their variances, noise included
  /// (Rasmussen and Williams 2006, equation 5.12).
  let leftOut: [(mean: Double, variance: Double)]

  /// Conditions a kernel on samples. - Complexity: cubic in samples.
  /// - Parameter targets: about mean 0 and variance 1.
  /// - Throws: `failed` where the covariance matrix can't be factored.
  init(_ kernel: GroupedKernel, _ points: GroupedFeatures, targets: [Double]) throws {
    var covariance = try kernel.covariance(points, points)
    let count = points.count
    for row in 0..<count { covariance[row * count + row] += kernel.noiseVariance }
    guard let factor = CholeskyFactor(covariance, size: count) else {
      throw PredictorsError(.failed, "the samples' covariance matrix can't be factored")
    }
    self.kernel = kernel
    self.points = points
    self.factor = factor
    let weights = factor.solve(targets)
    self.weights = weights
    let inverse = factor.inverse
    leftOut = (0..<count).map { row in
      let precision = inverse[row * count + row]
      return (targets[row] - weights[row] / precision, 1 / precision)
    }
  }

  /// Means, and variances with noise, at other points.
  /// - Parameter withVariances: quadratic in samples for each point; all 0 when left out.
  func predict(_ others: GroupedFeatures, withVariances: Bool) throws -> [(
    mean: Double, variance: Double
  )] {
    let count = points.count
    let priors = withVariances ? kernel.variances(others) : []
    var result: [(mean: Double, variance: Double)] = []
    result.reserveCapacity(others.count)
    // In pieces, so that memory stays bounded however many points are asked for.
    for start in stride(from: 0, to: others.count, by: 1024) {
      let piece = others[start..<min(start + 1024, others.count)]
      let covariance = try kernel.covariance(piece, points)
      let known = withVariances ? factor.squaredNorms(covariance) : []
      for row in 0..<piece.count {
        var mean = 0.0
        for column in 0..<count { mean += covariance[row * count + column] * weights[column] }
        let variance =
          withVariances ? max(1e-9, priors[start + row] - known[row]) + kernel.noiseVariance : 0
        result.append((mean, variance))
      }
    }
    return result
  }
}
