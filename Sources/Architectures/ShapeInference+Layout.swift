// Matrix products and operators that only rearrange.
extension ShapeInference {
  static let layoutRules: [(String, Rule)] = [
    ("Gemm", gemm),
    ("MatMul", { try matMul($0, 0, 1) }),
    ("MatMulInteger", { try matMul($0, 0, 1)?.map { TensorType($0.shape, .int32) } }),
    (
      "QLinearMatMul",
      { use in
        let element = use.type(7)?.elementType ?? .uint8
        return try matMul(use, 0, 3)?.map { TensorType($0.shape, element) }
      }
    ),
    ("Flatten", flatten),
    ("Reshape", reshape),
    ("Transpose", transpose),
    ("Concat", concat),
    ("Squeeze Unsqueeze", squeeze),
    ("DepthToSpace", depthToSpace),
    ("SpaceToDepth", spaceToDepth),
  ]

  private static let gemm: Rule = { use in
    guard let a = use.type(0), let left = a.shape, let right = use.shape(1) else { return nil }
    guard left.count == 2, right.count == 2 else {
      throw use.mismatch("both operands must be matrices")
    }
    let (rows, inner) =
      use.attributes.int("transA") == 1 ? (left[1], left[0]) : (left[0], left[1])
    let (depth, columns) =
      use.attributes.int("transB") == 1 ? (right[1], right[0]) : (right[0], right[1])
    if let inner = inner.value, let depth = depth.value, inner != depth {
      throw use.mismatch("inner dimensions \(inner) and \(depth) differ")
    }
    return [TensorType([rows, columns], a.elementType)]
  }

  private static func matMul(_ use: Application, _ a: Int, _ b: Int) throws -> [TensorType]? {
    guard let type = use.type(a), var left = type.shape, var right = use.shape(b),
      !left.isEmpty, !right.isEmpty
    else { return nil }
    let leftVector = left.count == 1
    let rightVector = right.count == 1
    if leftVector { left.insert(1, at: 0) }
    if rightVector { right.append(1) }
    if let inner = left.last?.value, let depth = right[right.count - 2].value, inner != depth {
      throw use.mismatch("inner dimensions \(inner) and \(depth) differ")
    }
    guard
      var shape = try broadcast(use, [Array(left.dropLast(2)), Array(right.dropLast(2))])
    else { return nil }
    if !leftVector { shape.append(left[left.count - 2]) }
    if !rightVector { shape.append(right[right.count - 1]) }
    return [TensorType(shape, type.elementType)]
  }

  private static let flatten: Rule = { use in
    guard let type = use.type(0), let shape = type.shape else { return nil }
    let axis = use.attributes.int("axis") ?? 1
    let position = axis < 0 ? axis &+ shape.count : axis
    guard (0...shape.count).contains(position) else {
      throw use.mismatch("there is no axis \(axis)")
    }
    return [
      TensorType([product(shape[..<position]), product(shape[position...])], type.elementType)
    ]
  }

  /// Product of the axes; a single symbol next to ones stays that symbol.
  private static func product(_ shape: ArraySlice<Dimension>) -> Dimension {
    let rest = shape.filter { $0 != .fixed(1) }
    if rest.count == 1 { return rest[0] }
    return TensorType(rest).elementCount.map(Dimension.fixed) ?? .unknown
  }

  private static let reshape: Rule = { use in
    guard let input = use.type(0), let target = use.ints("shape", or: 1) else { return nil }
    var shape: [Dimension] = []
    for (axis, size) in target.enumerated() {
      if size == 0, use.attributes.int("allowzero") != 1 {
        guard let source = input.shape else {
          shape.append(.unknown)
          continue
        }
        guard axis < source.count else {
          throw use.mismatch("target axis \(axis) copies an axis that is not there")
        }
        shape.append(source[axis])
      } else {
        shape.append(size < 0 ? .unknown : .fixed(size))
      }
    }
    if let missing = target.firstIndex(of: -1) {
      var rest = shape
      rest.remove(at: missing)
      shape[missing] = try remainder(of: input, over: rest, use, target)
    } else if let total = input.elementCount, let count = TensorType(shape).elementCount,
      total != count
    {
      throw use.mismatch("\(total) elements do not fit \(target)")
    }
    return [TensorType(shape, input.elementType)]
  }

  /// The axis that is left when `input` fills the axes in `rest`.
  private static func remainder(
    of input: TensorType, over rest: [Dimension], _ use: Application, _ target: [Int]
  ) throws -> Dimension {
    if let total = input.elementCount, let known = TensorType(rest).elementCount, known > 0 {
      guard total % known == 0 else {
        throw use.mismatch("\(total) elements do not fit \(target)")
      }
      return .fixed(total / known)
    }
    // Symbolic axes that were kept cancel out of the product.
    guard var left = input.shape else { return .unknown }
    var right: [Dimension] = []
    for axis in rest {
      if axis.value == nil, axis != .unknown, let position = left.firstIndex(of: axis) {
        left.remove(at: position)
      } else if axis == .unknown, let position = left.firstIndex(of: .unknown),
        left.count(where: { $0 == .unknown }) == 1
      {
        left.remove(at: position)
      } else {
        right.append(axis)
      }
    }
    guard let known = TensorType(right).elementCount, known > 0 else { return .unknown }
    let open = left.filter { $0.value == nil }
    guard let total = TensorType(left.filter { $0.value != nil }).elementCount else {
      return .unknown
    }
    if open.isEmpty, total % known == 0 { return .fixed(total / known) }
    return open.count == 1 && total == known ? open[0] : .unknown
  }

  private static let transpose: Rule = { use in
    guard let type = use.type(0), let shape = type.shape else { return nil }
    let permutation = use.attributes.ints("perm") ?? Array(shape.indices.reversed())
    guard permutation.count == shape.count, permutation.sorted() == Array(shape.indices) else {
      throw use.mismatch("perm \(permutation.prefix(16)) is no permutation of the axes")
    }
    return [TensorType(permutation.map { shape[$0] }, type.elementType)]
  }

  private static let concat: Rule = { use in
    guard let element = use.type(0)?.elementType, var result = use.shape(0),
      let axis = try use.axis(default: use.attributes["axis"] == nil ? 1 : nil, rank: result.count)
    else { return nil }
    for operand in use.operands.dropFirst() {
      guard let shape = operand?.type.shape else { return nil }
      guard shape.count == result.count else { throw use.mismatch("the ranks differ") }
      for other in shape.indices where other != axis {
        if let a = shape[other].value, let b = result[other].value, a != b {
          throw use.mismatch("axis \(other) differs")
        }
        if result[other].value == nil, shape[other].value != nil { result[other] = shape[other] }
      }
      if let a = result[axis].value, let b = shape[axis].value {
        result[axis] = .fixed(try use.sum(a, b))
      } else {
        result[axis] = .unknown
      }
    }
    return [TensorType(result, element)]
  }

  /// Most axes that `Unsqueeze` adds at once: far more than any network has.
  private static let axisLimit = 64

  private static let squeeze: Rule = { use in
    guard let type = use.type(0), var shape = type.shape else { return nil }
    let adds = use.op == "Unsqueeze"
    guard let axes = use.ints("axes", or: 1) else {
      // Without axes all ones go, which can be told when every axis is known.
      guard !adds, !use.has(1), type.fixedShape != nil else { return nil }
      return [TensorType(shape.filter { $0 != .fixed(1) }, type.elementType)]
    }
    guard axes.count <= axisLimit else { throw use.mismatch("\(axes.count) axes") }
    let rank = adds ? shape.count + axes.count : shape.count
    let positions = Set(axes.map { $0 < 0 ? $0 &+ rank : $0 })
    guard positions.allSatisfy({ (0..<rank).contains($0) }), !adds || positions.count == axes.count
    else { throw use.mismatch("axes \(axes) are not all there") }
    if adds {
      for position in positions.sorted() { shape.insert(1, at: position) }
    } else {
      for position in positions {
        if let size = shape[position].value, size != 1 {
          throw use.mismatch("axis \(position) is \(size), not 1")
        }
      }
      shape = shape.enumerated().filter { !positions.contains($0.offset) }.map(\.element)
    }
    return [TensorType(shape, type.elementType)]
  }

  private static let depthToSpace: Rule = { use in
    guard let type = use.type(0), var shape = type.shape, shape.count == 4,
      let block = use.attributes.int("blocksize")
    else { return nil }
    let area = try use.product(block, block)
    guard block > 0, (shape[1].value ?? 0) % area == 0 else {
      throw use.mismatch("the channels are no multiple of blocksize \(block) squared")
    }
    shape[1] = shape[1].value.map { .fixed($0 / area) } ?? .unknown
    for axis in 2...3 {
      shape[axis] = try shape[axis].value.map { .fixed(try use.product($0, block)) } ?? .unknown
    }
    return [TensorType(shape, type.elementType)]
  }

  private static let spaceToDepth: Rule = { use in
    guard let type = use.type(0), var shape = type.shape, shape.count == 4,
      let block = use.attributes.int("blocksize")
    else { return nil }
    let area = try use.product(block, block)
    guard block > 0, (shape[2].value ?? 0) % block == 0, (shape[3].value ?? 0) % block == 0 else {
      throw use.mismatch("the size is no multiple of blocksize \(block)")
    }
    shape[1] = try shape[1].value.map { .fixed(try use.product($0, area)) } ?? .unknown
    for axis in 2...3 {
      shape[axis] = shape[axis].value.map { .fixed($0 / block) } ?? .unknown
    }
    return [TensorType(shape, type.elementType)]
  }
}
