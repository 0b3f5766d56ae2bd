// Matrix products and operators that only rearrange.
extension ShapeInference {
  static func gemm(_ attributes: [String: Attribute], _ operands: [Operand?]) throws
    -> [TensorType]?
  {
    guard operands.count > 1, let a = operands[0]?.type, let b = operands[1]?.type,
      let left = a.shape, let right = b.shape
    else { return nil }
    guard left.count == 2, right.count == 2 else {
      throw mismatch("Gemm", [a, b], "both operands must be matrices")
    }
    let (rows, inner) = attributes.int("transA") == 1 ? (left[1], left[0]) : (left[0], left[1])
    let (depth, columns) =
      attributes.int("transB") == 1 ? (right[1], right[0]) : (right[0], right[1])
    if let inner = inner.value, let depth = depth.value, inner != depth {
      throw mismatch("Gemm", [a, b], "inner dimensions \(inner) and \(depth) differ")
    }
    return [TensorType([rows, columns], a.elementType)]
  }

  static func matMul(_ operands: [Operand?]) throws -> [TensorType]? {
    guard operands.count > 1, let a = operands[0]?.type, let b = operands[1]?.type,
      var left = a.shape, var right = b.shape, !left.isEmpty, !right.isEmpty
    else { return nil }
    let leftVector = left.count == 1
    let rightVector = right.count == 1
    if leftVector { left.insert(1, at: 0) }
    if rightVector { right.append(1) }
    if let inner = left.last?.value, let depth = right[right.count - 2].value, inner != depth {
      throw mismatch("MatMul", [a, b], "inner dimensions \(inner) and \(depth) differ")
    }
    guard
      var shape = try broadcast(
        "MatMul", [TensorType(Array(left.dropLast(2))), TensorType(Array(right.dropLast(2)))])?[0]
        .shape
    else { return nil }
    if !leftVector { shape.append(left[left.count - 2]) }
    if !rightVector { shape.append(right[right.count - 1]) }
    return [TensorType(shape, a.elementType)]
  }

  static func flatten(_ attributes: [String: Attribute], _ type: TensorType) -> [TensorType]? {
    guard let shape = type.shape else { return nil }
    var axis = attributes.int("axis") ?? 1
    if axis < 0 { axis += shape.count }
    guard (0...shape.count).contains(axis) else { return nil }
    return [
      TensorType([product(shape[..<axis]), product(shape[axis...])], type.elementType)
    ]
  }

  /// Product of the axes; a single symbol next to ones stays that symbol.
  private static func product(_ shape: ArraySlice<Dimension>) -> Dimension {
    let rest = shape.filter { $0 != .fixed(1) }
    if rest.count == 1 { return rest[0] }
    return TensorType(rest).elementCount.map(Dimension.fixed) ?? .unknown
  }

  static func reshape(_ attributes: [String: Attribute], _ operands: [Operand?]) throws
    -> [TensorType]?
  {
    guard let input = operands[0]?.type, operands.count > 1,
      case .ints(let target)? = operands[1]?.constant
    else { return nil }
    var shape: [Dimension] = []
    for (axis, size) in target.enumerated() {
      if size == 0, attributes.int("allowzero") != 1 {
        guard let source = input.shape else {
          shape.append(.unknown)
          continue
        }
        guard axis < source.count else {
          throw mismatch("Reshape", [input], "target axis \(axis) copies an axis that is not there")
        }
        shape.append(source[axis])
      } else {
        shape.append(size < 0 ? .unknown : .fixed(size))
      }
    }
    if let missing = target.firstIndex(of: -1) {
      let rest = shape.enumerated().filter { $0.offset != missing }.map(\.element)
      if let total = input.elementCount, let known = TensorType(rest).elementCount, known > 0 {
        guard total % known == 0 else {
          throw mismatch("Reshape", [input], "\(total) elements do not fit \(target)")
        }
        shape[missing] = .fixed(total / known)
      } else if let source = input.shape {
        // A symbolic axis that was kept cancels out of the product.
        let left = source.filter { axis in !(axis.value == nil && rest.contains(axis)) }
        let right = rest.filter { axis in !(axis.value == nil && source.contains(axis)) }
        if let total = TensorType(left).elementCount, let known = TensorType(right).elementCount,
          known > 0, total % known == 0, left.count < source.count
        {
          shape[missing] = .fixed(total / known)
        } else if left.count == source.count, right.count == rest.count,
          TensorType(right).elementCount == TensorType(left.filter { $0.value != nil }).elementCount,
          left.count(where: { $0.value == nil }) == 1
        {
          shape[missing] = left.first { $0.value == nil }!
        }
      }
    }
    return [TensorType(shape, input.elementType)]
  }

  static func transpose(_ attributes: [String: Attribute], _ type: TensorType) throws
    -> [TensorType]?
  {
    guard let shape = type.shape else { return nil }
    let permutation = attributes.ints("perm") ?? Array(shape.indices.reversed())
    guard permutation.sorted() == Array(shape.indices) else {
      throw mismatch("Transpose", [type], "perm \(permutation) is no permutation of the axes")
    }
    return [TensorType(permutation.map { shape[$0] }, type.elementType)]
  }

  static func concat(_ attributes: [String: Attribute], _ types: [TensorType]) throws
    -> [TensorType]?
  {
    guard var result = types.first?.shape, var axis = attributes.int("axis") else { return nil }
    if axis < 0 { axis += result.count }
    guard result.indices.contains(axis) else {
      throw mismatch("Concat", types, "no axis \(axis)")
    }
    for type in types.dropFirst() {
      guard let shape = type.shape else { return nil }
      guard shape.count == result.count else {
        throw mismatch("Concat", types, "the ranks differ")
      }
      for other in shape.indices where other != axis {
        if let a = shape[other].value, let b = result[other].value, a != b {
          throw mismatch("Concat", types, "axis \(other) differs")
        }
      }
      if let a = result[axis].value, let b = shape[axis].value {
        result[axis] = .fixed(a + b)
      } else {
        result[axis] = .unknown
      }
    }
    return [TensorType(result, types[0].elementType)]
  }

  private static func axes(
    _ attributes: [String: Attribute], _ operands: [Operand?]
  ) -> [Int]? {
    if let axes = attributes.ints("axes") { return axes }
    if operands.count > 1, case .ints(let axes)? = operands[1]?.constant { return axes }
    return nil
  }

  static func squeeze(_ op: String, _ attributes: [String: Attribute], _ operands: [Operand?]) throws
    -> [TensorType]?
  {
    guard let type = operands[0]?.type, var shape = type.shape,
      let axes = axes(attributes, operands)
    else { return nil }
    let rank = op == "Squeeze" ? shape.count : shape.count + axes.count
    let positions = Set(axes.map { $0 < 0 ? $0 + rank : $0 })
    guard positions.allSatisfy({ (0..<rank).contains($0) }) else {
      throw mismatch(op, [type], "axes \(axes) are not all there")
    }
    if op == "Squeeze" {
      shape = shape.enumerated().filter { !positions.contains($0.offset) }.map(\.element)
    } else {
      for position in positions.sorted() { shape.insert(1, at: position) }
    }
    return [TensorType(shape, type.elementType)]
  }

  static func reduce(_ attributes: [String: Attribute], _ operands: [Operand?]) throws
    -> [TensorType]?
  {
    guard let type = operands[0]?.type, let shape = type.shape else { return nil }
    let hasAxesOperand = operands.count > 1 && operands[1] != nil
    let named = axes(attributes, operands)
    if named == nil && hasAxesOperand { return nil }
    let positions = Set((named ?? Array(shape.indices)).map { $0 < 0 ? $0 + shape.count : $0 })
    let keep = attributes.int("keepdims") ?? 1
    var result: [Dimension] = []
    for (axis, dimension) in shape.enumerated() {
      if !positions.contains(axis) {
        result.append(dimension)
      } else if keep == 1 {
        result.append(1)
      }
    }
    return [TensorType(result, type.elementType)]
  }
}
