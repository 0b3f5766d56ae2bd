import CKernels

/// Elements a thread should at least have: below that, waking it costs more than it saves.
let elementGrain = 16_384

extension Tensor {
  /// Adds `scale` times a tensor of the same shape, in place.
  public mutating func add(_ other: Tensor, scale: Float = 1, engine: Engine? = nil) {
    precondition(other.shape == shape, "add: shapes differ")
    if !isUnique() { self = copied(engine: engine) }
    let (source, to) = (other.contiguous(engine: engine), base)
    parallelRanges(count, engine) { range in
      ck_axpy(
        Int64(range.count), scale, source.base + range.lowerBound, to + range.lowerBound)
    }
  }

  /// `self * scale + offset`
  public func affine(scale: Float, offset: Float = 0, engine: Engine? = nil) -> Tensor {
    map(engine) { count, x, y in ck_affine(count, x, scale, offset, y) }
  }

  /// Applies a kernel of (count, from, to) to all elements, in parallel.
  func map(
    _ engine: Engine?,
    _ kernel: (Int64, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    let (x, y) = (contiguous(engine: engine), Tensor(uninitialized: shape, engine: engine))
    let (from, to) = (x.base, y.base)
    parallelRanges(count, engine) { range in
      kernel(Int64(range.count), from + range.lowerBound, to + range.lowerBound)
    }
    return y
  }

  /// Sum of the elements, in double inside.
  public var sum: Double { withContiguous { ck_sum(Int64(count), $0) } }
  /// Sum of the squares.
  public var sumOfSquares: Double { withContiguous { ck_dot(Int64(count), $0, $0) } }
  /// The largest element; -infinity if there is none.
  public var maximum: Float { withContiguous { ck_max(Int64(count), $0) } }

  func withContiguous<Result>(_ body: (UnsafePointer<Float>) -> Result) -> Result {
    let source = contiguous()
    return withExtendedLifetime(source) { body(source.base) }
  }

  /// Position of the largest element of each row of the last axis; the first one of equals.
  public func argmax() -> [Int] {
    guard rank > 0, let columns = shape.last, columns > 0 else { return [] }
    let source = contiguous()
    return (0..<count / columns).map { row in
      let start = source.base + row * columns
      var best = 0
      for j in 1..<columns where start[j] > start[best] { best = j }
      return best
    }
  }
}

func parallelRanges(_ count: Int, _ engine: Engine?, _ body: (Range<Int>) -> Void) {
  if let engine {
    engine.parallel(count, grain: elementGrain, body)
  } else if count > 0 {
    body(0..<count)
  }
}
