/// Chooses the networks whose measurement tells most about a device: greedily, each next one
/// lowers the sum of the predictions' variances over the pool the most (A-optimal design).
///
/// The choice needs no measurement and is deterministic; a shorter list is the beginning of a
/// longer one.
enum SampleSelection {
  /// Noise, in units of the latencies' variance, that measurements are at least expected to have:
  /// keeps the choice from resting on a few extreme networks.
  private static let leastNoise = 0.1

  /// Indices of `count` networks of the pool. - Complexity: `pool^2 * (width + count)`.
  static func choose(
    _ count: Int, basis: FewShotBasis, prior: FewShotPrior, pool: RowMatrix
  ) -> [Int] {
    let expected = prior.mean
    let features = basis.features(pool)
    var covariance = FewShotKernel(features, features).covariance(expected.variances)
    let noise = max(expected.noise, leastNoise)
    let size = pool.rows
    var chosen: [Int] = []
    while chosen.count < min(count, size) {
      var gains = [Double](repeating: 0, count: size)
      for row in 0..<size {
        let first = row * size
        for column in 0..<size {
          gains[column] += covariance.values[first + column] * covariance.values[first + column]
        }
      }
      var best = -1
      for index in 0..<size where !chosen.contains(index) {
        gains[index] /= covariance[index, index] + noise
        if best < 0 || gains[index] > gains[best] { best = index }
      }
      chosen.append(best)
      let column = (0..<size).map { covariance[$0, best] }
      let scale = 1 / (covariance[best, best] + noise)
      for row in 0..<size {
        let factor = column[row] * scale
        if factor == 0 { continue }
        let first = row * size
        for other in 0..<size { covariance.values[first + other] -= factor * column[other] }
      }
    }
    return chosen
  }
}
