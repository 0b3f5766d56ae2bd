public import Architectures

/// A network of ENAS's macro space (Pham et al. 2018): each layer takes the one before it and any of
/// the earlier ones.
public struct MacroNetwork: Hashable, Sendable {
  public struct Layer: Hashable, Sendable {
    /// 0 conv3x3, 1 separable 3x3, 2 conv5x5, 3 separable 5x5, 4 average pool, 5 max pool.
    public var operation: Int
    /// Whether the layer takes the network's stem, layer 1, layer 2, ... too.
    public var skips: [Bool]
  }
  public let layers: [Layer]

  /// - Parameter text: layers separated by `|`: an operation, then a 0 or 1 an earlier layer.
  /// - Throws: `badSamples` naming the layer.
  public init(_ text: String) throws {
    layers = try text.split(separator: "|").enumerated().map { position, part in
      let numbers = part.split(separator: " ").map { Int($0) ?? -1 }
      guard numbers.count == position + 1, (0...5).contains(numbers[0]),
        numbers.dropFirst().allSatisfy({ (0...1).contains($0) })
      else {
        throw PredictorsError(
          .badSamples,
          "layer \(position + 1) is '\(part)'; an operation 0 to 5 and \(position) flags are meant")
      }
      return Layer(operation: numbers[0], skips: numbers.dropFirst().map { $0 == 1 })
    }
    guard layers.count >= 2 else { throw PredictorsError(.badSamples, "'\(text)' has no layers") }
  }

  /// The CIFAR-10 network, 36 channels; sides are halved after a third and two thirds of the layers,
  /// where channels double.
  public func network() throws -> OperatorGraph {
    var builder = GraphBuilder()
    var channels = 36
    let image = builder.input([1, 3, 32, 32])
    var values = [try builder.activated(image, out: channels, kernel: 3, .none)]
    let third = max(1, layers.count / 3)
    for (position, layer) in layers.enumerated() {
      var value = try builder.activated(values[values.count - 1], out: channels)
      let kernel = layer.operation < 2 ? 3 : 5
      switch layer.operation {
      case 0, 2: value = try builder.activated(value, out: channels, kernel: kernel)
      case 1, 3:
        value = try builder.convolution(value, out: channels, kernel: kernel, groups: channels)
        value = try builder.activated(value, out: channels)
      case 4: value = try builder.pool(value, "AveragePool", kernel: 3)
      default: value = try builder.pool(value, "MaxPool", kernel: 3)
      }
      let skipped = zip(values, layer.skips).filter(\.1).map(\.0)
      if !skipped.isEmpty {
        value = try builder.add("Concat", skipped + [value], ["axis": 1])
        value = try builder.activated(value, out: channels)
      }
      values.append(value)
      if position + 1 == third || position + 1 == 2 * third {
        channels *= 2
        values = try values.map {
          let half = try builder.pool($0, "AveragePool", kernel: 2, stride: 2)
          return try builder.activated(half, out: channels, .none)
        }
      }
    }
    builder.output(try builder.classifier(values[values.count - 1], classes: 10))
    return builder.graph
  }
}
