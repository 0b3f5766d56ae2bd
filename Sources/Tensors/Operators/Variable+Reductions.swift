/// Reductions, broadcasts and changes of shape. All can be differentiated any number of times.
extension Variable {
  /// The sum over axes (all, if nil).
  public func sum(over axes: [Int]? = nil, keepAxes: Bool = false) throws -> Variable {
    let axes = try Shapes.axes(axes, shape, "sum")
    if case .deferred(let deferred) = content, shape.count == 4, axes == [1, 2] {
      return try deferredImageSums(deferred, keepAxes: keepAxes)
    }
    let kept = value.summed(over: axes, engine: tape.engine)
    let target =
      keepAxes ? kept.shape : shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
    let source = self
    return tape.record("sum", try kept.reshaped(target), [self]) { g in
      [try g.reshaped(kept.shape).broadcast(to: source.shape)]
    }
  }

  /// The mean over axes (all, if nil).
  public func mean(over axes: [Int]? = nil, keepAxes: Bool = false) throws -> Variable {
    let count = try Shapes.axes(axes, shape, "mean").reduce(1) { $0 * shape[$1] }
    try check(count > 0, "mean: nothing to average in \(shape)")
    return try sum(over: axes, keepAxes: keepAxes) * (1 / Float(count))
  }

  /// Repeats the elements to a larger shape.
  public func broadcast(to target: [Int]) throws -> Variable {
    if shape == target { return self }
    let source = self
    return tape.record(
      "broadcast", try value.broadcast(to: target, engine: tape.engine), [self]
    ) { g in [try source.reduced(g)] }
  }

  /// The same elements in another shape; one extent may be -1.
  public func reshaped(_ target: [Int]) throws -> Variable {
    if shape == target { return self }
    let from = shape
    return tape.record("reshape", try value.reshaped(target), [self]) { g in
      [try g.reshaped(from)]
    }
  }

  /// The axes in another order.
  public func permuted(_ axes: [Int]) throws -> Variable {
    let value = try value.permuted(axes, engine: tape.engine)
    var back = axes
    for (i, axis) in axes.enumerated() { back[axis] = i }
    return tape.record("permute", value, [self]) { g in [try g.permuted(back)] }
  }

  /// Part of one axis. The value is a view: weights are read in place by linear layers and
  /// convolutions, other operators copy.
  public func slice(axis: Int, _ range: Range<Int>) throws -> Variable {
    let axis = try Shapes.axis(axis, shape, "slice")
    if range == 0..<shape[axis] { return self }
    let (value, from) = (try value.slice(axis: axis, range), shape)
    return tape.record("slice", value, [self]) { g in
      [try g.padded(axis: axis, before: range.lowerBound, to: from[axis])]
    }
  }

  /// The first elements of the last two axes: the weight of a narrower layer, read in place.
  public func leading(_ rows: Int, _ columns: Int) throws -> Variable {
    try slice(axis: -1, 0..<columns).slice(axis: -2, 0..<rows)
  }

  /// Zeros before and behind along one axis.
  public func padded(axis: Int, before: Int, to extent: Int) throws -> Variable {
    let axis = try Shapes.axis(axis, shape, "pad")
    let length = shape[axis]
    try check(before >= 0 && before + length <= extent, "pad: \(shape) to \(extent) at \(before)")
    return tape.record(
      "pad", value.padded(axis: axis, before: before, to: extent, engine: tape.engine), [self]
    ) { g in [try g.slice(axis: axis, before..<before + length)] }
  }

  /// Variables one behind the other along an axis (channels: -1).
  public static func concatenated(_ parts: [Variable], axis: Int) throws -> Variable {
    guard let first = parts.first else { throw TensorError.shape("concatenate: nothing given") }
    let axis = try Shapes.axis(axis, first.shape, "concatenate")
    for part in parts {
      let fits =
        part.shape.count == first.shape.count
        && part.shape.indices.allSatisfy { $0 == axis || part.shape[$0] == first.shape[$0] }
      try check(fits, "concatenate: \(first.shape) and \(part.shape) along axis \(axis)")
    }
    let value = Tensor.concatenated(parts.map(\.value), axis: axis, engine: first.tape.engine)
    return first.tape.record("concatenate", value, parts) { g in
      var start = 0
      return try parts.map { part in
        defer { start += part.shape[axis] }
        return part.requiresGradient
          ? try g.slice(axis: axis, start..<start + part.shape[axis]) : nil
      }
    }
  }
}
