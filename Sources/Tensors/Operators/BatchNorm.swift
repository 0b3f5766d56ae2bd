/// Mean and biased variance of a batch, per channel.
public struct BatchStatistics: Sendable {
  public let mean: Tensor
  public let variance: Tensor
  /// Values behind each mean: images times pixels.
  public let count: Int
  /// Images of the batch.
  public let images: Int

  /// What running averages take: variance * n / (n - 1).
  public var unbiasedVariance: Tensor {
    variance.affine(scale: count > 1 ? Float(count) / Float(count - 1) : 1)
  }
}

/// Statistics of a whole data set from those of its batches: the mean, weighted by images, of the
/// batches' means and biased variances (what Once-for-All does before it evaluates a subnet;
/// Cai et al. 2020, arXiv 1908.09791).
public struct StatisticsRecalibration: Sendable {
  private var mean: [Double] = []
  private var variance: [Double] = []
  private var images = 0.0

  public init() {}

  public mutating func add(_ batch: BatchStatistics) {
    if mean.isEmpty {
      mean = [Double](repeating: 0, count: batch.mean.count)
      variance = mean
    }
    let weight = Double(batch.images)
    for (j, (m, v)) in zip(batch.mean.array, batch.variance.array).enumerated() {
      mean[j] += Double(m) * weight
      variance[j] += Double(v) * weight
    }
    images += weight
  }

  /// Mean and variance; nil if nothing was added.
  public var result: (mean: Tensor, variance: Tensor)? {
    guard images > 0 else { return nil }
    return (
      Tensor(mean.map { Float($0 / images) }), Tensor(variance.map { Float($0 / images) })
    )
  }
}

extension Variable {
  /// Batch norm in training, with the activation behind it: `f(scale * (x - mean) / sqrt(variance
  /// + epsilon) + shift)` over all but the last axis (Ioffe and Szegedy 2015, arXiv 1502.03167).
  ///
  /// The value is deferred: a convolution that reads it computes it on the way. First order.
  public func batchNorm(
    scale: Variable, shift: Variable, epsilon: Float = 1e-5, activation: Activation = .identity
  ) throws -> (Variable, BatchStatistics) {
    let channels = try checkNorm("batchNorm", scale, shift)
    let x = contiguous()
    let z = x.value
    let rows = z.count / channels
    try check(rows > 0, "batchNorm: nothing to average in \(shape)")
    let moments = x.moments ?? z.moments(engine: tape.engine)
    let n = Double(rows)
    var mean = moments.sums
    var variance = mean
    for j in 0..<channels {
      mean[j] /= n
      variance[j] = max(0, moments.products[j] / n - mean[j] * mean[j])
    }
    let statistics = BatchStatistics(
      mean: Tensor(mean.map { Float($0) }), variance: Tensor(variance.map { Float($0) }),
      count: rows, images: shape[0])
    let inverse = variance.map { 1 / ($0 + Double(epsilon)).squareRoot() }
    let result = normalized(
      x, scale, shift, mean: mean, inverse: inverse, activation, batch: rows)
    return (result, statistics)
  }

  /// Batch norm with known statistics: evaluation, or training with frozen ones.
  public func batchNorm(
    scale: Variable, shift: Variable, mean: Tensor, variance: Tensor, epsilon: Float = 1e-5,
    activation: Activation = .identity
  ) throws -> Variable {
    let channels = try checkNorm("batchNorm", scale, shift)
    try check(
      mean.shape == [channels] && variance.shape == [channels],
      "batchNorm: input \(shape) needs statistics [\(channels)], got \(mean.shape)")
    let inverse = variance.array.map { 1 / (Double($0) + Double(epsilon)).squareRoot() }
    return normalized(
      contiguous(), scale, shift, mean: mean.array.map(Double.init), inverse: inverse, activation,
      batch: nil)
  }

  func checkNorm(_ name: String, _ scale: Variable, _ shift: Variable) throws -> Int {
    let channels = shape.last ?? 0
    try check(
      shape.count >= 2 && scale.shape == [channels] && shift.shape == [channels],
      "\(name): input \(shape) needs scale and shift [\(channels)], got \(scale.shape) and "
        + "\(shift.shape)")
    return channels
  }

  /// `batch`: rows that mean and inverse deviation were computed from; nil if they are constants.
  private func normalized(
    _ x: Variable, _ scale: Variable, _ shift: Variable, mean: [Double], inverse: [Double],
    _ activation: Activation, batch: Int?
  ) -> Variable {
    let (gamma, beta) = (scale.value.array, shift.value.array)
    let channels = gamma.count
    let p = (0..<channels).map { Double(gamma[$0]) * inverse[$0] }
    let r = (0..<channels).map { Double(beta[$0]) - mean[$0] * p[$0] }
    let z = x.value
    let deferred = Deferred(
      x: z, p: Tensor(p.map { Float($0) }), r: Tensor(r.map { Float($0) }), activation: activation)
    return tape.record(
      "batchNorm", content: .deferred(deferred), [x, scale, shift], moments: nil
    ) { g in
      let tape = g.tape
      try tape.requireFirstOrder("batchNorm")
      // g through the activation, with sums: done by the convolution behind, or here.
      let (gradient, sums): (Tensor, Moments)
      if let moments = g.moments, moments.owner === deferred {
        (gradient, sums) = (g.value, moments)
      } else {
        (gradient, sums) = deferred.activationGradient(g, tape.engine)
      }
      let dScale = (0..<channels).map {
        inverse[$0] * (sums.products[$0] - mean[$0] * sums.sums[$0])
      }
      var dx: Variable?
      if x.requiresGradient {
        var q: [Double]?
        var r = [Double](repeating: 0, count: channels)
        if let batch {
          let n = Double(batch)
          let slopes = (0..<channels).map { -p[$0] * inverse[$0] * dScale[$0] / n }
          for j in 0..<channels { r[j] = -p[j] * sums.sums[j] / n - slopes[j] * mean[j] }
          q = slopes
        }
        let content = Deferred(
          x: gradient, z: q == nil ? nil : z, p: deferred.p,
          q: q.map { Tensor($0.map { Float($0) }) }, r: Tensor(r.map { Float($0) }))
        dx = Variable(content: .deferred(content), tape: tape, node: nil)
      }
      return [
        dx, scale.requiresGradient ? tape.constant(Tensor(dScale.map { Float($0) })) : nil,
        shift.requiresGradient ? tape.constant(Tensor(sums.sums.map { Float($0) })) : nil,
      ]
    }
  }
}
