public import Architectures

/// Draws layers on a running value: short names for what networks outside the spaces are made of.
public struct NetworkSketch {
  private var builder = GraphBuilder()
  /// What the next layer reads, `[1, C, H, W]`.
  public var value: ValueReference
  private var layers = 0

  /// - Parameter shape: `[C, H, W]` of the input.
  public init(_ shape: [Int]) { value = builder.input([1] + shape) }

  /// `[C, H, W]`, or `[C]` once flat.
  public var shape: [Int] { Array((builder.graph.type(of: value).fixedShape ?? [1]).dropFirst()) }
  public var channels: Int { shape.first ?? 0 }
  public var size: Int { shape.count > 1 ? shape[1] : 1 }
  public var parameterCount: Int {
    builder.graph.parameters.reduce(0) { $0 + ($1.type.elementCount ?? 0) }
  }

  /// The network that ends in the running value.
  public func graph() -> OperatorGraph {
    var graph = builder.graph
    graph.outputs = [value]
    return graph
  }

  /// Convolution, normalisation (or a bias), activation.
  public mutating func convolution(
    _ out: Int, kernel: Int = 1, stride: Int = 1, groups: Int = 1, norm: Bool = true,
    _ activation: Activation = .relu
  ) throws {
    let input = value
    value = try layer { builder in
      var value = try builder.convolution(
        input, out: out, kernel: kernel, stride: stride, groups: groups, bias: !norm)
      if norm { value = try builder.batchNorm(value) }
      return try builder.activate(value, activation)
    }
  }

  public mutating func depthwise(
    kernel: Int = 3, stride: Int = 1, norm: Bool = true, _ activation: Activation = .relu
  ) throws {
    try convolution(
      channels, kernel: kernel, stride: stride, groups: channels, norm: norm, activation)
  }

  /// Normalisation, then activation, without a convolution before.
  public mutating func normalize(_ activation: Activation = .relu) throws {
    let input = value
    value = try layer { try $0.activate(try $0.batchNorm(input), activation) }
  }

  public mutating func activate(_ activation: Activation) throws {
    let input = value
    value = try layer { try $0.activate(input, activation) }
  }

  public mutating func pool(_ op: String = "MaxPool", kernel: Int = 3, stride: Int = 2) throws {
    var attributes: [String: Attribute] = ["kernel_shape": .ints([kernel, kernel])]
    if stride > 1 { attributes["strides"] = .ints([stride, stride]) }
    if kernel / 2 > 0, kernel % 2 == 1 {
      attributes["pads"] = .ints([Int](repeating: kernel / 2, count: 4))
    }
    try apply(op, [value], attributes)
  }

  /// The running value plus `other`.
  public mutating func add(_ other: ValueReference) throws { try apply("Add", [value, other]) }

  public mutating func concatenate(_ values: [ValueReference]) throws {
    try apply("Concat", values, ["axis": 1])
  }

  /// Channels `range` of the running value.
  public mutating func slice(_ range: Range<Int>) throws {
    let bounds = [
      builder.constant("starts", ints: [range.lowerBound]),
      builder.constant("ends", ints: [range.upperBound]), builder.constant("axes", ints: [1]),
    ]
    try apply("Slice", [value] + bounds)
  }

  public mutating func squeezeExcite(mid: Int) throws {
    let input = value
    value = try layer { try $0.squeezeExcite(input, mid: mid) }
  }

  public mutating func shuffle(groups: Int) throws {
    let input = value
    value = try layer { try $0.channelShuffle(input, groups: groups) }
  }

  public mutating func globalPool() throws { try apply("GlobalAveragePool", [value]) }

  /// Flattens what is not flat, and multiplies.
  public mutating func linear(_ out: Int, _ activation: Activation = .none) throws {
    if shape.count > 1 { try apply("Flatten", [value]) }
    let (input, features) = (value, channels)
    value = try layer { builder in
      let operands = [
        input, builder.weight("weight", [out, features]), builder.weight("bias", [out]),
      ]
      return try builder.activate(try builder.add("Gemm", operands, ["transB": 1]), activation)
    }
  }

  /// One operator on `inputs`; it becomes the running value.
  public mutating func apply(
    _ op: String, _ inputs: [ValueReference], _ attributes: [String: Attribute] = [:]
  ) throws {
    value = try layer { try $0.add(op, inputs, attributes) }
  }

  private mutating func layer(
    _ body: (inout GraphBuilder) throws -> ValueReference
  ) throws -> ValueReference {
    layers += 1
    return try builder.scope("layer\(layers)", body)
  }
}
