public import Tensors

/// Training steps of one network: forward, backward, clip, update, average.
///
/// It knows neither the data nor the loss: a step is given a closure from a `Pass` to the loss, so
/// that supernets and predictors use the same loop. All random numbers derive from `seed` and the
/// step, so the state to save is weights, optimiser, averages and the number of steps.
public final class Trainer {
  public struct Options: Sendable, Equatable, Codable {
    public var rule: OptimizerRule
    /// Learning rate, multiplied by the schedule's factor.
    public var rate: Float
    public var schedule: Schedule
    public var weightDecay: Float
    /// Largest Euclidean norm of all gradients together.
    public var clipNorm: Float?
    /// Largest size of one number of a gradient.
    public var clipValue: Float?
    /// Decay of the moving average of the weights.
    public var averageDecay: Float?
    public var seed: UInt64

    public init(
      rule: OptimizerRule = .sgd(), rate: Float, schedule: Schedule, weightDecay: Float = 0,
      clipNorm: Float? = nil, clipValue: Float? = nil, averageDecay: Float? = nil, seed: UInt64 = 1
    ) {
      self.rule = rule
      self.rate = rate
      self.schedule = schedule
      self.weightDecay = weightDecay
      self.clipNorm = clipNorm
      self.clipValue = clipValue
      self.averageDecay = averageDecay
      self.seed = seed
    }
  }

  public let network: any Layer
  public let engine: Engine
  public let options: Options
  public let optimizer: Optimizer
  public let average: MovingAverage?

  /// - Throws: `NetworksError` for options that make no sense.
  public init(_ network: any Layer, _ options: Options, engine: Engine) throws {
    try options.schedule.validate()
    self.network = network
    self.engine = engine
    self.options = options
    optimizer = Optimizer(network, options.rule, weightDecay: options.weightDecay)
    average = options.averageDecay.map { MovingAverage(network, decay: $0) }
  }

  /// Steps taken.
  public var step: Int { optimizer.steps }

  /// One step: `loss` computes it on the pass it is given.
  /// - Returns: the loss.
  /// - Throws: `NetworksError` if the loss is not a finite number; the weights are then untouched.
  public func train(_ loss: (Pass) throws -> Variable) throws -> Float {
    let value = try accumulate(loss)
    try update()
    return value
  }

  /// Adds the gradients of one loss; several of these and one `update()` are one step on the sum.
  public func accumulate(_ loss: (Pass) throws -> Variable) throws -> Float {
    let result = try loss(Pass(Tape(engine), isTraining: true, random: random("pass")))
    let value = result.scalar
    guard value.isFinite else {
      network.zeroGradients()
      throw NetworksError(.diverged, "step \(step): the loss is \(value); lower the learning rate")
    }
    try result.backward()
    return value
  }

  /// Applies the gradients gathered since the last update.
  public func update() throws {
    try optimizer.step(
      rate: options.rate * options.schedule.factor(at: step), clipNorm: options.clipNorm,
      clipValue: options.clipValue, engine: engine)
    average?.update()
  }

  /// The random stream of the coming step for one purpose.
  public func random(_ purpose: String) -> RandomStream {
    RandomStream(seed: options.seed).derived(purpose).derived(step)
  }
}
