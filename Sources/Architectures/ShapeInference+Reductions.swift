// Operators that reduce axes.
extension ShapeInference {
  static let reductionRules: [(String, Rule)] = [
    (
      """
      ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum \
      ReduceLogSumExp ReduceSumSquare
      """, reduce
    ),
    ("ArgMax ArgMin", argument),
    ("TopK", topK),
  ]

  private static let reduce: Rule = { use in
    guard let type = use.type(0), let shape = type.shape else { return nil }
    let keeps = (use.attributes.int("keepdims") ?? 1) == 1
    var axes = use.ints("axes", or: 1)
    if axes == nil, use.has(1) {
      // Unknown axes leave the rank alone when they are kept.
      guard keeps else { return nil }
      return [TensorType(shape.map { _ in Dimension.unknown }, type.elementType)]
    }
    if axes?.isEmpty ?? true {
      if use.attributes.int("noop_with_empty_axes") == 1 { return [type] }
      axes = Array(shape.indices)
    }
    let positions = Set((axes ?? []).map { $0 < 0 ? $0 &+ shape.count : $0 })
    guard positions.allSatisfy(shape.indices.contains) else {
      throw use.mismatch("axes \((axes ?? []).prefix(16)) are not all there")
    }
    return [TensorType(removing(positions, from: shape, keeps), type.elementType)]
  }

  private static func removing(
    _ positions: Set<Int>, from shape: [Dimension], _ keeps: Bool
  ) -> [Dimension] {
    var result: [Dimension] = []
    for (axis, dimension) in shape.enumerated() {
      if !positions.contains(axis) {
        result.append(dimension)
      } else if keeps {
        result.append(1)
      }
    }
    return result
  }

  private static let argument: Rule = { use in
    guard let shape = use.shape(0), let axis = try use.axis(default: 0, rank: shape.count) else {
      return nil
    }
    let keeps = (use.attributes.int("keepdims") ?? 1) == 1
    return [TensorType(removing([axis], from: shape, keeps), .int64)]
  }

  private static let topK: Rule = { use in
    guard let type = use.type(0), var shape = type.shape,
      let axis = try use.axis(default: -1, rank: shape.count)
    else { return nil }
    if let count = use.attributes.int("k") ?? use.ints(1)?.first {
      guard count >= 0, count <= shape[axis].value ?? count else {
        throw use.mismatch("there are no \(count) elements on axis \(axis)")
      }
      shape[axis] = .fixed(count)
    } else {
      shape[axis] = .unknown
    }
    return [TensorType(shape, type.elementType), TensorType(shape, .int64)]
  }
}
