public import Tensors

/// Two 3x3 convolutions and a shortcut without parameters: strided, and padded with zero channels
/// on both sides (He et al. 2015, arXiv 1512.03385, option A). Paths: `conv1`, `bn1`, `conv2`, `bn2`.
public final class BasicBlock: UnaryLayer {
  public let first: ConvNorm
  public let second: ConvNorm
  private let stride: Int
  private let inputs: Int
  private let outputs: Int

  public init(_ inputs: Int, _ outputs: Int, stride: Int = 1, _ random: inout RandomStream) {
    first = ConvNorm(inputs, outputs, kernel: 3, stride: stride, activation: .relu, &random)
    second = ConvNorm(outputs, outputs, kernel: 3, activation: .relu, &random)
    self.stride = stride
    self.inputs = inputs
    self.outputs = outputs
  }

  public var members: [Member] {
    [
      .layer("conv1", first.conv), .layer("bn1", first.norm), .layer("conv2", second.conv),
      .layer("bn2", second.norm),
    ]
  }

  public func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable {
    var shortcut = x
    // A pool of single pixels picks every `stride`-th one.
    if stride > 1 {
      shortcut = try shortcut.averagePool(kernel: .init(1), .init(kernel: 1, stride: stride))
    }
    if outputs > inputs {
      shortcut = try shortcut.padded(axis: -1, before: (outputs - inputs) / 2, to: outputs)
    }
    return try second(first(x, pass), adding: shortcut, pass)
  }
}

/// The ResNet of 20 layers for 32x32 images: a stem of 16 channels, three stages of three blocks of
/// 16, 32 and 64 channels, a mean and a linear layer. Paths: `conv1.weight`, `bn1.weight`,
/// `blocks.0.conv1.weight`, `fc.weight`, ...
public final class ResNet20: UnaryLayer {
  public let stem: ConvNorm
  public let blocks: [BasicBlock]
  public let classifier: Linear

  public init(classes: Int, _ random: inout RandomStream) {
    stem = ConvNorm(3, 16, kernel: 3, activation: .relu, &random)
    var blocks: [BasicBlock] = []
    var inputs = 16
    for (stage, channels) in [16, 32, 64].enumerated() {
      for i in 0..<3 {
        let stride = stage > 0 && i == 0 ? 2 : 1
        blocks.append(BasicBlock(inputs, channels, stride: stride, &random))
        inputs = channels
      }
    }
    self.blocks = blocks
    classifier = Linear(64, classes, &random)
  }

  public var members: [Member] {
    [.layer("conv1", stem.conv), .layer("bn1", stem.norm)]
      + blocks.enumerated().map { .layer("blocks.\($0)", $1) } + [.layer("fc", classifier)]
  }

  /// `[N, height, width, 3]` to logits `[N, classes]`.
  public func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable {
    var x = try stem(x, pass)
    for block in blocks { x = try block(x, pass) }
    return try classifier(x.mean(over: [1, 2]), pass)
  }
}
