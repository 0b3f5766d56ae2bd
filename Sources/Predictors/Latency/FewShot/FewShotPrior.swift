internal import Architectures
internal import Foundation

/// What is known of devices before one of them is measured: how much each group of functions tends
/// to matter and how noisy measurements tend to be, as probabilities of candidates.
///
/// The candidates are drawn once; their probabilities are meta-learned from source devices by
/// expectation maximisation of the marginal likelihood (empirical Bayes), each source playing the
/// new device. On a new device the candidates' posterior is in closed form, and so is their
/// mixture's prediction.
struct FewShotPrior: Sendable, Equatable, Codable {
  struct Candidate: Sendable, Equatable, Codable {
    /// Prior variance by group, in units of the latencies' variance.
    var variances: [Double]
    /// Variance of the noise, in the same unit.
    var noise: Double
  }

  /// Variance of the unknown mean of standardised latencies.
  static let constantVariance = 4.0

  var candidates: [Candidate]
  var probabilities: [Double]

  /// Equally probable candidates.
  init(count: Int = 600, seed: UInt64 = 1) {
    var generator = SeededGenerator(seed: seed, stream: "few-shot prior")
    func normal() -> Double {
      (-2 * log(1 - generator.nextUniform())).squareRoot()
        * cos(2 * .pi * generator.nextUniform())
    }
    candidates = (0..<count).map { _ in
      var shares = FewShotBasis.groups.map { _ in
        let share = exp(2 * normal())
        return generator.nextUniform() < 0.3 ? 0 : share
      }
      if shares.allSatisfy({ $0 == 0 }) { shares[0] = 1 }
      let scale = exp(0.3 + 0.6 * normal()) / shares.reduce(0, +)
      let noise = exp(log(1e-4) + generator.nextUniform() * (log(2) - log(1e-4)))
      return Candidate(variances: shares.map { $0 * scale }, noise: noise)
    }
    probabilities = Array(repeating: 1 / Double(count), count: count)
  }

  /// Means over candidates: what is expected of a device that nothing was measured on.
  var mean: Candidate { Self.mean(candidates, probabilities) }

  static func mean(_ candidates: [Candidate], _ probabilities: [Double]) -> Candidate {
    var mean = Candidate(variances: FewShotBasis.groups.map { _ in 0 }, noise: 0)
    for (candidate, probability) in zip(candidates, probabilities) {
      for (group, variance) in candidate.variances.enumerated() {
        mean.variances[group] += probability * variance
      }
      mean.noise += probability * log(candidate.noise)
    }
    mean.noise = exp(mean.noise)
    return mean
  }

  /// Logarithm of the marginal likelihood of standardised latencies under each candidate.
  func evidence(_ kernel: FewShotKernel, _ latencies: [Double]) -> [Double] {
    candidates.map { candidate in
      var covariance = kernel.covariance(candidate.variances)
      for row in 0..<covariance.rows { covariance[row, row] += candidate.noise }
      guard let factor = CholeskyFactor(covariance.values, size: covariance.rows) else {
        return -.infinity
      }
      return -0.5 * (factor.squaredNorms(latencies)[0] + factor.logDeterminant)
    }
  }

  /// Probabilities of the candidates given their evidence on a device.
  func posterior(_ evidence: [Double]) -> [Double] {
    let scores = zip(evidence, probabilities).map { $0 + log($1) }
    let top = scores.max() ?? 0
    guard top.isFinite else { return probabilities }
    let weights = scores.map { exp($0 - top) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  /// Learns the probabilities from the evidence on many devices.
  mutating func learn(_ evidence: [[Double]], iterations: Int = 30) {
    guard !evidence.isEmpty else { return }
    // A little of every candidate stays possible.
    let floor = 0.002
    for _ in 0..<iterations {
      var sums = [Double](repeating: floor, count: candidates.count)
      for device in evidence {
        for (index, weight) in posterior(device).enumerated() { sums[index] += weight }
      }
      let total = sums.reduce(0, +)
      probabilities = sums.map { $0 / total }
    }
  }
}
