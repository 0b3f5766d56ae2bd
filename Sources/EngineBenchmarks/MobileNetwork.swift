internal import Networks
internal import Tensors

/// The networks of the benchmark: a stem of 16 channels, stages of 24, 32, 48 and 64 with `depth`
/// MBConv blocks each (the second and third stage halve the image), 256 channels, 10 classes.
final class MobileNetwork: UnaryLayer {
  private let stem: ConvNorm
  private let blocks: [MBConv]
  private let head: ConvNorm
  private let classifier: Linear

  struct Shape {
    var expand: Int
    var kernel: Int
    var depth: Int
    var activation = Activation.relu
    /// Inner channels divided by those of a squeeze-and-excite layer in each block, if there is one.
    var squeeze: Int?
  }

  /// Names as `e6k7d4`: expansion, kernel and depth; `se`: squeeze and excite, hard swish.
  static let names: [String: Shape] = [
    "e6k7d4": Shape(expand: 6, kernel: 7, depth: 4),
    "e4k5d3": Shape(expand: 4, kernel: 5, depth: 3),
    "e3k3d2": Shape(expand: 3, kernel: 3, depth: 2),
    "e4k5d3hs": Shape(expand: 4, kernel: 5, depth: 3, activation: .hardSwish),
    "e4k5d3se": Shape(expand: 4, kernel: 5, depth: 3, activation: .hardSwish, squeeze: 4),
  ]

  init(_ shape: Shape, _ random: inout RandomStream) {
    let (expand, depth) = (shape.expand, shape.depth)
    stem = ConvNorm(3, 16, kernel: 3, activation: .relu, &random)
    var blocks: [MBConv] = []
    var inputs = 16
    for (channels, stride) in [(24, 1), (32, 2), (48, 2), (64, 1)] {
      for i in 0..<depth {
        let options = MBConv.Options(
          kernel: shape.kernel, stride: i == 0 ? stride : 1, expand: expand,
          activation: shape.activation, squeezed: shape.squeeze.map { inputs * expand / $0 })
        blocks.append(MBConv(inputs, channels, options, &random))
        inputs = channels
      }
    }
    self.blocks = blocks
    head = ConvNorm(inputs, 256, kernel: 1, activation: .relu, &random)
    classifier = Linear(256, 10, &random)
  }

  var members: [Member] {
    [.layer("stem", stem)] + blocks.enumerated().map { .layer("blocks.\($0).conv", $1) }
      + [.layer("head", head), .layer("classifier", classifier)]
  }

  func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable {
    var x = try stem(x, pass)
    for block in blocks { x = try block(x, pass) }
    return try classifier(head(x, pass).mean(over: [1, 2]), pass)
  }
}
