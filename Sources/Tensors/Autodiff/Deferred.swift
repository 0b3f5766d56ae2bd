/// A value that is described, not stored: `activation(p * x + q * z + r) * gate`.
///
/// Batch norm makes them, forward (`activation(scale * x + shift)`) and backward (`p * g + q * z +
/// r`), and so do the gates of squeeze-and-excite layers. Convolutions read them as they are, which
/// saves writing and reading the array once more; every other operator asks for ``Variable/value``,
/// which computes the array and keeps it.
final class Deferred {
  let x: Tensor
  let z: Tensor?
  /// `[channels]`; p and r may be `[images, channels]`.
  let p: Tensor
  let q: Tensor?
  let r: Tensor
  let activation: Activation
  /// `[images, channels]`.
  let gate: Tensor?
  private var computed: Tensor?

  init(
    x: Tensor, z: Tensor? = nil, p: Tensor, q: Tensor? = nil, r: Tensor,
    activation: Activation = .identity, gate: Tensor? = nil
  ) {
    self.x = x
    self.z = z
    self.p = p
    self.q = q
    self.r = r
    self.activation = activation
    self.gate = gate
  }

  /// Whether every image has factors of its own.
  var isPerImage: Bool { p.rank == 2 || gate != nil }

  func value(_ engine: Engine) -> Tensor {
    if let computed { return computed }
    let value = compute(engine)
    computed = value
    return value
  }

  /// The value, if somebody already asked for it.
  var known: Tensor? { computed }
}

/// Sums over the rows of a matrix of channels, in double.
final class Moments {
  let sums: [Double]
  /// Sums of squares of a value, or of a gradient times the value behind it.
  let products: [Double]
  /// For a gradient that already went through an activation: the normalised value it is
  /// the gradient of.
  let owner: Deferred?

  init(sums: [Double], products: [Double], owner: Deferred? = nil) {
    self.sums = sums
    self.products = products
    self.owner = owner
  }
}
