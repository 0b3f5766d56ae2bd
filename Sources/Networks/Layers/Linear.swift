public import Tensors

/// `y = x W + b`, `[..., inputs]` to `[..., outputs]`. Paths: `weight`, `bias`.
public final class Linear: UnaryLayer {
  /// `[inputs, outputs]`.
  public let weight: Parameter
  public let bias: Parameter?

  public init(_ inputs: Int, _ outputs: Int, bias: Bool = true, _ random: inout RandomStream) {
    weight = Parameter(Initialization.fan([inputs, outputs], fanIn: inputs, &random))
    self.bias =
      bias ? Parameter(Initialization.fan([outputs], fanIn: inputs, &random)) : nil
  }

  public var members: [Member] {
    [.parameter("weight", weight, .linear)] + (bias.map { [.parameter("bias", $0, .vector)] } ?? [])
  }

  public func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable {
    try x.linear(pass.tape.parameter(weight), bias: bias.map(pass.tape.parameter))
  }
}

/// Linear layers with an activation between them. Paths: `layers.0.weight`, ...
public final class MLP: UnaryLayer {
  public let layers: [Linear]
  public let activation: Activation

  /// - Parameter sizes: features from the input to the output, at least two.
  public init(
    _ sizes: [Int], activation: Activation = .relu, _ random: inout RandomStream
  ) {
    precondition(sizes.count >= 2, "an MLP needs the features of its input and its output")
    self.activation = activation
    var layers: [Linear] = []
    for (inputs, outputs) in zip(sizes, sizes.dropFirst()) {
      layers.append(Linear(inputs, outputs, &random))
    }
    self.layers = layers
  }

  public var members: [Member] {
    layers.enumerated().map { .layer("layers.\($0)", $1) }
  }

  public func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable {
    var x = x
    for layer in layers.dropLast() { x = try layer(x, pass).activated(activation) }
    return try layers[layers.count - 1](x, pass)
  }
}

/// Rows of a table by number. Path: `weight`.
public final class Embedding: Layer {
  /// `[count, features]`.
  public let weight: Parameter

  public init(_ count: Int, _ features: Int, _ random: inout RandomStream) {
    weight = Parameter(random.normal([count, features]))
  }

  public var members: [Member] { [.parameter("weight", weight, .table)] }

  /// `[indices.count, features]`.
  public func callAsFunction(_ indices: [Int], _ pass: Pass) throws -> Variable {
    try pass.tape.parameter(weight).embedding(indices)
  }
}
