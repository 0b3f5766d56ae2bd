internal import Foundation

extension Variable {
  /// The variable as it is, but its gradient also pulls its statistics towards given ones: on the
  /// way back the gradient of `weight * distance` is added, where, per channel over all but the last
  /// axis, distance is the mean over channels of `(mean - m)^2 / v + log(variance / v)^2`.
  ///
  /// With all norms of a network pulled to their running statistics, images can be made up that
  /// have the statistics of the data it was trained on (Yin et al. 2020, arXiv 1912.08795).
  /// First order.
  /// - Returns: the variable, and the distance.
  public func drawn(
    toMean mean: Tensor, variance: Tensor, weight: Float, epsilon: Double = 1e-5
  ) throws -> (Variable, distance: Double) {
    let channels = shape.last ?? 0
    try check(
      shape.count >= 2 && mean.shape == [channels] && variance.shape == [channels],
      "drawn: input \(shape) needs statistics [\(channels)], got \(mean.shape) and "
        + "\(variance.shape)")
    let x = contiguous()
    let z = x.value
    let rows = Double(z.count / max(1, channels))
    try check(rows > 0, "drawn: nothing to average in \(shape)")
    let sums = x.moments ?? z.moments(engine: tape.engine)
    let (m, v) = (mean.array, variance.array)
    var distance = 0.0
    // The gradient is q * x + r in each channel.
    var q = [Float](repeating: 0, count: channels)
    var r = q
    for j in 0..<channels {
      let mean = sums.sums[j] / rows
      let variance = max(0, sums.products[j] / rows - mean * mean) + epsilon
      let target = Double(v[j]) + epsilon
      let offset = mean - Double(m[j])
      let ratio = Foundation.log(variance / target)
      let own: Double = offset * offset / target + ratio * ratio
      distance += own / Double(channels)
      let share: Double = 2 * Double(weight) / (Double(channels) * rows)
      let slope: Double = 2 * share * ratio / variance
      q[j] = Float(slope)
      r[j] = Float(share * offset / target - slope * mean)
    }
    let content = Content.tensor(z)
    let result = tape.record("drawn", content: content, [x], moments: sums) { g in
      try g.tape.requireFirstOrder("drawn")
      let pull = Deferred(
        x: g.value, z: z, p: Tensor(repeating: 1, shape: [channels]), q: Tensor(q), r: Tensor(r))
      return [Variable(content: .deferred(pull), tape: g.tape, node: nil)]
    }
    return (result, distance)
  }
}
