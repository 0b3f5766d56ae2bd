public import Architectures

/// A network of Accel-NASBench (Ahmad et al. 2024): EfficientNet-B0's seven stages of inverted
/// residuals, each with its own expansion, kernel, depth and squeeze-and-excite.
public struct MobileBlocksNetwork: Hashable, Sendable {
  public struct Stage: Hashable, Sendable {
    public var expansion: Int
    public var kernel: Int
    public var depth: Int
    public var squeezeExcite: Bool
  }
  public let stages: [Stage]

  private static let outputs = [(16, 1), (24, 2), (40, 2), (80, 2), (112, 1), (192, 2), (320, 1)]

  /// Reads the lists `e`, `k`, `l`, `se` of seven numbers each.
  /// - Throws: `badSamples` naming the list.
  public init(_ fields: [String: String]) throws {
    func list(_ name: String, _ range: ClosedRange<Int>) throws -> [Int] {
      let numbers = (fields[name] ?? "").split(separator: " ").compactMap { Int($0) }
      guard numbers.count == 7, numbers.allSatisfy(range.contains) else {
        throw PredictorsError(
          .badSamples,
          "'\(name)' is '\(fields[name] ?? "")'; seven numbers in \(range) are meant")
      }
      return numbers
    }
    let (e, k) = (try list("e", 1...16), try list("k", 1...15))
    let (l, se) = (try list("l", 1...16), try list("se", 0...1))
    stages = (0..<7).map {
      Stage(expansion: e[$0], kernel: k[$0], depth: l[$0], squeezeExcite: se[$0] == 1)
    }
  }

  /// At 224 pixels, for ImageNet.
  public func network() throws -> OperatorGraph {
    var builder = GraphBuilder()
    let image = builder.input([1, 3, 224, 224])
    var value = try builder.activated(image, out: 32, kernel: 3, stride: 2, .swish)
    for (stage, (out, stride)) in zip(stages, Self.outputs) {
      for block in 0..<stage.depth {
        value = try append(
          stage, to: &builder, value, out: out, stride: block == 0 ? stride : 1)
      }
    }
    value = try builder.activated(value, out: 1280, .swish)
    builder.output(try builder.classifier(value, classes: 1000))
    return builder.graph
  }

  private func append(
    _ stage: Stage, to builder: inout GraphBuilder, _ input: ValueReference, out: Int, stride: Int
  ) throws -> ValueReference {
    let channels = builder.channels(input)
    let mid = channels * stage.expansion
    var value = input
    if stage.expansion > 1 { value = try builder.activated(value, out: mid, .swish) }
    value = try builder.activated(
      value, out: mid, kernel: stage.kernel, stride: stride, groups: mid, .swish)
    if stage.squeezeExcite { value = try builder.squeezeExcite(value, mid: channels / 4) }
    value = try builder.activated(value, out: out, .none)
    return stride == 1 && channels == out ? try builder.add("Add", [value, input]) : value
  }
}
