import Architectures

/// Computes the integers that exporters compute shapes with, such as
/// `Shape -> Gather -> Unsqueeze -> Concat -> Reshape`, where all of them are known.
enum ConstantFolding {
  typealias Operand = ShapeInference.Operand

  /// The result of a node with one result; `nil` where it isn't known or isn't a small integer
  /// tensor.
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
      guard let operand else { return nil }
      guard case .ints(let values)? = operand.constant, operand.type.elementType != .bool else {
        return nil
      }
      contents.append(values)
    }
    switch op {
    case "Unsqueeze", "Squeeze", "Reshape", "Flatten":
      let inferred = try? ShapeInference.outputs(
        of: Node(op, inputs: [], attributes: attributes), operands: operands, outputCount: 1)
      guard let type = inferred?.first, type.elementCount == contents[0].count else { return nil }
      return (type, contents[0])
    case "Gather":
      return gather(attributes, operands.compactMap { $0 }, contents)
    case "Slice":
      return slice(attributes, first.type, contents)
    case "Concat":
      guard operands.allSatisfy({ $0?.type.shape?.count == 1 }),
        [0, -1].contains(attributes.int("axis"))
      else { return nil }
      return vector(Array(contents.joined()), first.type.elementType)
    case "Add", "Sub", "Mul", "Div":
      return arithmetic(op, operands.compactMap { $0 }, contents)
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
      return nil
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
    guard case .ints(let values)? = operand.constant, let code = attributes.int("to"),
      let type = ElementType(onnx: code)
    else { return nil }
    let fits: Bool
    switch type {
    case .int64: fits = operand.type.elementType != .uint64
    case .int32: fits = values.allSatisfy { Int32(exactly: $0) != nil }
    default: fits = false
    }
    return fits ? (TensorType(operand.type.shape, type), values) : nil
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

  private static func arithmetic(
    _ op: String, _ operands: [Operand], _ contents: [[Int]]
  ) -> (type: TensorType, values: [Int])? {
    guard contents.count == 2, operands.allSatisfy({ ($0.type.shape?.count ?? 2) <= 1 }),
      operands[0].type.elementType == operands[1].type.elementType,
      operands[0].type.elementType == .int64
    else { return nil }
    let (a, b) = (contents[0], contents[1])
    guard a.count == b.count || a.count == 1 || b.count == 1, !a.isEmpty, !b.isEmpty else {
      return nil
    }
    var values: [Int] = []
    for index in 0..<max(a.count, b.count) {
      let (x, y) = (a[a.count == 1 ? 0 : index], b[b.count == 1 ? 0 : index])
      let (value, overflow) =
        switch op {
        case "Add": x.addingReportingOverflow(y)
        case "Sub": x.subtractingReportingOverflow(y)
        case "Mul": x.multipliedReportingOverflow(by: y)
        default: x.dividedReportingOverflow(by: y)
        }
      if overflow { return nil }
      values.append(value)
    }
    let isVector = operands.contains { $0.type.shape?.count == 1 }
    return (TensorType(isVector ? [values.count] : [Int](), .int64), values)
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
    "Shape", "Size", "Cast", "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Gather", "Slice",
    "Concat", "Add", "Sub", "Mul", "Div", "Range", "ReduceProd",
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
  /// A small integer tensor (int64 or int32) with this content.
  init?(_ values: [Int], _ type: TensorType) {
    guard let shape = type.fixedShape, let count = type.elementCount, count == values.count else {
      return nil
    }
    let width: Int
    switch type.elementType {
    case .int64: width = 8
    case .int32: width = 4
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
