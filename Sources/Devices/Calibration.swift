public import Architectures

/// How a network's latency follows from the sum of its blocks, learned on a few whole networks.
///
/// `latency = intercept + slope * sum + perBlock * blocks + perResolution * (resolution / 224)^2`,
/// where terms that don't help on networks left out of the fit are zero. The fit minimises relative
/// errors.
public struct Calibration: Codable, Equatable, Sendable {
  /// One whole network: what the table says, and what was measured.
  public struct Sample: Equatable, Sendable {
    /// Sum of the table's blocks.
    public var sum: Milliseconds
    public var blocks: Int
    /// Of the input, in pixels.
    public var resolution: Int
    public var measured: Milliseconds

    public init(sum: Milliseconds, blocks: Int, resolution: Int, measured: Milliseconds) {
      self.sum = sum
      self.blocks = blocks
      self.resolution = resolution
      self.measured = measured
    }
  }

  /// Milliseconds.
  public var intercept: Double
  public var slope: Double
  /// Milliseconds a block.
  public var perBlock: Double
  /// Milliseconds at 224 pixels; grows with the number of pixels.
  public var perResolution: Double
  /// How many networks it was fitted on.
  public var samples: Int
  /// Median relative error on networks left out of the fit: 0.02 is 2 %.
  public var error: Double
  /// Ids of those networks; absent in earlier tables.
  public var networks: [String]?

  /// The latency of a network whose blocks sum up to `sum`.
  public func latency(sum: Milliseconds, blocks: Int, resolution: Int) -> Milliseconds {
    let features = Self.features(sum: sum, blocks: blocks, resolution: resolution)
    return Milliseconds(
      zip([intercept, slope, perBlock, perResolution], features).reduce(0) {
        $0 + $1.0 * $1.1
      })
  }

  /// Fits a calibration on at least five networks.
  ///
  /// Which terms it has is decided by leaving out one network after the other: a term is taken only
  /// if it lowers the root mean square of the relative errors by more than 2 %.
  ///
  /// - Complexity: O(samples^2); some hundred networks take milliseconds.
  /// - Throws: `DevicesError.badCalibration`.
  public init(fitting samples: [Sample]) throws {
    guard samples.count >= 5 else {
      throw DevicesError(
        .badCalibration, "a calibration needs at least 5 whole networks, got \(samples.count)")
    }
    guard samples.allSatisfy({ $0.measured.value > 0 && $0.sum.value > 0 }) else {
      throw DevicesError(.badCalibration, "a calibration needs latencies above zero")
    }
    // From simple to rich; each candidate is the list of its terms.
    let candidates: [[Int]] = [[1], [0, 1], [0, 1, 3], [0, 1, 2], [0, 1, 2, 3]]
    var best: (terms: [Int], score: Double, errors: [Double])?
    for terms in candidates where samples.count > 2 * terms.count {
      guard let errors = Self.errorsLeavingOneOut(samples, terms) else { continue }
      let score = (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
      if best.map({ score < 0.98 * $0.score }) ?? true { best = (terms, score, errors) }
    }
    guard let best, let fit = Self.fit(samples, best.terms) else {
      throw DevicesError(.badCalibration, "the calibration networks do not determine a fit")
    }
    (intercept, slope, perBlock, perResolution) = (fit[0], fit[1], fit[2], fit[3])
    self.samples = samples.count
    error = MeasurementStatistics.median(best.errors.map(abs))
  }

  private static func features(sum: Milliseconds, blocks: Int, resolution: Int) -> [Double] {
    let scale = Double(resolution) / 224
    return [1, sum.value, Double(blocks), scale * scale]
  }

  private static func features(_ sample: Sample) -> [Double] {
    features(sum: sample.sum, blocks: sample.blocks, resolution: sample.resolution)
  }

  private static func errorsLeavingOneOut(_ samples: [Sample], _ terms: [Int]) -> [Double]? {
    var errors: [Double] = []
    for left in samples.indices {
      var rest = samples
      rest.remove(at: left)
      guard let fit = fit(rest, terms) else { return nil }
      let sample = samples[left]
      let predicted = zip(fit, features(sample)).reduce(0) { $0 + $1.0 * $1.1 }
      errors.append(predicted / sample.measured.value - 1)
    }
    return errors
  }

  /// Least squares of the relative errors over `terms`; the other coefficients are zero. Nothing if
  /// the samples do not determine it.
  private static func fit(_ samples: [Sample], _ terms: [Int]) -> [Double]? {
    let count = terms.count
    var matrix = [[Double]](repeating: [Double](repeating: 0, count: count + 1), count: count)
    for sample in samples {
      let all = features(sample)
      let row = terms.map { all[$0] / sample.measured.value }
      for i in 0..<count {
        for j in 0..<count { matrix[i][j] += row[i] * row[j] }
        matrix[i][count] += row[i]
      }
    }
    let scales = (0..<count).map { matrix[$0][$0] }
    // Gauss-Jordan on the normal equations; a pivot that has all but vanished means collinear terms.
    for pivot in 0..<count {
      guard matrix[pivot][pivot] > 1e-9 * scales[pivot] else { return nil }
      for row in 0..<count where row != pivot {
        let factor = matrix[row][pivot] / matrix[pivot][pivot]
        for column in pivot...count { matrix[row][column] -= factor * matrix[pivot][column] }
      }
    }
    var coefficients = [0.0, 0, 0, 0]
    for (index, term) in terms.enumerated() {
      coefficients[term] = matrix[index][count] / matrix[index][index]
    }
    return coefficients
  }
}
