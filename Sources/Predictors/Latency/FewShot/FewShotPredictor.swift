public import Architectures
internal import Foundation
public import Tensors

/// Latency on a device that was measured on a few networks: a Bayesian linear function of the
/// encoding whose prior was learned from other devices.
///
/// The mean is one weight a column, so a prediction costs one inner product, and over a staged
/// space it is a sum over blocks. Intervals come from the posterior's variance, scaled so that they
/// held on source devices that played the new one.
public struct FewShotPredictor: Sendable {
  /// Measured networks behind the predictor.
  public let samples: Int
  /// Milliseconds per unit of each column of the encoding.
  let weights: [Double]
  /// Milliseconds.
  let intercept: Double
  /// No prediction is below this, in milliseconds.
  let least: Double
  private let basis: FewShotBasis
  /// Group variances and noise that the samples suggest.
  private let candidate: FewShotPrior.Candidate
  private let factor: CholeskyFactor
  /// `[columns, samples]`: inner products with the samples' features are one product with this.
  private let reach: RowMatrix
  /// Milliseconds of one unit of the standardised latencies.
  private let scale: Double
  /// How much wider errors are than the posterior says, by the samples themselves.
  private let dispersion: Double
  private let calibration: IntervalCalibration

  /// Adapts to samples, in closed form. - Complexity: candidates times samples^3.
  /// - Parameters:
  ///   - encodings: `[samples, LatencyDataset.columns]`
  ///   - latencies: milliseconds, above zero.
  /// - Throws: `badSamples` for fewer than two samples, or constant ones.
  init(
    basis: FewShotBasis, prior: FewShotPrior, calibration: IntervalCalibration,
    encodings: RowMatrix, latencies: [Double]
  ) throws {
    guard latencies.count > 1, encodings.rows == latencies.count else {
      throw PredictorsError(.badSamples, "a predictor needs at least two measured networks")
    }
    let mean = latencies.reduce(0, +) / Double(latencies.count)
    let deviation =
      (latencies.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(latencies.count))
      .squareRoot()
    guard deviation > 1e-9 * abs(mean) else {
      throw PredictorsError(
        .badSamples,
        "all \(latencies.count) latencies are \(latencies[0]) ms: nothing can be learned from them")
    }
    let targets = latencies.map { ($0 - mean) / deviation }
    let features = basis.features(encodings)
    let kernel = FewShotKernel(features, features)
    let posterior = prior.posterior(Self.evidence(prior, kernel, features, targets))
    let likely = posterior.sorted(by: >)[min(posterior.count, targets.count > 200 ? 4 : 60) - 1]
    let chosen = posterior.map { $0 >= max(likely, 1e-3) ? $0 : 0 }
    var functions = features.map { [Double](repeating: 0, count: $0.columns) }
    var constant = 0.0
    let transposed = features.map(\.transposed)
    for (candidate, probability) in zip(prior.candidates, chosen) where probability > 0 {
      guard let factor = Self.factor(kernel, candidate) else { continue }
      let dual = factor.solve(targets)
      constant += probability * FewShotPrior.constantVariance * dual.reduce(0, +)
      for (group, matrix) in transposed.enumerated() {
        let share = probability * candidate.variances[group]
        for (index, value) in matrix.times(dual).enumerated() {
          functions[group][index] += share * value
        }
      }
    }
    let kept = chosen.reduce(0, +)
    weights = basis.columnWeights(functions).map { $0 * deviation / kept }
    intercept =
      mean + constant * deviation / kept - zip(weights, basis.means).reduce(0) { $0 + $1.0 * $1.1 }
    let candidate = FewShotPrior.mean(prior.candidates, posterior)
    guard let factor = Self.factor(kernel, candidate) else {
      throw PredictorsError(.failed, "the samples' covariance is not positive definite")
    }
    dispersion = Self.dispersion(factor, targets)
    samples = latencies.count
    least = latencies.min()! / 10
    scale = deviation
    self.basis = basis
    self.candidate = candidate
    self.factor = factor
    self.calibration = calibration
    reach =
      RowMatrix(
        rows: samples, columns: LatencyDataset.columns,
        values: (0..<samples).flatMap { row in
          basis.columnWeights(
            features.enumerated().map { group, matrix in
              (0..<matrix.columns).map { candidate.variances[group] * matrix[row, $0] }
            })
        }
      ).transposed
  }

  /// Evidence of the prior's candidates, on a hundred samples at most: more don't change the choice.
  private static func evidence(
    _ prior: FewShotPrior, _ kernel: FewShotKernel, _ features: [RowMatrix], _ targets: [Double]
  ) -> [Double] {
    let limit = 100
    guard targets.count > limit else { return prior.evidence(kernel, targets) }
    let rows = (0..<limit).map { $0 * targets.count / limit }
    let few = features.map { $0.selecting(rows) }
    return prior.evidence(FewShotKernel(few, few), rows.map { targets[$0] })
  }

  /// Root mean square of the samples' standardised errors when each is left out (Rasmussen and
  /// Williams 2006, equation 5.12), with ten samples' weight on one.
  private static func dispersion(_ factor: CholeskyFactor, _ targets: [Double]) -> Double {
    let (dual, inverse) = (factor.solve(targets), factor.inverse)
    var sum = 10.0
    for index in targets.indices {
      sum += dual[index] * dual[index] / inverse[index * targets.count + index]
    }
    return (sum / Double(10 + targets.count)).squareRoot()
  }

  private static func factor(_ kernel: FewShotKernel, _ candidate: FewShotPrior.Candidate)
    -> CholeskyFactor?
  {
    var covariance = kernel.covariance(candidate.variances)
    for row in 0..<covariance.rows { covariance[row, row] += candidate.noise + 1e-9 }
    return CholeskyFactor(covariance.values, size: covariance.rows)
  }

  /// Latencies of networks, in milliseconds. - Parameter encodings: `[rows, columns]`.
  func latencies(_ encodings: RowMatrix) -> [Double] {
    encodings.times(weights).map { max(least, $0 + intercept) }
  }

  /// Latencies of architectures of a space, in order.
  /// - Throws: `ArchitecturesError` when a block does not fit, which the space's own check rules out.
  public func latencies(
    _ genotypes: [Genotype], encoder: SpaceEncoder, engine: Engine? = nil
  ) throws -> [Milliseconds] {
    latencies(try LatencyDataset.encode(genotypes, encoder: encoder, engine: engine))
      .map { Milliseconds($0) }
  }

  /// Whether samples so unlike a network say nothing of it: what is predicted is not below a tenth
  /// of the fastest sample.
  public func isOutOfReach(_ encoding: ArchitectureEncoding) -> Bool {
    latency(encoding).value <= least
  }

  public func latency(_ encoding: ArchitectureEncoding) -> Milliseconds {
    let row = RowMatrix(
      rows: 1, columns: LatencyDataset.columns,
      values: Array(encoding.values[..<LatencyDataset.columns]))
    return Milliseconds(latencies(row)[0])
  }

  /// Standard deviations of the prediction errors, in milliseconds, noise of one measurement
  /// included, before calibration.
  func deviations(_ encodings: RowMatrix) -> [Double] {
    let centred = FewShotBasis.centred(encodings, basis.means)
    let features = basis.features(encodings)
    let products = centred.times(reach)
    let known = factor.squaredNorms(products.values.map { $0 + FewShotPrior.constantVariance })
    return (0..<encodings.rows).map { row in
      var variance = FewShotPrior.constantVariance + candidate.noise
      for (group, matrix) in features.enumerated() {
        var square = 0.0
        for column in 0..<matrix.columns { square += matrix[row, column] * matrix[row, column] }
        variance += candidate.variances[group] * square
      }
      return scale * dispersion * max(candidate.noise, variance - known[row]).squareRoot()
    }
  }

  /// Half the width of the interval that holds a network's measured latency with the given
  /// probability, in milliseconds. - Parameter confidence: 0...1, both sides together.
  func halfWidths(_ encodings: RowMatrix, confidence: Double) -> [Double] {
    let factor = calibration.factor(confidence: confidence, samples: samples)
    return deviations(encodings).map { $0 * factor }
  }

  /// The latency that the measured one stays below with probability `confidence`, 0.5...1.
  public func upperBound(_ encoding: ArchitectureEncoding, confidence: Double) -> Milliseconds {
    let row = RowMatrix(
      rows: 1, columns: LatencyDataset.columns,
      values: Array(encoding.values[..<LatencyDataset.columns]))
    return Milliseconds(
      latencies(row)[0] + halfWidths(row, confidence: max(0, 2 * confidence - 1))[0])
  }

  /// What a part of a network adds to the latency, in milliseconds.
  func share(of encoding: ArchitectureEncoding) -> Double {
    zip(encoding.values[..<LatencyDataset.columns], weights).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// The latency of a network whose parts' shares have this sum.
  func latency(ofShares sum: Double) -> Double { max(least, sum + intercept) }

  /// The interval that holds the measured latency with probability `confidence`.
  public func interval(_ encoding: ArchitectureEncoding, confidence: Double) -> ClosedRange<
    Milliseconds
  > {
    let row = RowMatrix(
      rows: 1, columns: LatencyDataset.columns,
      values: Array(encoding.values[..<LatencyDataset.columns]))
    let (middle, half) = (latencies(row)[0], halfWidths(row, confidence: confidence)[0])
    return Milliseconds(max(0, middle - half))...Milliseconds(middle + half)
  }
}
