/// One layer block of a network with all its sizes: what a lookup table times, what a graph is
/// built from. Sizes are `[channels, height, width]` without the batch axis.
public struct Block: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// Convolution, optionally with normalisation and activation, optionally residual.
    case convolution
    /// Inverted residual (Sandler et al. 2018), optionally with squeeze-and-excite.
    case mbconv
    /// Convolution to more channels and a pointwise one back with nothing but norms between them:
    /// one convolution once it is trained (SESR, Bhardwaj et al. 2021, arXiv 2103.09404).
    case linearBlock
    /// Residual bottleneck with average-pooled shortcut (ResNet-D, He et al. 2019).
    case bottleneck
    /// Two 3x3 pre-activated convolutions with an average-pooled shortcut (NAS-Bench-201).
    case reduction
    case maxPool
    case averagePool
    case globalPool
    /// Flatten and fully connected.
    case linear
    /// Normalisation and activation alone.
    case normActivation
    /// The operand itself.
    case identity
    /// Zeros of the operand's shape.
    case zero
  }

  public var kind: Kind
  /// Path of the parameters inside the network, such as `blocks.3`.
  public var name: Label
  /// `[C, H, W]` of the operand.
  public var input: [Int]
  public var out: Int
  public var kernel = 1
  public var stride = 1
  public var groups = 1
  /// Ratio that gave `mid`, for tables whose keys name it.
  public var expand = 1.0
  /// Channels between the first and the last convolution.
  public var mid = 0
  public var squeezeExcite = false
  public var activation = Activation.none
  public var hasNorm = true
  public var hasBias = false
  /// Whether the operand is added to the result where the shapes allow it.
  public var isResidual = false
  /// Activation before the convolution instead of after it.
  public var isPreActivated = false
  public var epsilon: Float = 1e-5

  public init(kind: Kind, name: String, input: [Int], out: Int) {
    self.kind = kind
    self.name = Label(name)
    self.input = input
    self.out = out
  }

  /// `[C, H, W]` of the result.
  public var output: [Int] {
    switch kind {
    case .globalPool: [out, 1, 1]
    case .linear: [out]
    default: [out] + input.dropFirst().map { ($0 - 1) / stride + 1 }
    }
  }

  /// Channels between the two layers of squeeze-and-excite.
  public var squeezed: Int { Self.makeDivisible(Double(mid / 4), by: 8) }

  /// Whether an inverted residual begins with a pointwise expansion.
  public var hasExpansion: Bool { expand != 1 || mid != input[0] }

  /// Whether a bottleneck's shortcut is a convolution.
  public var hasDownsample: Bool { stride != 1 || input[0] != out || !isResidual }

  /// Whether the operand is added to the result.
  public var addsInput: Bool {
    switch kind {
    case .bottleneck, .reduction: true
    default: isResidual && stride == 1 && input.first == out
    }
  }

  /// `max(divisor, nearest multiple of divisor)`, one step up where that loses over 10 %
  /// (MobileNet's channel rule).
  public static func makeDivisible(_ value: Double, by divisor: Int) -> Int {
    let rounded = max(divisor, Int((value + Double(divisor) / 2) / Double(divisor)) * divisor)
    return Double(rounded) < 0.9 * value ? rounded + divisor : rounded
  }
}
