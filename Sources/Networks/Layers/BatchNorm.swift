public import Tensors

/// Batch norm over all but the last axis, and the activation behind it if one is given (Ioffe and Szegedy 2015,
/// arXiv 1502.03167). Paths: `weight`, `bias`, `running_mean`, `running_var`.
///
/// An input with fewer channels than the norm has is normalised by the first of them, as the
/// layers of a supernet share one norm.
public final class BatchNorm: UnaryLayer {
  public let weight: Parameter
  public let bias: Parameter
  /// Running statistics, the variance unbiased, as PyTorch keeps them.
  public let runningMean: Parameter
  public let runningVariance: Parameter
  public let epsilon: Float
  /// The share of a batch in the running statistics.
  public let momentum: Float
  /// Gathers statistics of a whole data set while it is set; see `recalibrate`.
  public var recalibration: StatisticsRecalibration?
  /// While it is set, batches are normalised by themselves and drawn to the running statistics.
  public var attraction: StatisticsAttraction?

  public init(_ channels: Int, epsilon: Float = 1e-5, momentum: Float = 0.1) {
    weight = Parameter(Tensor(repeating: 1, shape: [channels]))
    bias = Parameter(Tensor(zeros: [channels]))
    runningMean = Parameter(Tensor(zeros: [channels]), isTrained: false)
    runningVariance = Parameter(Tensor(repeating: 1, shape: [channels]), isTrained: false)
    self.epsilon = epsilon
    self.momentum = momentum
  }

  public var members: [Member] {
    [
      .parameter("weight", weight, .vector), .parameter("bias", bias, .vector),
      .parameter("running_mean", runningMean, .statistic),
      .parameter("running_var", runningVariance, .statistic),
    ]
  }

  public func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable {
    try self(x, activation: .identity, pass)
  }

  public func callAsFunction(
    _ x: Variable, activation: Activation, _ pass: Pass
  ) throws -> Variable {
    let channels = x.shape.last ?? 0
    let scale = try pass.tape.parameter(weight).slice(axis: 0, 0..<channels)
    let shift = try pass.tape.parameter(bias).slice(axis: 0, 0..<channels)
    func running() throws -> (mean: Tensor, variance: Tensor) {
      (
        try runningMean.value.slice(axis: 0, 0..<channels),
        try runningVariance.value.slice(axis: 0, 0..<channels)
      )
    }
    if let weight = attraction?.weight {
      let (mean, variance) = try running()
      let (drawn, distance) = try x.drawn(toMean: mean, variance: variance, weight: weight)
      attraction?.distance = distance
      return try drawn.batchNorm(
        scale: scale, shift: shift, epsilon: epsilon, activation: activation
      ).0
    }
    guard pass.isTraining || recalibration != nil else {
      let (mean, variance) = try running()
      return try x.batchNorm(
        scale: scale, shift: shift, mean: mean, variance: variance, epsilon: epsilon,
        activation: activation)
    }
    let (y, statistics) = try x.batchNorm(
      scale: scale, shift: shift, epsilon: epsilon, activation: activation)
    if recalibration != nil {
      recalibration?.add(statistics)
    } else if !pass.tape.isRecomputing {
      try runningMean.value.updateLeading(statistics.mean, decay: 1 - momentum)
      try runningVariance.value.updateLeading(statistics.unbiasedVariance, decay: 1 - momentum)
    }
    return y
  }

  /// How strongly inputs are drawn to the running statistics, and how far the last batch was.
  public struct StatisticsAttraction: Sendable {
    public var weight: Float
    public internal(set) var distance = 0.0

    public init(weight: Float) { self.weight = weight }
  }

  /// The norm of the first `channels` with its running statistics as `scale * x + shift`.
  func folded(_ channels: Int) -> (scale: Tensor, shift: Tensor) {
    let (gamma, beta) = (weight.value.array, bias.value.array)
    let (mean, variance) = (runningMean.value.array, runningVariance.value.array)
    let scale = (0..<channels).map {
      Double(gamma[$0]) / (Double(variance[$0]) + Double(epsilon)).squareRoot()
    }
    let shift = (0..<channels).map { Double(beta[$0]) - Double(mean[$0]) * scale[$0] }
    return (Tensor(scale.map { Float($0) }), Tensor(shift.map { Float($0) }))
  }
}

extension Layer {
  /// Every batch norm inside.
  public var batchNorms: [BatchNorm] {
    members.flatMap { member -> [BatchNorm] in
      guard case .layer(_, let part) = member else { return [] }
      return (part as? BatchNorm).map { [$0] } ?? part.batchNorms
    }
  }

  /// Replaces all running statistics by those of the inputs that `body` runs through the network,
  /// each batch normalised by itself meanwhile: what a subnet of a supernet needs before it is
  /// judged (Cai et al. 2020, arXiv 1908.09791).
  public func recalibrate(_ body: () throws -> Void) rethrows {
    let norms = batchNorms
    for norm in norms { norm.recalibration = StatisticsRecalibration() }
    defer { for norm in norms { norm.recalibration = nil } }
    try body()
    for norm in norms {
      guard let (mean, variance) = norm.recalibration?.result else { continue }
      // Channels that did not take part keep theirs.
      try? norm.runningMean.value.updateLeading(mean, decay: 0)
      try? norm.runningVariance.value.updateLeading(variance, decay: 0)
    }
  }
}

extension Tensor {
  /// `self = decay * self + (1 - decay) * values`, for the first elements of a vector.
  fileprivate mutating func updateLeading(_ values: Tensor, decay: Float) throws {
    if shape == values.shape { return average(with: values, decay: decay) }
    _ = try slice(axis: 0, 0..<values.count)
    let values = values.array
    update { span in
      for i in values.indices { span[i] = decay * span[i] + (1 - decay) * values[i] }
    }
  }
}
