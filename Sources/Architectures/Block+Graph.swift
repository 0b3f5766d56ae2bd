extension Block {
  /// Appends the block's operators.
  /// - Throws: `invalidGraph` naming the block when it does not fit its operand.
  public func append(to builder: inout GraphBuilder, input: ValueReference) throws -> ValueReference
  {
    if name.text.isEmpty { return try body(&builder, input) }
    return try builder.scope(name.text) { try body(&$0, input) }
  }

  /// The block alone as a network: what is measured for a lookup table.
  public func graph(batch: Int = 1) throws -> OperatorGraph {
    var builder = GraphBuilder()
    let value = builder.input([batch] + input)
    builder.output(try append(to: &builder, input: value))
    return builder.graph
  }

  private func body(_ builder: inout GraphBuilder, _ input: ValueReference) throws -> ValueReference
  {
    switch kind {
    case .convolution:
      if isResidual {
        let value = try builder.scope("conv") { try activated(&$0, input) }
        return addsInput ? try builder.add("Add", [value, input]) : value
      }
      return try activated(&builder, input)
    case .mbconv:
      let value = try builder.scope("conv") {
        try mbconv(&$0, input)
      }
      return addsInput ? try builder.add("Add", [value, input]) : value
    case .linearBlock: return try linearBlock(&builder, input)
    case .bottleneck: return try bottleneck(&builder, input)
    case .reduction: return try reduction(&builder, input)
    case .maxPool, .averagePool:
      var attributes: [String: Attribute] = ["kernel_shape": .ints([kernel, kernel])]
      if stride != 1 { attributes["strides"] = .ints([stride, stride]) }
      let padding = kernel / 2
      if padding > 0 { attributes["pads"] = .ints([padding, padding, padding, padding]) }
      return try builder.add(
        kind == .maxPool ? "MaxPool" : "AveragePool", [input], attributes, name: "pool")
    case .globalPool: return try builder.add("GlobalAveragePool", [input], name: "global_pool")
    case .linear:
      let flat = try builder.add("Flatten", [input])
      let features = builder.channels(flat)
      let weight = builder.weight("linear.weight", [out, features])
      let bias = builder.weight("linear.bias", [out])
      return try builder.add("Gemm", [flat, weight, bias], ["transB": 1], name: "linear")
    case .normActivation:
      return try builder.activate(try builder.batchNorm(input, epsilon: epsilon), activation)
    case .identity: return input
    case .zero:
      let zero = builder.constant("zero", scalar: 0)
      return try builder.add("Mul", [input, zero], name: "zero")
    }
  }

  /// Convolution, normalisation and activation in the block's order.
  private func activated(_ builder: inout GraphBuilder, _ input: ValueReference) throws
    -> ValueReference
  {
    let value = isPreActivated ? try builder.activate(input, activation) : input
    let result = try convolution(&builder, value, out: out, kernel: kernel, stride: stride)
    return isPreActivated ? result : try builder.activate(result, activation)
  }

  /// Convolution with normalisation unless `hasNorm` is false.
  private func convolution(
    _ builder: inout GraphBuilder, _ input: ValueReference, out: Int, kernel: Int = 1,
    stride: Int = 1, groups: Int? = nil
  ) throws -> ValueReference {
    let value = try builder.convolution(
      input, out: out, kernel: kernel, stride: stride, groups: groups ?? self.groups, bias: hasBias)
    return hasNorm ? try builder.batchNorm(value, epsilon: epsilon) : value
  }

  /// The inverted residual without its shortcut. No expansion where `mid` equals the operand's
  /// channels and the ratio is one.
  private func mbconv(_ builder: inout GraphBuilder, _ input: ValueReference) throws
    -> ValueReference
  {
    var value = input
    if hasExpansion {
      value = try builder.scope("inverted_bottleneck") { builder in
        let value = try convolution(&builder, input, out: mid)
        return try builder.activate(value, activation)
      }
      if groups > 1 { value = try builder.channelShuffle(value, groups: groups) }
    }
    value = try builder.scope("depth_conv") { builder in
      var value = try convolution(
        &builder, value, out: mid, kernel: kernel, stride: stride, groups: mid)
      value = try builder.activate(value, activation)
      guard squeezeExcite else { return value }
      return try builder.squeezeExcite(value, mid: squeezed)
    }
    return try builder.scope("point_linear") { try convolution(&$0, value, out: out) }
  }

  private func linearBlock(_ builder: inout GraphBuilder, _ input: ValueReference) throws
    -> ValueReference
  {
    var value = try builder.scope("expand") { builder in
      try convolution(&builder, input, out: mid, kernel: kernel, stride: stride)
    }
    value = try builder.scope("project") { try convolution(&$0, value, out: out) }
    if addsInput { value = try builder.add("Add", [value, input]) }
    return try builder.activate(value, activation)
  }

  private func bottleneck(_ builder: inout GraphBuilder, _ input: ValueReference) throws
    -> ValueReference
  {
    var value = try builder.scope("conv1") { builder in
      try builder.activate(try convolution(&builder, input, out: mid), activation)
    }
    value = try builder.scope("conv2") { builder in
      let value = try convolution(&builder, value, out: mid, kernel: kernel, stride: stride)
      return try builder.activate(value, activation)
    }
    value = try builder.scope("conv3") { try convolution(&$0, value, out: out) }
    var shortcut = input
    if hasDownsample {
      shortcut = try builder.scope("downsample") { builder in
        if stride != 1 {
          shortcut = try builder.add(
            "AveragePool", [input],
            [
              "kernel_shape": .ints([stride, stride]), "strides": .ints([stride, stride]),
              "ceil_mode": 1,
            ], name: "pool")
        }
        return try convolution(&builder, shortcut, out: out)
      }
    }
    return try builder.activate(try builder.add("Add", [value, shortcut]), activation)
  }

  private func reduction(_ builder: inout GraphBuilder, _ input: ValueReference) throws
    -> ValueReference
  {
    var value = try builder.scope("conv_a") { builder in
      try convolution(
        &builder, try builder.activate(input, activation), out: out, kernel: 3, stride: stride)
    }
    value = try builder.scope("conv_b") { builder in
      try convolution(&builder, try builder.activate(value, activation), out: out, kernel: 3)
    }
    let shortcut = try builder.scope("downsample") { builder in
      let pooled = try builder.add(
        "AveragePool", [input],
        ["kernel_shape": .ints([stride, stride]), "strides": .ints([stride, stride])], name: "pool")
      return try builder.convolution(pooled, out: out)
    }
    return try builder.add("Add", [value, shortcut])
  }
}

extension Block {
  /// What a lookup table that this project measures calls the block: the canonical text of the
  /// block alone, on one line. Blocks with equal operators and shapes have equal keys.
  public func tableKey() throws -> String {
    try graph().text.split(separator: "\n").joined(separator: "; ")
  }
}

extension SearchSpace {
  /// Every distinct block that architectures of the space can hold, in slot order, with its key:
  /// what a lookup table has to price. Blocks without operators are left out.
  public func distinctBlocks() throws -> [(key: String, block: Block)] {
    var blocks: [(key: String, block: Block)] = []
    var seen = Set<String>()
    _ = try SeparableCost(space: self) { block in
      guard block.kind != .identity else { return .cost(0) }
      let key = try block.tableKey()
      if seen.insert(key).inserted { blocks.append((key, block)) }
      return .cost(0)
    }
    return blocks
  }
}
