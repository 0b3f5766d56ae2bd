internal import Networks
internal import Tensors

/// The networks of the benchmark: a stem of 16 channels, stages of 24, 32, 48 and 64 with `depth`
/// MBConv blocks each (the second and third stage halve the image), 256 channels, 10 classes.
final class MobileNetwork: UnaryLayer {
  private let stem: ConvNorm
  private let blocks: [MBConv]
  private let head: ConvNorm
  private let classifier: Linear

  /// Names as `e6k7d4`: expansion, kernel and depth.
  static let names: [String: (expand: Int, kernel: Int, depth: Int)] = [
    "e6k7d4": (6, 7, 4), "e4k5d3": (4, 5, 3), "e3k3d2": (3, 3, 2),
  ]

  init(expand: Int, kernel: Int, depth: Int, _ random: inout RandomStream) {
    stem = ConvNorm(3, 16, kernel: 3, activation: .relu, &random)
    var blocks: [MBConv] = []
    var inputs = 16
    for (channels, stride) in [(24, 1), (32, 2), (48, 2), (64, 1)] {
      for i in 0..<depth {
        let options = MBConv.Options(
          kernel: kernel, stride: i == 0 ? stride : 1, expand: expand, activation: .relu)
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
