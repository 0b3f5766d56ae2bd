import Foundation

/// How accuracy follows from that at one resolution: the error rate of a network grows as a power
/// of the input's side, `1 - accuracy(r) = (1 - accuracy(reference)) * (reference / r)^exponent`.
public struct ResolutionLaw: Codable, Equatable, Sendable {
  /// Pixels at which accuracies were measured.
  public var reference: Int
  public var exponent: Double
  /// Standard error of the exponent, and of an accuracy that the law gives (0...1).
  public var exponentError: Double
  public var accuracyError: Double
  /// Networks it was fitted on, and their resolutions.
  public var samples: Int
  public var resolutions: ClosedRange<Int>
  public var source: String

  /// A network's published accuracy at `resolution`, and what is predicted for it at the reference.
  public struct Sample: Sendable {
    public var resolution: Int
    public var published: Double
    public var atReference: Double

    public init(resolution: Int, published: Double, atReference: Double) {
      self.resolution = resolution
      self.published = published
      self.atReference = atReference
    }
  }

  /// Least squares of the logarithm of the error rates. A constant takes up what published networks
  /// gain by fine-tuning; it is left out of the law.
  /// - Throws: `badSamples` for fewer than five samples or a single resolution.
  public init(fitting samples: [Sample], reference: Int, source: String) throws {
    let x = samples.map { log(Double(reference) / Double($0.resolution)) }
    let y = samples.map { log((1 - $0.published) / (1 - $0.atReference)) }
    let count = Double(samples.count)
    let (meanX, meanY) = (x.reduce(0, +) / count, y.reduce(0, +) / count)
    let xx = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
    guard samples.count >= 5, xx > 0 else {
      throw PredictorsError(
        .badSamples, "a law of resolution needs five networks at several resolutions")
    }
    let slope = zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) } / xx
    var (squares, accuracySquares) = (0.0, 0.0)
    for (index, sample) in samples.enumerated() {
      let fitted = meanY + slope * (x[index] - meanX)
      squares += (y[index] - fitted) * (y[index] - fitted)
      let accuracy = 1 - (1 - sample.atReference) * exp(fitted)
      accuracySquares += (accuracy - sample.published) * (accuracy - sample.published)
    }
    self.reference = reference
    exponent = slope
    exponentError = (squares / (count - 2) / xx).squareRoot()
    accuracyError = (accuracySquares / (count - 2)).squareRoot()
    self.samples = samples.count
    let all = samples.map(\.resolution)
    resolutions = (all.min() ?? reference)...(all.max() ?? reference)
    self.source = source
  }

  /// Factor on the error rate at `resolution`.
  public func errorFactor(at resolution: Int) -> Double {
    pow(Double(reference) / Double(resolution), exponent)
  }
}
