/// How a convolution's window moves. Extents are (vertical, horizontal).
public struct Convolution: Sendable, Hashable, Codable {
  public struct Pair: Sendable, Hashable, Codable {
    public var height: Int
    public var width: Int

    public init(_ height: Int, _ width: Int) {
      self.height = height
      self.width = width
    }
    public init(_ both: Int) { self.init(both, both) }
  }

  public struct Padding: Sendable, Hashable, Codable {
    public var top: Int
    public var left: Int
    public var bottom: Int
    public var right: Int

    public init(top: Int, left: Int, bottom: Int, right: Int) {
      self.top = top
      self.left = left
      self.bottom = bottom
      self.right = right
    }
    public init(_ all: Int) { self.init(top: all, left: all, bottom: all, right: all) }

    /// (k - 1) / 2 * dilation on all sides: an odd kernel at stride 1 keeps the size.
    public static func same(_ kernel: Int, dilation: Int = 1) -> Padding {
      Padding((kernel - 1) / 2 * dilation)
    }
  }

  public var stride: Pair
  public var padding: Padding
  public var dilation: Pair
  public var groups: Int

  public init(
    stride: Pair = Pair(1), padding: Padding = Padding(0), dilation: Pair = Pair(1),
    groups: Int = 1
  ) {
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
  }

  /// The usual case: one stride, padding (k - 1) / 2.
  public init(kernel: Int, stride: Int = 1, dilation: Int = 1, groups: Int = 1) {
    self.init(
      stride: Pair(stride), padding: .same(kernel, dilation: dilation), dilation: Pair(dilation),
      groups: groups)
  }

  /// Height and width of the result for an input `[n, h, w, c]` and a kernel of (kh, kw).
  /// - Throws: `TensorError` if the window doesn't fit or a number is out of range.
  public func outputSize(_ input: [Int], kernel: Pair, name: String = "convolution") throws -> Pair
  {
    try check(input.count == 4, "\(name): input \(input) isn't [n, h, w, c]")
    let valid =
      stride.height > 0 && stride.width > 0 && dilation.height > 0 && dilation.width > 0
      && padding.top >= 0 && padding.left >= 0 && padding.bottom >= 0 && padding.right >= 0
      && groups > 0 && kernel.height > 0 && kernel.width > 0
    try check(valid, "\(name): bad options \(self) for a kernel of \(kernel)")
    let height = input[1] + padding.top + padding.bottom - dilation.height * (kernel.height - 1) - 1
    let width = input[2] + padding.left + padding.right - dilation.width * (kernel.width - 1) - 1
    try check(
      height >= 0 && width >= 0,
      "\(name): a kernel of \(kernel.height)x\(kernel.width) doesn't fit input \(input)")
    return Pair(height / stride.height + 1, width / stride.width + 1)
  }

  /// Whether the window is a single pixel that visits each pixel once.
  func isPointwise(_ kernel: Pair) -> Bool {
    kernel == Pair(1) && stride == Pair(1) && padding == Padding(0) && groups == 1
  }
}

/// What inference does to a convolution's result on the way out: `activation(scale * y + shift +
/// residual)`, scale and shift per channel (a folded batch norm).
public struct ConvolutionEpilogue {
  public var scale: Tensor?
  public var shift: Tensor?
  public var activation: Activation
  public var residual: Tensor?

  public init(
    scale: Tensor? = nil, shift: Tensor? = nil, activation: Activation = .identity,
    residual: Tensor? = nil
  ) {
    self.scale = scale
    self.shift = shift
    self.activation = activation
    self.residual = residual
  }
}
