/// Activation functions that spaces name.
public enum Activation: String, Sendable, CaseIterable {
  case none, relu, relu6, hswish, swish, hsigmoid, sigmoid
}

// Layers as several operators. Parameter names follow the published supernets' state dicts.
extension GraphBuilder {
  /// Convolution without bias unless asked. Padding defaults to `kernel / 2`.
  public mutating func convolution(
    _ value: ValueReference, out: Int, kernel: Int = 1, stride: Int = 1, groups: Int = 1,
    padding: Int? = nil, bias: Bool = false, name: String = "conv"
  ) throws -> ValueReference {
    guard groups > 0, channels(value) % groups == 0 else {
      throw ArchitecturesError(
        .invalidGraph,
        "\((path + [name]).joined(separator: ".")): \(channels(value)) channels "
          + "can't be split into \(groups) groups")
    }
    var inputs = [
      value, weight("\(name).weight", [out, channels(value) / groups, kernel, kernel]),
    ]
    if bias { inputs.append(weight("\(name).bias", [out])) }
    var attributes: [String: Attribute] = ["kernel_shape": .ints([kernel, kernel])]
    if stride != 1 { attributes["strides"] = .ints([stride, stride]) }
    if groups != 1 { attributes["group"] = .int(groups) }
    let padding = padding ?? kernel / 2
    if padding != 0 { attributes["pads"] = .ints([padding, padding, padding, padding]) }
    return try add("Conv", inputs, attributes, name: name)
  }

  public mutating func batchNorm(
    _ value: ValueReference, epsilon: Float = 1e-5, name: String = "bn"
  ) throws -> ValueReference {
    let parameters = ["weight", "bias", "running_mean", "running_var"].map {
      weight("\(name).\($0)", [channels(value)])
    }
    return try add(
      "BatchNormalization", [value] + parameters,
      epsilon == 1e-5 ? [:] : ["epsilon": .float(epsilon)], name: name)
  }

  public mutating func activate(_ value: ValueReference, _ activation: Activation) throws
    -> ValueReference
  {
    switch activation {
    case .none: return value
    case .relu: return try add("Relu", [value])
    case .relu6:
      let bounds = (constant("zero", scalar: 0), constant("six", scalar: 6))
      return try add("Clip", [value, bounds.0, bounds.1], name: "relu6")
    case .hswish: return try add("HardSwish", [value])
    case .hsigmoid: return try add("HardSigmoid", [value], ["alpha": .float(1 / 6)])
    case .sigmoid: return try add("Sigmoid", [value])
    case .swish:
      let gate = try add("Sigmoid", [value])
      return try add("Mul", [value, gate])
    }
  }

  /// Squeeze-and-excite (Hu et al. 2018) as MobileNetV3 has it: pool, reduce, relu, expand, gate.
  public mutating func squeezeExcite(_ value: ValueReference, mid: Int) throws -> ValueReference {
    let channels = channels(value)
    return try scope("se") { builder in
      let pooled = try builder.add("GlobalAveragePool", [value], name: "pool")
      let reduced = try builder.convolution(pooled, out: mid, bias: true, name: "fc.reduce")
      let expanded = try builder.convolution(
        try builder.activate(reduced, .relu), out: channels, bias: true, name: "fc.expand")
      return try builder.add(
        "Mul", [value, try builder.activate(expanded, .hsigmoid)], name: "gate")
    }
  }

  /// Channel shuffle (Zhang et al. 2018): `[N, g, C/g, H, W]` with the two channel axes swapped.
  public mutating func channelShuffle(_ value: ValueReference, groups: Int) throws -> ValueReference
  {
    guard let shape = graph.type(of: value).fixedShape, shape.count == 4, shape[1] % groups == 0
    else {
      throw ArchitecturesError(
        .invalidGraph, "\(path.joined(separator: ".")): channels can't be shuffled in \(groups)")
    }
    // A zero copies the batch axis, whatever its size.
    let split = constant("split", ints: [0, groups, shape[1] / groups, shape[2], shape[3]])
    let whole = constant("whole", ints: [0] + shape[1...])
    let grouped = try add("Reshape", [value, split], name: "shuffle.split")
    let swapped = try add(
      "Transpose", [grouped], ["perm": .ints([0, 2, 1, 3, 4])], name: "shuffle.swap")
    return try add("Reshape", [swapped, whole], name: "shuffle.join")
  }
}
