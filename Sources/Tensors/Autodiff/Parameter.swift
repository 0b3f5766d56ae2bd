/// A trained tensor: what a layer owns, an optimiser updates and a checkpoint stores.
///
/// ``Tape/parameter(_:)`` brings it on a tape; ``Variable/backward()`` adds to ``gradient``, so
/// gradients of several batches accumulate until ``zeroGradient()``.
public final class Parameter {
  public var value: Tensor
  /// The accumulated gradient, shaped like `value`; nil if there was none since the last zeroing.
  public internal(set) var gradient: Tensor?
  /// Frozen parameters (false) enter a tape as constants.
  public var isTrained: Bool

  public init(_ value: Tensor, isTrained: Bool = true) {
    self.value = value.contiguous()
    self.isTrained = isTrained
  }

  public func zeroGradient() { gradient = nil }

  /// Replaces the gradient, as clipping or averaging over workers does.
  /// - Throws: `TensorError` if the shape isn't the parameter's.
  public func setGradient(_ gradient: Tensor?) throws {
    if let gradient {
      try check(
        gradient.shape == value.shape,
        "setGradient: a parameter of \(value.shape) has no gradient of \(gradient.shape)")
    }
    self.gradient = gradient
  }
}
