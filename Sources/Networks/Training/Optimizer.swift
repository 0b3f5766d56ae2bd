public import Tensors

/// How a gradient becomes a step. Formulas and defaults are PyTorch's.
public enum OptimizerRule: Sendable, Equatable, Codable {
  /// Stochastic gradient descent; Nesterov's form of momentum by default.
  case sgd(momentum: Float = 0.9, nesterov: Bool = true)
  /// Kingma and Ba 2014, arXiv 1412.6980.
  case adam(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8)
  /// Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv 1711.05101).
  case adamW(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8)
  /// Tieleman and Hinton 2012; `epsilon` is added after the root.
  case rmsProp(alpha: Float = 0.99, momentum: Float = 0, epsilon: Float = 1e-8)

  /// Names of the tensors it keeps for a parameter.
  var slots: [String] {
    switch self {
    case .sgd(let momentum, _): momentum == 0 ? [] : ["velocity"]
    case .adam, .adamW: ["mean", "square"]
    case .rmsProp(_, let momentum, _): momentum == 0 ? ["square"] : ["square", "velocity"]
    }
  }
}

/// Updates a network's parameters from their gradients, all of them in one parallel pass.
///
/// Weight decay leaves biases and norms alone, see `Role`.
public final class Optimizer {
  public let rule: OptimizerRule
  public let weightDecay: Float
  public private(set) var steps = 0
  private let items: [NamedParameter]
  private let slots: [Slots]

  /// The state of one parameter; its own object, so that threads update different ones in place.
  private final class Slots {
    var tensors: [Tensor]
    init(_ tensors: [Tensor]) { self.tensors = tensors }
  }

  /// - Parameter decaysVectors: whether biases and norms are decayed too, as plain PyTorch does.
  public init(
    _ network: any Layer, _ rule: OptimizerRule, weightDecay: Float = 0,
    decaysVectors: Bool = false
  ) {
    self.rule = rule
    self.weightDecay = weightDecay
    self.decaysVectors = decaysVectors
    items = network.namedParameters.filter { $0.role != .statistic }
    slots = items.map { item in
      Slots(rule.slots.map { _ in Tensor(zeros: item.parameter.value.shape) })
    }
  }
  private let decaysVectors: Bool

  /// Takes a step and forgets the gradients. Parameters without a gradient stay as they are.
  /// - Parameter clipNorm: gradients are scaled down together to at most this Euclidean norm.
  /// - Parameter clipValue: each number of a gradient is cut to this size first.
  /// - Returns: the norm before clipping by it, if that was asked for.
  @discardableResult
  public func step(
    rate: Float, clipNorm: Float? = nil, clipValue: Float? = nil, engine: Engine
  ) throws -> Double? {
    steps += 1
    if let clipValue {
      for item in items {
        if var gradient = item.parameter.gradient {
          try item.parameter.setGradient(nil)
          gradient.clamp(to: clipValue)
          try item.parameter.setGradient(gradient)
        }
      }
    }
    let norm = clipNorm == nil ? nil : gradientNorm()
    var scale: Float = 1
    // PyTorch adds 1e-6 to the norm it divides by.
    if let clipNorm, let norm { scale = min(1, clipNorm / Float(norm + 1e-6)) }
    engine.parallel(items.count) { i in
      update(items[i], slots[i], rate: rate, scale: scale)
    }
    for item in items { item.parameter.zeroGradient() }
    return norm
  }

  /// The Euclidean norm of all gradients together, summed in double precision.
  public func gradientNorm() -> Double {
    items.reduce(0) { $0 + ($1.parameter.gradient?.squaredNorm ?? 0) }.squareRoot()
  }

  private func update(_ item: NamedParameter, _ slots: Slots, rate: Float, scale: Float) {
    guard let gradient = item.parameter.gradient else { return }
    let decay = item.role.isDecayed || decaysVectors ? weightDecay : 0
    let parameter = item.parameter
    switch rule {
    case .sgd(let momentum, let nesterov):
      var velocity = slots.tensors.popLast()
      parameter.value.stepSGD(
        gradient, velocity: &velocity, rate: rate, momentum: momentum, nesterov: nesterov,
        decay: decay, scale: scale)
      if let velocity { slots.tensors.append(velocity) }
    case .adam(let beta1, let beta2, let epsilon), .adamW(let beta1, let beta2, let epsilon):
      var decoupled = false
      if case .adamW = rule { decoupled = true }
      var square = slots.tensors.removeLast()
      var mean = slots.tensors.removeLast()
      parameter.value.stepAdam(
        gradient, mean: &mean, square: &square, rate: rate, beta1: beta1, beta2: beta2,
        epsilon: epsilon, step: steps, decay: decay, decoupled: decoupled, scale: scale)
      slots.tensors.append(mean)
      slots.tensors.append(square)
    case .rmsProp(let alpha, let momentum, let epsilon):
      var velocity = slots.tensors.count > 1 ? slots.tensors.popLast() : nil
      var square = slots.tensors.removeLast()
      parameter.value.stepRMSProp(
        gradient, square: &square, velocity: &velocity, rate: rate, alpha: alpha,
        momentum: momentum, epsilon: epsilon, decay: decay, scale: scale)
      slots.tensors.append(square)
      if let velocity { slots.tensors.append(velocity) }
    }
  }

  // MARK: - State

  /// What the rule keeps, as `slot/path`, in the engine's layouts.
  public func state() -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (item, slots) in zip(items, slots) {
      for (name, tensor) in zip(rule.slots, slots.tensors) {
        result["\(name)/\(item.path)"] = tensor
      }
    }
    return result
  }

  /// Goes on from a saved state after `steps` steps. Nothing is changed if anything is wrong.
  public func load(_ state: [String: Tensor], steps: Int) throws {
    let found = try items.map { item in
      try rule.slots.map { name in
        let key = "\(name)/\(item.path)"
        guard let tensor = state[key], tensor.shape == item.parameter.value.shape else {
          throw NetworksError(
            .parameter, "optimiser state '\(key)' is missing or not \(item.parameter.value.shape)")
        }
        return tensor.copied()
      }
    }
    for (slots, tensors) in zip(slots, found) { slots.tensors = tensors }
    self.steps = steps
  }
}
