import CKernels

/// Optimiser steps: one pass over gradient, state and weight, in place. All tensors have the shape
/// of the weight; `scale` multiplies the gradient as it is read (clipping by norm).
extension Tensor {
  /// Stochastic gradient descent; `velocity` may be nil if `momentum` is 0.
  public mutating func stepSGD(
    _ gradient: Tensor, velocity: inout Tensor?, rate: Float, momentum: Float, nesterov: Bool,
    decay: Float, scale: Float
  ) {
    precondition(gradient.shape == shape && (velocity?.shape ?? shape) == shape)
    makeUnique()
    let gradient = gradient.contiguous()
    velocity?.makeUnique()
    ck_sgd_step(
      Int64(count), rate, momentum, nesterov ? 1 : 0, decay, scale, gradient.base,
      velocity?.base, base)
  }

  /// Adam; with `decoupled` decay, AdamW. `step` counts from 1.
  public mutating func stepAdam(
    _ gradient: Tensor, mean: inout Tensor, square: inout Tensor, rate: Float, beta1: Float,
    beta2: Float, epsilon: Float, step: Int, decay: Float, decoupled: Bool, scale: Float
  ) {
    precondition(gradient.shape == shape && mean.shape == shape && square.shape == shape)
    makeUnique()
    mean.makeUnique()
    square.makeUnique()
    let gradient = gradient.contiguous()
    ck_adam_step(
      Int64(count), rate, beta1, beta2, epsilon, Self.correction(beta1, step),
      Self.correction(beta2, step), decay, decoupled ? 1 : 0, scale, gradient.base, mean.base,
      square.base, base)
  }

  /// `1 - beta^step`, in double precision.
  private static func correction(_ beta: Float, _ step: Int) -> Float {
    var power = 1.0
    var (base, exponent) = (Double(beta), step)
    while exponent > 0 {
      if exponent & 1 == 1 { power *= base }
      base *= base
      exponent >>= 1
    }
    return Float(1 - power)
  }

  /// RMSProp; `velocity` may be nil if `momentum` is 0.
  public mutating func stepRMSProp(
    _ gradient: Tensor, square: inout Tensor, velocity: inout Tensor?, rate: Float, alpha: Float,
    momentum: Float, epsilon: Float, decay: Float, scale: Float
  ) {
    precondition(
      gradient.shape == shape && square.shape == shape && (velocity?.shape ?? shape) == shape)
    makeUnique()
    square.makeUnique()
    velocity?.makeUnique()
    let gradient = gradient.contiguous()
    ck_rmsprop_step(
      Int64(count), rate, alpha, momentum, epsilon, decay, scale, gradient.base, square.base,
      velocity?.base, base)
  }

  /// `self = decay * self + (1 - decay) * x`
  public mutating func average(with x: Tensor, decay: Float) {
    precondition(x.shape == shape)
    makeUnique()
    ck_average_step(Int64(count), decay, x.contiguous().base, base)
  }

  /// Cuts every element to `-limit ... limit`.
  public mutating func clamp(to limit: Float) {
    makeUnique()
    ck_clamp(Int64(count), limit, base)
  }

  /// The sum of squares, in double precision.
  public var squaredNorm: Double {
    let source = contiguous()
    return ck_dot(Int64(count), source.base, source.base)
  }
}
