// Operators that take parts of tensors, repeat or extend them.
extension ShapeInference {
  static let indexingRules: [(String, Rule)] = [
    ("Gather", gather),
    (
      "GatherElements",
      { use in
        guard let type = use.type(0) else { return nil }
        return [TensorType(use.shape(1), type.elementType)]
      }
    ),
    ("GatherND", gatherND),
    ("Slice", slice),
    ("Split", split),
    ("Pad", pad),
    ("Expand", expand),
    ("Tile", tile),
    ("Resize Upsample", resize),
    ("OneHot", oneHot),
    (
      "NonZero",
      { use in
        guard let shape = use.shape(0) else { return [TensorType(nil, .int64)] }
        return [TensorType([.fixed(shape.count), .unknown], .int64)]
      }
    ),
    (
      "Compress",
      { use in
        guard let type = use.type(0) else { return nil }
        guard use.attributes["axis"] != nil, var shape = type.shape,
          let axis = try use.axis(default: nil, rank: shape.count)
        else { return [TensorType([.unknown], type.elementType)] }
        shape[axis] = .unknown
        return [TensorType(shape, type.elementType)]
      }
    ),
  ]

  private static let gather: Rule = { use in
    guard let type = use.type(0), let shape = type.shape, let indices = use.shape(1),
      let axis = try use.axis(default: 0, rank: shape.count)
    else { return nil }
    let result = Array(shape[..<axis]) + indices + shape[(axis + 1)...]
    return [TensorType(result, type.elementType)]
  }

  private static let gatherND: Rule = { use in
    guard let type = use.type(0), let shape = type.shape, let indices = use.shape(1),
      let depth = indices.last?.value
    else { return nil }
    let batch = use.attributes.int("batch_dims") ?? 0
    guard batch >= 0, batch < shape.count, depth >= 1, depth <= shape.count - batch else {
      throw use.mismatch("indices of \(depth) axes do not fit")
    }
    let result = Array(indices.dropLast()) + shape[(batch + depth)...]
    return [TensorType(result, type.elementType)]
  }

  private static let slice: Rule = { use in
    guard let type = use.type(0), var shape = type.shape else { return nil }
    let starts = use.ints("starts", or: 1)
    let ends = use.ints("ends", or: 2)
    var axes = use.ints("axes", or: 3)
    if axes == nil, !use.has(3) {
      axes = (starts ?? ends).map { Array(0..<min($0.count, shape.count)) }
    }
    guard let axes, starts == nil || starts?.count == axes.count,
      ends == nil || ends?.count == axes.count
    else { return [TensorType(shape.map { _ in Dimension.unknown }, type.elementType)] }
    let steps = use.has(4) ? use.ints(4) : Array(repeating: 1, count: axes.count)
    for (position, axis) in axes.enumerated() {
      let axis = axis < 0 ? axis &+ shape.count : axis
      guard shape.indices.contains(axis) else { throw use.mismatch("axes \(axes.prefix(16))") }
      guard let size = shape[axis].value, let start = starts?[position],
        let end = ends?[position], let steps, position < steps.count
      else {
        shape[axis] = .unknown
        continue
      }
      guard steps[position] != 0 else { throw use.mismatch("a step is 0") }
      shape[axis] = .fixed(count(size, start, end, steps[position]))
    }
    return [TensorType(shape, type.elementType)]
  }

  /// Elements from `start` until before `end`, which count from the back when negative.
  private static func count(_ size: Int, _ start: Int, _ end: Int, _ step: Int) -> Int {
    let start = start < 0 ? start &+ size : start
    let end = end < 0 ? end &+ size : end
    if step > 0 {
      let (low, high) = (min(max(start, 0), size), min(max(end, 0), size))
      return high > low ? (high - low - 1) / step + 1 : 0
    }
    let (high, low) = (min(max(start, -1), size - 1), min(max(end, -1), size - 1))
    return high > low ? Int(UInt(high - low - 1) / step.magnitude) + 1 : 0
  }

  private static let split: Rule = { use in
    guard let type = use.type(0), let shape = type.shape,
      let axis = try use.axis(default: 0, rank: shape.count), use.outputCount > 0
    else { return nil }
    var sizes: [Int?] = Array(repeating: nil, count: use.outputCount)
    if let stated = use.ints("split", or: 1) {
      guard stated.count == use.outputCount, stated.allSatisfy({ $0 >= 0 }) else {
        throw use.mismatch("split \(stated.prefix(16)) for \(use.outputCount) results")
      }
      sizes = stated
    } else if !use.has(1), let size = shape[axis].value {
      // The last part is smaller where the axis does not divide; more than one is undefined.
      let parts = use.outputCount
      let chunk = size / parts + (size % parts == 0 ? 0 : 1)
      let last = try use.difference(size, use.product(chunk, parts - 1))
      if last >= 0 { sizes = Array(repeating: chunk, count: parts - 1) + [last] }
    }
    return sizes.map { size in
      var part = shape
      part[axis] = size.map(Dimension.fixed) ?? .unknown
      return TensorType(part, type.elementType)
    }
  }

  private static let pad: Rule = { use in
    guard let type = use.type(0), var shape = type.shape else { return nil }
    guard
      let pads = use.attributes.ints("pads") ?? use.attributes.ints("paddings") ?? use.ints(1)
    else { return [TensorType(shape.map { _ in Dimension.unknown }, type.elementType)] }
    var axes = Array(shape.indices)
    if use.has(3) {
      guard let stated = use.ints(3) else {
        return [TensorType(shape.map { _ in Dimension.unknown }, type.elementType)]
      }
      axes = stated.map { $0 < 0 ? $0 &+ shape.count : $0 }
    }
    guard pads.count == 2 * axes.count, axes.allSatisfy(shape.indices.contains) else {
      throw use.mismatch("\(pads.count) pads for \(axes.count) axes")
    }
    for (position, axis) in axes.enumerated() {
      guard let size = shape[axis].value else {
        if pads[position] != 0 || pads[position + axes.count] != 0 { shape[axis] = .unknown }
        continue
      }
      let padded = try use.sum(use.sum(size, pads[position]), pads[position + axes.count])
      guard padded >= 0 else { throw use.mismatch("more is cut off axis \(axis) than it has") }
      shape[axis] = .fixed(padded)
    }
    return [TensorType(shape, type.elementType)]
  }

  private static let expand: Rule = { use in
    guard let type = use.type(0), let shape = type.shape, let target = use.ints(1),
      target.allSatisfy({ $0 >= 0 })
    else { return nil }
    return try broadcast(use, [shape, target.map(Dimension.fixed)]).map {
      [TensorType($0, type.elementType)]
    }
  }

  private static let tile: Rule = { use in
    guard let type = use.type(0), var shape = type.shape else { return nil }
    guard let repeats = use.ints(1), use.operands.count == 2 else {
      return [TensorType(shape.map { _ in Dimension.unknown }, type.elementType)]
    }
    guard repeats.count == shape.count, repeats.allSatisfy({ $0 >= 0 }) else {
      throw use.mismatch("repeats \(repeats.prefix(16))")
    }
    for (axis, count) in repeats.enumerated() where count != 1 {
      shape[axis] = try shape[axis].value.map { .fixed(try use.product($0, count)) } ?? .unknown
    }
    return [TensorType(shape, type.elementType)]
  }

  private static let resize: Rule = { use in
    guard let type = use.type(0), var shape = type.shape else { return nil }
    let unknown = [TensorType(shape.map { _ in Dimension.unknown }, type.elementType)]
    var axes = Array(shape.indices)
    if let stated = use.attributes.ints("axes") {
      axes = stated.map { $0 < 0 ? $0 &+ shape.count : $0 }
      guard axes.allSatisfy(shape.indices.contains) else { throw use.mismatch("axes \(stated)") }
    }
    if let sizes = use.ints(3), sizes.count == axes.count {
      let policy = use.attributes.string("keep_aspect_ratio_policy") ?? "stretch"
      guard policy == "stretch" else { return unknown }
      for (axis, size) in zip(axes, sizes) { shape[axis] = size < 0 ? .unknown : .fixed(size) }
      return [TensorType(shape, type.elementType)]
    }
    // Two operands: scales are the second; three or four: the third.
    var scales = use.operands.count > 2 ? use.floats(2) : use.floats(1)
    if case .floats(let stated)? = use.attributes["scales"] { scales = stated.map(Double.init) }
    guard let scales, scales.count == axes.count else { return unknown }
    for (axis, scale) in zip(axes, scales) where scale != 1 {
      guard let size = shape[axis].value else {
        shape[axis] = .unknown
        continue
      }
      let scaled = (Float(size) * Float(scale)).rounded(.down)
      guard scaled >= 0, scaled < 0x1p62 else { throw use.mismatch("scale \(scale)") }
      shape[axis] = .fixed(Int(scaled))
    }
    return [TensorType(shape, type.elementType)]
  }

  private static let oneHot: Rule = { use in
    guard let indices = use.shape(0), let values = use.type(2) else { return nil }
    guard let axis = try use.axis(default: -1, rank: indices.count + 1) else { return nil }
    let depth = use.ints(1)?.first ?? use.floats(1)?.first.flatMap { Int(exactly: $0) }
    var shape = indices
    shape.insert(depth.flatMap { $0 < 0 ? nil : .fixed($0) } ?? .unknown, at: axis)
    return [TensorType(shape, values.elementType)]
  }
}
