public import Tensors

/// An exponential moving average of a network's weights (Polyak averaging); running statistics are
/// averaged as well.
public final class MovingAverage {
  public let decay: Float
  private let items: [NamedParameter]
  private var averages: [Tensor]

  public init(_ network: any Layer, decay: Float = 0.999) {
    self.decay = decay
    items = network.namedParameters
    averages = items.map { $0.parameter.value.copied() }
  }

  /// `average = decay * average + (1 - decay) * value`
  public func update() {
    for i in items.indices { averages[i].average(with: items[i].parameter.value, decay: decay) }
  }

  /// Runs `body` with the averages in place of the weights, then puts the weights back.
  public func withAverages<Value>(_ body: () throws -> Value) rethrows -> Value {
    let trained = items.map(\.parameter.value)
    for (item, average) in zip(items, averages) { item.parameter.value = average }
    defer { for (item, value) in zip(items, trained) { item.parameter.value = value } }
    return try body()
  }

  /// The averages by path, in the engine's layouts.
  public func state() -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: zip(items.map(\.path), averages))
  }

  public func load(_ state: [String: Tensor]) throws {
    averages = try items.map { item in
      guard let tensor = state[item.path], tensor.shape == item.parameter.value.shape else {
        throw NetworksError(
          .parameter, "average of '\(item.path)' is missing or not \(item.parameter.value.shape)")
      }
      return tensor.copied()
    }
  }
}
