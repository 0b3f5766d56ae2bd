import Architectures

/// Computes the integers and booleans that exporters compute shapes with, such as
/// `Shape -> Gather -> Unsqueeze -> Concat -> Reshape`, where all of them are known.
enum ConstantFolding {
  typealias Operand = ShapeInference.Operand

  /// The result of a node with one result; `nil` where it isn't known or isn't a small tensor of
  /// integers or booleans.
  static func result(
    _ op: String, _ attributes: [String: Attribute], _ operands: [Operand?]
  ) -> (type: TensorType, values: [Int])? {
    guard operands.count <= ONNXLimits.constantElements, let first = operands.first ?? nil else {
      return nil
    }
    switch op {
    case "Shape":
      guard let shape = first.type.fixedShape else { return nil }
      let start = position(attributes.int("start") ?? 0, shape.count)
      let end = position(attributes.int("end") ?? shape.count, shape.count)
      return vector(start < end ? Array(shape[start..<end]) : [])
    case "Size":
      guard let count = first.type.elementCount else { return nil }
      return (TensorType([Int](), .int64), [count])
    case "Cast":
      return cast(attributes, first)
    default: break
    }
    var contents: [[Int]] = []
    for operand in operands {
      guard case .ints(let values)? = operand?.constant else { return nil }
      contents.append(values)
    }
    switch op {
    case "Unsqueeze", "Squeeze", "Reshape", "Flatten":
      guard let type = inferred(op, attributes, operands), type.elementCount == contents[0].count
      else { return nil }
      return (type, contents[0])
    case "Expand":
      guard let type = inferred(op, attributes, operands), let shape = smallShape(type) else {
        return nil
      }
      return (type, stretched(contents[0], first.type.fixedShape ?? [], to: shape))
    case "Gather":
      return gather(attributes, operands.compactMap { $0 }, contents)
    case "Slice":
      return slice(attributes, first.type, contents)
    case "Concat":
      guard operands.allSatisfy({ $0?.type.shape?.count == 1 }),
        [0, -1].contains(attributes.int("axis"))
      else { return nil }
      return vector(Array(contents.joined()), first.type.elementType)
    case "Range":
      guard contents.count == 3, let start = contents[0].first, let end = contents[1].first,
        let step = contents[2].first, step != 0,
        start.magnitude < 1 << 32, end.magnitude < 1 << 32,
        (end - start).magnitude / step.magnitude < ONNXLimits.constantElements
      else { return nil }
      return vector(Array(stride(from: start, to: end, by: step)), first.type.elementType)
    case "ReduceProd":
      guard first.type.shape?.count == 1, operands.count == 1 else { return nil }
      var product = 1
      for value in contents[0] {
        let (next, overflow) = product.multipliedReportingOverflow(by: value)
        if overflow { return nil }
        product = next
      }
      let keep = attributes.int("keepdims") ?? 1
      return (TensorType(keep == 1 ? [1] : [Int](), first.type.elementType), [product])
    default:
      return elementwise(op, attributes, operands, contents)
    }
  }

  private static func vector(
    _ values: [Int], _ type: ElementType = .int64
  ) -> (type: TensorType, values: [Int])? {
    guard values.count <= ONNXLimits.constantElements else { return nil }
    return (TensorType([values.count], type), values)
  }

  private static func cast(
    _ attributes: [String: Attribute], _ operand: Operand
  ) -> (type: TensorType, values: [Int])? {
    guard case .ints(let values)? = operand.constant, operand.type.elementType != .uint64,
      let type = attributes.int("to").flatMap(ElementType.init(onnx:))
    else { return nil }
    return (
      TensorType(operand.type.shape, type),
      type == .bool ? values.map { $0 == 0 ? 0 : 1 } : values
    )
  }

  private static func gather(
    _ attributes: [String: Attribute], _ operands: [Operand], _ contents: [[Int]]
  ) -> (type: TensorType, values: [Int])? {
    guard contents.count == 2, operands[0].type.shape?.count == 1,
      let shape = operands[1].type.fixedShape, shape.count <= 1
    else { return nil }
    var values: [Int] = []
    for index in contents[1] {
      let index = index < 0 ? index + contents[0].count : index
      guard contents[0].indices.contains(index) else { return nil }
      values.append(contents[0][index])
    }
    return (TensorType(shape, operands[0].type.elementType), values)
  }

  private static func slice(
    _ attributes: [String: Attribute], _ type: TensorType, _ contents: [[Int]]
  ) -> (type: TensorType, values: [Int])? {
    guard type.shape?.count == 1 else { return nil }
    let starts = attributes.ints("starts") ?? (contents.count > 1 ? contents[1] : [])
    let ends = attributes.ints("ends") ?? (contents.count > 2 ? contents[2] : [])
    let step = contents.count > 4 ? contents[4].first ?? 1 : 1
    guard starts.count == 1, ends.count == 1, step == 1 else { return nil }
    let count = contents[0].count
    let (start, end) = (position(starts[0], count), position(ends[0], count))
    return vector(start < end ? Array(contents[0][start..<end]) : [], type.elementType)
  }

  /// Operators that work element by element, on operands stretched to one shape.
  private static func elementwise(
    _ op: String, _ attributes: [String: Attribute], _ operands: [Operand?], _ contents: [[Int]]
  ) -> (type: TensorType, values: [Int])? {
    let types = operands.compactMap { $0?.type }
    // Before operator set 7 the second operand's shape fitted somewhere into the first's.
    guard attributes["broadcast"] == nil, accepts(op, types.map(\.elementType)),
      let type = inferred(op, attributes, operands), let shape = smallShape(type)
    else { return nil }
    let parts = zip(contents, types).map { stretched($0, $1.fixedShape ?? [], to: shape) }
    if op == "Not" { return (type, parts[0].map { 1 - $0 }) }
    if op == "Where" {
      return (type, parts[0].indices.map { parts[parts[0][$0] != 0 ? 1 : 2][$0] })
    }
    guard let combine = operation(op, attributes) else { return nil }
    var values: [Int] = []
    values.reserveCapacity(parts[0].count)
    for (x, y) in zip(parts[0], parts[1]) {
      guard let value = combine(x, y) else { return nil }
      values.append(value)
    }
    return (type, values)
  }

  /// Whether an element-by-element operator takes operands of these types.
  private static func accepts(_ op: String, _ types: [ElementType]) -> Bool {
    switch op {
    case "Not": types == [.bool]
    case "And", "Or": types == [.bool, .bool]
    case "Where": types.count == 3 && types[0] == .bool && types[1] == types[2]
    case "Equal": types.count == 2 && types[0] == types[1] && types[0] != .uint64
    default: types == [.int64, .int64] || types == [.int32, .int32]
    }
  }

  /// What an operator of two operands makes of an element of each; `nil` where it has no result.
  private static func operation(
    _ op: String, _ attributes: [String: Attribute]
  ) -> ((Int, Int) -> Int?)? {
    func exact(_ result: (partialValue: Int, overflow: Bool)) -> Int? {
      result.overflow ? nil : result.partialValue
    }
    switch op {
    case "Add": return { exact($0.addingReportingOverflow($1)) }
    case "Sub": return { exact($0.subtractingReportingOverflow($1)) }
    case "Mul": return { exact($0.multipliedReportingOverflow(by: $1)) }
    case "Div": return { exact($0.dividedReportingOverflow(by: $1)) }
    case "Mod":
      // The sign is the divisor's; with `fmod` the dividend's.
      let isTruncated = attributes.int("fmod") == 1
      return { x, y in
        guard let rest = exact(x.remainderReportingOverflow(dividingBy: y)) else { return nil }
        return isTruncated || rest == 0 || (rest < 0) == (y < 0) ? rest : rest + y
      }
    case "Min": return { min($0, $1) }
    case "Max": return { max($0, $1) }
    case "Equal": return { $0 == $1 ? 1 : 0 }
    case "Less": return { $0 < $1 ? 1 : 0 }
    case "LessOrEqual": return { $0 <= $1 ? 1 : 0 }
    case "Greater": return { $0 > $1 ? 1 : 0 }
    case "GreaterOrEqual": return { $0 >= $1 ? 1 : 0 }
    case "And": return { $0 & $1 }
    case "Or": return { $0 | $1 }
    default: return nil
    }
  }

  /// The type that follows from the operands; `nil` where none of a usual rank does.
  private static func inferred(
    _ op: String, _ attributes: [String: Attribute], _ operands: [Operand?]
  ) -> TensorType? {
    let types = try? ShapeInference.outputs(
      of: Node(op, inputs: [], attributes: attributes), operands: operands, outputCount: 1)
    guard let type = types?.first, let rank = type.shape?.count, rank <= ONNXLimits.rank else {
      return nil
    }
    return type
  }

  private static func smallShape(_ type: TensorType) -> [Int]? {
    guard let count = type.elementCount, count <= ONNXLimits.constantElements else { return nil }
    return type.fixedShape
  }

  /// The elements of a tensor of `shape`, repeated along the axes in which `target` is longer.
  private static func stretched(_ values: [Int], _ shape: [Int], to target: [Int]) -> [Int] {
    guard !target.contains(0) else { return [] }
    var result = values
    // Elements of the axes that are done: the last ones.
    var block = 1
    for (axis, size) in target.enumerated().reversed() {
      let own = axis - (target.count - shape.count)
      if size != (own < 0 ? 1 : shape[own]) {
        let source = result
        result = stride(from: 0, to: source.count, by: block).flatMap { start in
          repeatElement(source[start..<start + block], count: size).joined()
        }
      }
      block *= size
    }
    return result
  }

  /// A position counted from either end, inside `0...count`.
  private static func position(_ position: Int, _ count: Int) -> Int {
    min(max(position < 0 ? position &+ count : position, 0), count)
  }
}

extension GraphReader {
  /// The result of `node` where it is known without running the network.
  ///
  /// `ConstantOfShape` is folded whatever its element type: it stands for a constant.
  func fold(
    _ node: StoredNode, _ attributes: [String: Attribute], _ operands: [GraphScope.Found?]
  ) throws -> StoredTensor? {
    guard node.domain.isEmpty, node.outputs.count == 1 else { return nil }
    if node.op == "ConstantOfShape" { return try filled(node, attributes, operands) }
    guard Self.foldable.contains(node.op),
      let (type, values) = ConstantFolding.result(
        node.op, attributes, operands.map { $0?.operand })
    else { return nil }
    return StoredTensor(values, type)
  }

  private static let foldable: Set<String> = [
    "Shape", "Size", "Cast", "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Expand", "Gather",
    "Slice", "Concat", "Range", "ReduceProd", "Add", "Sub", "Mul", "Div", "Mod", "Min", "Max",
    "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Not", "Where",
  ]

  private func filled(
    _ node: StoredNode, _ attributes: [String: Attribute], _ operands: [GraphScope.Found?]
  ) throws -> StoredTensor? {
    guard let operand = operands.first ?? nil, case .ints(let shape)? = operand.constant else {
      return nil
    }
    var tensor = StoredTensor(storage: .filled([0, 0, 0, 0]))
    tensor.shape = shape
    guard shape.allSatisfy({ $0 >= 0 }), shape.count <= ONNXLimits.rank,
      let count = tensor.type.elementCount
    else { throw node.error(.invalidGraph, "makes the impossible shape \(shape)") }
    tensor.elementCount = count
    for case .tensor(let message) in node.attributes.map(\.value) {
      var budget = ItemBudget()
      let value = try StoredTensor(message, budget: &budget)
      guard value.elementCount == 1, let bytes = try value.bytes(in: file), !bytes.isEmpty else {
        return nil
      }
      tensor.elementType = value.elementType
      tensor.storage = .filled(bytes)
    }
    return tensor
  }
}

extension StoredTensor {
  /// A small tensor (int64, int32 or bool) with this content; `nil` where that doesn't fit.
  init?(_ values: [Int], _ type: TensorType) {
    guard let shape = type.fixedShape, let count = type.elementCount, count == values.count else {
      return nil
    }
    let width: Int
    switch type.elementType {
    case .int64: width = 8
    case .int32 where values.allSatisfy({ Int32(exactly: $0) != nil }): width = 4
    case .bool: width = 1
    default: return nil
    }
    let bytes = values.flatMap { value in
      (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    self.init(
      elementType: type.elementType, shape: shape, elementCount: count, storage: .bytes(bytes))
  }

  /// The tensor that a `Constant` node states as a plain attribute.
  init?(_ attribute: Attribute) {
    switch attribute {
    case .int(let value): self.init([value], TensorType([Int](), .int64))
    case .ints(let values): self.init(values, TensorType([values.count], .int64))
    case .float(let value): self.init(floats: [value], shape: [])
    case .floats(let values): self.init(floats: values, shape: [values.count])
    default: return nil
    }
  }

  private init(floats: [Float], shape: [Int]) {
    let bytes = floats.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
    self.init(shape: shape, elementCount: floats.count, storage: .bytes(bytes))
  }
}
