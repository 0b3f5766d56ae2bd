// Operators that work element by element.
extension ShapeInference {
  static let elementwiseRules: [(String, Rule)] = [
    (
      """
      Relu Clip HardSwish HardSigmoid Sigmoid Tanh LeakyRelu Elu Selu Softplus Softsign Erf Exp \
      Log Sqrt Neg Abs Reciprocal Floor Ceil Round Softmax LogSoftmax Hardmax Identity \
      InstanceNormalization LayerNormalization GroupNormalization RMSNormalization LRN Gelu Mish \
      Swish PRelu Celu Sign ThresholdedRelu LpNormalization MeanVarianceNormalization Shrink Sin \
      Cos Tan Asin Acos Atan Sinh Cosh Tanh Asinh Acosh Atanh BitwiseNot CumSum CumProd Trilu \
      ScatterElements ScatterND Scatter ReverseSequence Dropout
      """, { $0.type(0).map { [$0] } }
    ),
    ("BatchNormalization", batchNormalization),
    (
      "Add Sub Mul Div Pow Max Min Sum Mean Mod BitShift BitwiseAnd BitwiseOr BitwiseXor",
      broadcast
    ),
    (
      "Equal Less Greater LessOrEqual GreaterOrEqual And Or Xor",
      { try broadcast($0)?.map { TensorType($0.shape, .bool) } }
    ),
    ("Not IsInf IsNaN", { $0.type(0).map { [TensorType($0.shape, .bool)] } }),
    (
      "Where",
      { use in
        guard let type = use.type(1), let shapes = try broadcast(use) else { return nil }
        return shapes.map { TensorType($0.shape, type.elementType) }
      }
    ),
    ("Cast BitCast", cast),
    (
      "CastLike",
      { use in
        guard let type = use.type(0), let like = use.type(1) else { return nil }
        return [TensorType(type.shape, like.elementType)]
      }
    ),
    ("EyeLike RandomNormalLike RandomUniformLike Bernoulli", like),
    (
      "QuantizeLinear",
      { use in
        guard let type = use.type(0) else { return nil }
        if let zero = use.type(2) { return [TensorType(type.shape, zero.elementType)] }
        let code = use.attributes.int("output_dtype").flatMap { $0 == 0 ? nil : $0 }
        return [TensorType(type.shape, code.flatMap(ElementType.init(onnx:)) ?? .uint8)]
      }
    ),
    (
      "DequantizeLinear",
      { use in
        guard let type = use.type(0), let scale = use.type(1) else { return nil }
        let code = use.attributes.int("output_dtype").flatMap { $0 == 0 ? nil : $0 }
        return [
          TensorType(type.shape, code.flatMap(ElementType.init(onnx:)) ?? scale.elementType)
        ]
      }
    ),
    (
      "DynamicQuantizeLinear",
      { use in
        guard let type = use.type(0) else { return nil }
        return [
          TensorType(type.shape, .uint8), TensorType([Int](), .float32),
          TensorType([Int](), .uint8),
        ]
      }
    ),
  ]

  private static let batchNormalization: Rule = { use in
    guard let type = use.type(0) else { return nil }
    guard let shape = type.shape, use.outputCount > 1 else { return [type] }
    // In training, and in old operator sets, the statistics are results too.
    let statistics = use.type(3) ?? TensorType(shape.count > 1 ? [shape[1]] : nil)
    return [type] + Array(repeating: statistics, count: min(4, use.outputCount - 1))
  }

  private static let cast: Rule = { use in
    guard let type = use.type(0), let code = use.attributes.int("to"),
      let element = ElementType(onnx: code)
    else { return nil }
    if use.op == "BitCast", element.byteCount != type.elementType.byteCount { return nil }
    return [TensorType(type.shape, element)]
  }

  private static let like: Rule = { use in
    guard let type = use.type(0) else { return nil }
    guard let code = use.attributes.int("dtype") else { return [type] }
    return ElementType(onnx: code).map { [TensorType(type.shape, $0)] }
  }

  static let broadcast: Rule = { use in
    // Before operator set 7 the second operand's shape fitted somewhere into the first's.
    if use.attributes["broadcast"] != nil { return use.type(0).map { [$0] } }
    guard let element = use.type(0)?.elementType,
      let shape = try broadcast(use, use.operands.map { $0?.type.shape })
    else { return nil }
    return [TensorType(shape, element)]
  }

  /// The shape that all `shapes` stretch to; `nil` when one has no known rank.
  static func broadcast(_ use: Application, _ shapes: [[Dimension]?]) throws -> [Dimension]? {
    guard var result = shapes.first ?? nil else { return nil }
    for other in shapes.dropFirst() {
      guard let other else { return nil }
      if other == result { continue }
      let shift = result.count - other.count
      if shift < 0 { result.insert(contentsOf: repeatElement(1, count: -shift), at: 0) }
      for (axis, size) in other.enumerated() {
        let position = axis + max(0, shift)
        if result[position] == size { continue }
        switch (result[position], size) {
        case (.fixed(1), let value), (let value, .fixed(1)): result[position] = value
        case (.fixed, .fixed): throw use.mismatch("shapes do not broadcast")
        case (.fixed(let value), _), (_, .fixed(let value)): result[position] = .fixed(value)
        default: result[position] = .unknown
        }
      }
    }
    return result
  }
}
