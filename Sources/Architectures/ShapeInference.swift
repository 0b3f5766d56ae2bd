/// Types of an operator's results from its operands, for the operators of convolutional networks.
///
/// Source: the operator definitions of ONNX. An operator that is not known here has unknown
/// results, which is not an error: the type then comes from the file or the text.
public enum ShapeInference {
  /// Operands as inference sees them: type, and content where it is a constant.
  public struct Operand: Sendable {
    public var type: TensorType
    public var constant: ConstantContent?
    public init(type: TensorType, constant: ConstantContent? = nil) {
      self.type = type
      self.constant = constant
    }
  }

  /// The types of `node`'s results, or `nil` when they can't be told.
  ///
  /// - Throws: `invalidGraph` naming operator and shapes when the operands can't fit.
  public static func outputs(of node: Node, in graph: OperatorGraph) throws -> [TensorType]? {
    try outputs(
      of: node,
      operands: node.inputs.map { reference in
        reference.map { reference in
          if case .parameter(let index) = reference {
            return Operand(
              type: graph.parameters[index].type, constant: graph.parameters[index].constant)
          }
          return Operand(type: graph.type(of: reference))
        }
      }, outputCount: max(1, node.outputs.count))
  }

  /// The types of the first `outputCount` results of `node` on `operands`, or `nil` when they
  /// can't be told; the node's own operands and results are not looked at.
  ///
  /// - Throws: `invalidGraph` naming operator and shapes when the operands can't fit.
  public static func outputs(
    of node: Node, operands: [Operand?], outputCount: Int
  ) throws -> [TensorType]? {
    try outputs(
      op: node.domain.isEmpty || node.domain == "ai.onnx" ? node.op : "",
      attributes: node.attributes, operands: operands)
  }

  static func outputs(
    op: String, attributes: [String: Attribute], operands: [Operand?]
  ) throws -> [TensorType]? {
    guard let first = operands.first ?? nil else { return nil }
    let type = first.type
    switch op {
    case "Relu", "Clip", "HardSwish", "HardSigmoid", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Selu",
      "Softplus", "Softsign", "Erf", "Exp", "Log", "Sqrt", "Neg", "Abs", "Reciprocal", "Floor",
      "Ceil", "Round", "Softmax", "LogSoftmax", "Identity", "BatchNormalization",
      "InstanceNormalization", "LayerNormalization", "LRN", "Gelu", "Mish", "PRelu", "Celu",
      "Sign", "ThresholdedRelu", "LpNormalization":
      return [type]
    case "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean":
      return try broadcast(op, operands.compactMap { $0?.type })
    case "Conv":
      return try convolution(attributes, operands)
    case "MaxPool", "AveragePool", "LpPool":
      return try pool(op, attributes, type)
    case "GlobalAveragePool", "GlobalMaxPool":
      guard let shape = type.shape, shape.count >= 2 else { return nil }
      return [
        TensorType(Array(shape[..<2]) + shape[2...].map { _ in .fixed(1) }, type.elementType)
      ]
    case "Gemm":
      return try gemm(attributes, operands)
    case "MatMul":
      return try matMul(operands)
    case "Flatten":
      return flatten(attributes, type)
    case "Reshape":
      return try reshape(attributes, operands)
    case "Transpose":
      return try transpose(attributes, type)
    case "Concat":
      return try concat(attributes, operands.compactMap { $0?.type })
    case "Squeeze", "Unsqueeze":
      return try squeeze(op, attributes, operands)
    case "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin":
      return try reduce(attributes, operands)
    default:
      return nil
    }
  }

  static func mismatch(_ op: String, _ types: [TensorType], _ why: String) -> ArchitecturesError {
    let shapes = types.map { TextShape.text($0) }.joined(separator: ", ")
    return ArchitecturesError(.invalidGraph, "\(op)(\(shapes)): \(why)")
  }

  static func broadcast(_ op: String, _ types: [TensorType]) throws -> [TensorType]? {
    guard var result = types.first?.shape else { return nil }
    for type in types.dropFirst() {
      guard var other = type.shape else { return nil }
      let rank = max(result.count, other.count)
      result = Array(repeating: 1, count: rank - result.count) + result
      other = Array(repeating: 1, count: rank - other.count) + other
      for axis in 0..<rank where result[axis] != other[axis] {
        switch (result[axis], other[axis]) {
        case (.fixed(1), let value), (let value, .fixed(1)): result[axis] = value
        case (.fixed, .fixed): throw mismatch(op, types, "shapes do not broadcast")
        case (.fixed(let value), _), (_, .fixed(let value)): result[axis] = .fixed(value)
        default: result[axis] = .unknown
        }
      }
    }
    return [TensorType(result, types[0].elementType)]
  }

  static func convolution(_ attributes: [String: Attribute], _ operands: [Operand?]) throws
    -> [TensorType]?
  {
    guard let input = operands[0]?.type, operands.count > 1, let weight = operands[1]?.type,
      let shape = input.shape, let filter = weight.fixedShape
    else { return nil }
    guard shape.count >= 3, filter.count == shape.count else {
      throw mismatch("Conv", [input, weight], "input and weight need the same rank, 3 or more")
    }
    let group = attributes.int("group") ?? 1
    guard group > 0, filter[0] % group == 0 else {
      throw mismatch("Conv", [input, weight], "\(filter[0]) filters in \(group) groups")
    }
    if let channels = shape[1].value,
      filter[1].multipliedReportingOverflow(by: group) != (channels, false)
    {
      throw mismatch(
        "Conv", [input, weight], "\(channels) channels in \(group) groups of \(filter[1])")
    }
    let spatial = try window(
      "Conv", attributes, shape, kernel: attributes.ints("kernel_shape") ?? Array(filter[2...]))
    return [TensorType([shape[0], .fixed(filter[0])] + spatial, input.elementType)]
  }

  static func pool(_ op: String, _ attributes: [String: Attribute], _ input: TensorType) throws
    -> [TensorType]?
  {
    guard let shape = input.shape, shape.count >= 3 else { return nil }
    guard let kernel = attributes.ints("kernel_shape") else {
      throw mismatch(op, [input], "kernel_shape is missing")
    }
    return [
      TensorType(shape[..<2] + (try window(op, attributes, shape, kernel: kernel)), input.elementType)
    ]
  }

  /// Spatial axes after a sliding window.
  static func window(
    _ op: String, _ attributes: [String: Attribute], _ shape: [Dimension], kernel: [Int]
  ) throws -> [Dimension] {
    let rank = shape.count - 2
    let type = TensorType(shape)
    let strides = attributes.ints("strides") ?? Array(repeating: 1, count: rank)
    let dilations = attributes.ints("dilations") ?? Array(repeating: 1, count: rank)
    let pads = attributes.ints("pads") ?? Array(repeating: 0, count: 2 * rank)
    guard kernel.count == rank, strides.count == rank, dilations.count == rank,
      pads.count == 2 * rank, strides.allSatisfy({ $0 > 0 }), kernel.allSatisfy({ $0 > 0 }),
      dilations.allSatisfy({ $0 > 0 })
    else { throw mismatch(op, [type], "kernel_shape, strides, dilations or pads do not fit") }
    let automatic = attributes.string("auto_pad") ?? "NOTSET"
    let ceiling = attributes.int("ceil_mode") == 1
    return try (0..<rank).map { axis in
      guard let size = shape[axis + 2].value else { return .unknown }
      if automatic.hasPrefix("SAME") { return .fixed((size - 1) / strides[axis] + 1) }
      let (reach, overflow) = (kernel[axis] - 1).multipliedReportingOverflow(by: dilations[axis])
      let padding = automatic == "VALID" ? 0 : pads[axis].addingReportingOverflow(pads[axis + rank]).0
      guard !overflow, let span = exactly(size, plus: padding, minus: reach), span >= 1 else {
        throw mismatch(op, [type], "the window is larger than the padded input")
      }
      var steps = (span - 1) / strides[axis]
      // A last partial window counts in ceiling mode unless it starts in the padding.
      if ceiling, (span - 1) % strides[axis] != 0,
        (steps + 1) * strides[axis] < size + pads[axis]
      {
        steps += 1
      }
      return .fixed(steps + 1)
    }
  }

  private static func exactly(_ size: Int, plus: Int, minus: Int) -> Int? {
    let (sum, first) = size.addingReportingOverflow(plus)
    let (rest, second) = sum.subtractingReportingOverflow(minus)
    return first || second ? nil : rest
  }
}

extension [String: Attribute] {
  public func int(_ name: String) -> Int? {
    if case .int(let value)? = self[name] { return value }
    return nil
  }
  public func ints(_ name: String) -> [Int]? {
    if case .ints(let value)? = self[name] { return value }
    return nil
  }
  public func string(_ name: String) -> String? {
    if case .string(let value)? = self[name] { return value }
    return nil
  }
  public func float(_ name: String) -> Float? {
    if case .float(let value)? = self[name] { return value }
    return nil
  }
}
