// Shapes as values, recurrent layers, control flow.
extension ShapeInference {
  static let otherRules: [(String, Rule)] = [
    (
      "Shape",
      { use in
        guard let rank = use.shape(0)?.count else { return [TensorType([.unknown], .int64)] }
        let start = clamp(use.attributes.int("start") ?? 0, rank)
        let end = clamp(use.attributes.int("end") ?? rank, rank)
        return [TensorType([max(0, end - start)], .int64)]
      }
    ),
    ("Size", { _ in [TensorType([Int](), .int64)] }),
    ("ConstantOfShape", constantOfShape),
    ("Range", range),
    ("RandomNormal RandomUniform", random),
    ("RNN GRU LSTM", recurrent),
    ("If", conditional),
    ("Loop", loop),
    (
      "GridSample",
      { use in
        guard let type = use.type(0), let shape = type.shape, let grid = use.shape(1),
          shape.count == grid.count, shape.count >= 3
        else { return nil }
        let result = Array(shape[..<2]) + grid[1..<(grid.count - 1)]
        return [TensorType(result, type.elementType)]
      }
    ),
  ]

  private static func clamp(_ position: Int, _ count: Int) -> Int {
    min(max(position < 0 ? position &+ count : position, 0), count)
  }

  private static let constantOfShape: Rule = { use in
    var element = ElementType.float32
    if case .tensor(let type, _)? = use.attributes["value"] { element = type.elementType }
    if let target = use.ints(0) {
      guard target.allSatisfy({ $0 >= 0 }) else { throw use.mismatch("shape \(target.prefix(16))") }
      return [TensorType(target, element)]
    }
    guard let rank = use.shape(0)?.first?.value, rank <= 64 else {
      return [TensorType(nil, element)]
    }
    return [TensorType(Array(repeating: Dimension.unknown, count: rank), element)]
  }

  private static let range: Rule = { use in
    guard let element = use.type(0)?.elementType else { return nil }
    if let start = use.ints(0)?.first, let end = use.ints(1)?.first, let step = use.ints(2)?.first,
      step != 0
    {
      let span = try step > 0 ? use.difference(end, start) : use.difference(start, end)
      let count = span <= 0 ? 0 : (UInt(span) - 1) / step.magnitude + 1
      return [TensorType([Int(count)], element)]
    }
    if let start = use.floats(0)?.first, let end = use.floats(1)?.first,
      let step = use.floats(2)?.first
    {
      let count = ((end - start) / step).rounded(.up)
      if count.isFinite, count < 0x1p62 { return [TensorType([Int(max(0, count))], element)] }
    }
    return [TensorType([.unknown], element)]
  }

  private static let random: Rule = { use in
    guard let shape = use.attributes.ints("shape"), shape.allSatisfy({ $0 >= 0 }) else {
      return nil
    }
    return ElementType(onnx: use.attributes.int("dtype") ?? 1).map { [TensorType(shape, $0)] }
  }

  private static let recurrent: Rule = { use in
    guard let type = use.type(0), let shape = type.shape, shape.count == 3 else { return nil }
    let hidden: Dimension
    if let stated = use.attributes.int("hidden_size") {
      guard stated > 0 else { throw use.mismatch("hidden_size \(stated)") }
      hidden = .fixed(stated)
    } else {
      hidden = use.shape(2).flatMap { $0.count == 3 ? $0[2] : nil } ?? .unknown
    }
    let directions: Dimension = use.attributes.string("direction") == "bidirectional" ? 2 : 1
    let batchFirst = use.attributes.int("layout") == 1
    let (steps, batch) = batchFirst ? (shape[1], shape[0]) : (shape[0], shape[1])
    let state =
      batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
    return [
      TensorType(
        batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden],
        type.elementType),
      TensorType(state, type.elementType), TensorType(state, type.elementType),
    ]
  }

  /// What both branches agree on.
  private static let conditional: Rule = { use in
    guard case .graph(let yes)? = use.attributes["then_branch"],
      case .graph(let no)? = use.attributes["else_branch"]
    else { return nil }
    guard yes.outputs.count == no.outputs.count else {
      throw use.mismatch("the branches have \(yes.outputs.count) and \(no.outputs.count) results")
    }
    return zip(yes.outputs, no.outputs).map { first, second in
      common(yes.type(of: first), no.type(of: second))
    }
  }

  private static func common(_ a: TensorType, _ b: TensorType) -> TensorType {
    guard a.elementType == b.elementType else { return TensorType(nil, .other("unknown")) }
    guard let left = a.shape, let right = b.shape, left.count == right.count else {
      return TensorType(nil, a.elementType)
    }
    return TensorType(zip(left, right).map { $0 == $1 ? $0 : .unknown }, a.elementType)
  }

  /// Values carried from round to round may change their shape; what each round yields is stacked.
  private static let loop: Rule = { use in
    guard case .graph(let body)? = use.attributes["body"], !body.outputs.isEmpty else {
      return nil
    }
    let carried = max(0, use.operands.count - 2)
    return body.outputs.dropFirst().enumerated().map { position, reference in
      let type = body.type(of: reference)
      if position < carried { return TensorType(nil, type.elementType) }
      return TensorType(type.shape.map { [.unknown] + $0 }, type.elementType)
    }
  }
}
