internal import Foundation

/// Chooses a kernel's parameters by the likelihood of samples (Rasmussen and Williams 2006, equations
/// 5.8 and 5.9), with a normal prior on their logarithms that holds few samples back.
struct KernelFit {
  /// Steps of Adam (Kingma and Ba 2015) and their size.
  var steps = 60
  var rate = 0.1

  private let count: Int
  private let targets: [Double]
  /// Halved squared distances and inner products by group, `[count * count]`.
  private let distances: [[Double]]
  private let products: [[Double]]

  /// - Parameter points: some hundred at most: a step is cubic in their number.
  init(_ points: GroupedFeatures, targets: [Double]) throws {
    count = points.count
    self.targets = targets
    let lengths = points.squaredLengths
    let count = points.count
    let products = try points.products(points).map { $0.map(Double.init) }
    self.products = products
    distances = products.indices.map { group in
      (0..<count * count).map { place in
        let squares = lengths[group][place / count] + lengths[group][place % count]
        return max(0, 0.5 * Double(squares) - products[group][place])
      }
    }
  }

  /// The kernel after `steps` steps from `start`.
  /// - Throws: `failed` where the covariance matrix can't be factored.
  func callAsFunction(from start: GroupedKernel) throws -> GroupedKernel {
    var kernel = start
    let origin = start.parameters
    let groups = start.scales.count
    var (mean, square) = (origin.map { _ in 0.0 }, origin.map { _ in 0.0 })
    for step in 1...steps {
      var gradient = try gradient(kernel)
      let parameters = kernel.parameters
      var moved = parameters
      for index in parameters.indices {
        let isScale = index >= 2 && index < 2 + groups
        gradient[index] += (parameters[index] - origin[index]) / (isScale ? 1 : 2.25)
        mean[index] = 0.9 * mean[index] + 0.1 * gradient[index]
        square[index] = 0.999 * square[index] + 0.001 * gradient[index] * gradient[index]
        let corrected = (
          mean[index] / (1 - pow(0.9, Double(step))),
          square[index] / (1 - pow(0.999, Double(step)))
        )
        moved[index] -= rate * corrected.0 / (corrected.1.squareRoot() + 1e-8)
      }
      kernel.parameters = moved
    }
    return kernel
  }

  /// Gradient of the negative log marginal likelihood by the parameters.
  func gradient(_ kernel: GroupedKernel) throws -> [Double] {
    let groups = kernel.scales.indices
    let weights = kernel.scales.map { exp(-$0) }
    let slopes = kernel.trends.map { kernel.hasTrend ? exp($0) : 0 }
    let height = exp(kernel.variance)
    var matern = [Double](repeating: 0, count: count * count)
    var steepness = matern
    var covariance = matern
    for place in 0..<count * count where place % count <= place / count {
      var (square, trend) = (0.0, 0.0)
      for group in groups {
        square += weights[group] * distances[group][place]
        trend += slopes[group] * products[group][place]
      }
      matern[place] = height * GroupedKernel.matern(square)
      steepness[place] = height * GroupedKernel.maternSlope(square)
      covariance[place] = matern[place] + trend
      if place % count == place / count { covariance[place] += kernel.noiseVariance }
    }
    guard let factor = CholeskyFactor(covariance, size: count) else {
      throw PredictorsError(.failed, "the samples' covariance matrix can't be factored")
    }
    let inverse = factor.inverse
    let alpha = factor.solve(targets)
    var gradient = [Double](repeating: 0, count: 2 + 2 * groups.count)
    for row in 0..<count {
      for column in 0...row {
        let place = row * count + column
        // Each pair off the diagonal stands for two.
        let pull =
          (column == row ? 0.5 : 1) * (inverse[place] - alpha[row] * alpha[column])
        gradient[0] += pull * matern[place]
        if column == row { gradient[1] += pull * exp(kernel.noise) }
        for group in groups {
          gradient[2 + group] -=
            pull * steepness[place] * weights[group] * distances[group][place]
          gradient[2 + groups.count + group] += pull * slopes[group] * products[group][place]
        }
      }
    }
    return gradient
  }

  /// Negative log marginal likelihood, without its constant.
  func loss(_ kernel: GroupedKernel, _ points: GroupedFeatures) throws -> Double {
    var covariance = try kernel.covariance(points, points)
    for row in 0..<count { covariance[row * count + row] += kernel.noiseVariance }
    guard let factor = CholeskyFactor(covariance, size: count) else { return .infinity }
    let fit = zip(targets, factor.solve(targets)).reduce(0) { $0 + $1.0 * $1.1 }
    return 0.5 * (fit + factor.logDeterminant)
  }
}
