/// A float32 array of any rank: a value, copied when written to.
///
/// Images are `[N, H, W, C]`. A tensor may be a view (``slice(axis:_:)``) with the strides of the
/// tensor it was cut from; operators read views in place where they can and copy them otherwise.
///
/// Weight layouts, chosen so that leading channels are cheap to slice:
/// - linear: `[in, out]`
/// - convolution: `[kernelHeight, kernelWidth, in / groups, out]`
/// - depthwise convolution: `[kernelHeight, kernelWidth, channels]`
///
/// PyTorch's layouts are `[out, in]`, `[out, in / groups, kh, kw]` and `[channels, 1, kh, kw]`: see
/// ``fromOutputFirst()`` and ``toOutputFirst()``.
public struct Tensor: Sendable {
  public let shape: [Int]
  /// Distance between neighbours along each axis, in elements; the last one is 1.
  let strides: [Int]
  let offset: Int
  var storage: TensorStorage

  init(shape: [Int], strides: [Int], offset: Int, storage: TensorStorage) {
    self.shape = shape
    self.strides = strides
    self.offset = offset
    self.storage = storage
  }

  /// A new tensor with undefined contents.
  init(uninitialized shape: [Int], engine: Engine?) {
    self.init(
      shape: shape, strides: Self.strides(of: shape), offset: 0,
      storage: TensorStorage(
        uninitialized: shape.reduce(1, *), pool: engine?.buffers))
  }

  /// Elements.
  public var count: Int { shape.reduce(1, *) }
  public var rank: Int { shape.count }
  /// Bytes of the elements.
  public var byteCount: Int { count * MemoryLayout<Float>.size }

  static func strides(of shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for i in stride(from: shape.count - 2, through: 0, by: -1) {
      strides[i] = strides[i + 1] * shape[i + 1]
    }
    return strides
  }

  /// Whether the elements lie one behind the other.
  var isContiguous: Bool {
    var expected = 1
    for i in stride(from: shape.count - 1, through: 0, by: -1) {
      if shape[i] != 1 {
        if strides[i] != expected { return false }
        expected *= shape[i]
      }
    }
    return true
  }

  /// The same elements in another shape, without copying a contiguous tensor.
  /// - Throws: `TensorError` if the counts differ. One extent may be -1: it is inferred.
  public func reshaped(_ shape: [Int]) throws -> Tensor {
    var shape = shape
    if let i = shape.firstIndex(of: -1) {
      let known = shape.reduce(1) { $1 == -1 ? $0 : $0 * $1 }
      try check(known > 0 && count % known == 0, "reshape: \(self.shape) can't become \(shape)")
      shape[i] = count / known
    }
    try check(
      shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == count,
      "reshape: \(self.shape) has \(count) elements, \(shape) has \(shape.reduce(1, *))")
    let source = contiguous()
    return Tensor(
      shape: shape, strides: Self.strides(of: shape), offset: source.offset,
      storage: source.storage)
  }

  /// A view of part of one axis: nothing is copied.
  public func slice(axis: Int, _ range: Range<Int>) throws -> Tensor {
    let axis = axis < 0 ? axis + rank : axis
    try check(axis >= 0 && axis < rank, "slice: axis \(axis) of \(shape)")
    try check(
      range.lowerBound >= 0 && range.upperBound <= shape[axis],
      "slice: \(range) of axis \(axis) of \(shape)")
    var cut = shape
    cut[axis] = range.count
    return Tensor(
      shape: cut, strides: strides, offset: offset + range.lowerBound * strides[axis],
      storage: storage)
  }

  /// A view of the first elements of the last two axes: the weight of a narrower layer.
  public func leading(_ rows: Int, _ columns: Int) throws -> Tensor {
    try slice(axis: -2, 0..<rows).slice(axis: -1, 0..<columns)
  }

  /// The shape as it is written in messages.
  public var description: String { "\(shape)" }
}

extension Tensor {
  /// Elements equal bit for bit, shapes too (NaN equals itself): what a determinism test asks.
  public func isIdentical(to other: Tensor) -> Bool {
    shape == other.shape
      && zip(array, other.array).allSatisfy { $0.bitPattern == $1.bitPattern }
  }

  /// Converts a linear, dense or depthwise weight from PyTorch's layout (output first).
  public func fromOutputFirst() throws -> Tensor {
    switch rank {
    case 2: return try permuted([1, 0])
    case 4: return try permuted([2, 3, 1, 0])
    default: throw TensorError.shape("fromOutputFirst: a weight has rank 2 or 4, got \(shape)")
    }
  }

  /// Converts a linear or dense convolution weight to PyTorch's layout (output first).
  public func toOutputFirst() throws -> Tensor {
    switch rank {
    case 2: return try permuted([1, 0])
    case 4: return try permuted([3, 2, 0, 1])
    default: throw TensorError.shape("toOutputFirst: a weight has rank 2 or 4, got \(shape)")
    }
  }
}
