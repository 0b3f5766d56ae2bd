import CKernels

extension Tensor {
  /// The elements as an array, row by row.
  public var array: [Float] {
    let source = contiguous()
    return Array(UnsafeBufferPointer(start: source.base, count: count))
  }

  /// A tensor of the given elements, row by row.
  /// - Throws: `TensorError` if their number isn't the shape's.
  public init(_ elements: some Collection<Float>, shape: [Int]) throws {
    try Self.validate(shape, operation: "Tensor")
    try check(
      elements.count == shape.reduce(1, *),
      "Tensor: \(shape) has \(shape.reduce(1, *)) elements, got \(elements.count)")
    self.init(uninitialized: shape, engine: nil)
    _ = UnsafeMutableBufferPointer(start: storage.pointer, count: count).initialize(from: elements)
  }

  /// A vector.
  public init(_ elements: [Float]) {
    self.init(uninitialized: [elements.count], engine: nil)
    storage.pointer.initialize(from: elements, count: elements.count)
  }

  /// A tensor with all elements equal. Extents must not be negative.
  public init(repeating value: Float, shape: [Int], engine: Engine? = nil) {
    precondition(shape.allSatisfy { $0 >= 0 }, "Tensor: negative extent")
    self.init(uninitialized: shape, engine: engine)
    storage.pointer.initialize(repeating: value, count: count)
  }

  public init(zeros shape: [Int], engine: Engine? = nil) {
    self.init(repeating: 0, shape: shape, engine: engine)
  }

  /// A scalar: rank 0.
  public init(_ value: Float) { self.init(repeating: value, shape: []) }

  static func validate(_ shape: [Int], operation: String) throws {
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      try check(extent >= 0 && !overflow && product < 1 << 48, "\(operation): bad shape \(shape)")
      count = product
    }
  }

  /// The only element of a tensor with one element.
  public var scalar: Float {
    precondition(count == 1, "scalar of a tensor with several elements")
    return base[0]
  }

  /// An element by its indices.
  public subscript(_ indices: Int...) -> Float {
    get { base[position(indices)] }
    set {
      let at = position(indices)
      makeUnique()
      base[at] = newValue
    }
  }

  private func position(_ indices: [Int]) -> Int {
    precondition(indices.count == rank, "one index for each axis")
    var at = 0
    for axis in 0..<rank {
      precondition(indices[axis] >= 0 && indices[axis] < shape[axis], "index out of range")
      at += indices[axis] * strides[axis]
    }
    return at
  }

  /// Changes the elements in place; they are copied first if another tensor shares them.
  public mutating func update(_ body: (inout MutableSpan<Float>) throws -> Void) rethrows {
    makeUnique()
    var span = MutableSpan(_unsafeStart: base, count: count)
    try body(&span)
  }

  /// The first element; valid while the tensor lives. Writing needs `makeUnique()` before.
  var base: UnsafeMutablePointer<Float> { storage.pointer + offset }

  /// Makes the tensor contiguous and its storage its own.
  mutating func makeUnique() {
    if !isKnownUniquelyReferenced(&storage) || !isContiguous { self = copied(engine: nil) }
  }

  /// Whether nothing else refers to the elements, so that they may be overwritten.
  mutating func isUnique() -> Bool { isKnownUniquelyReferenced(&storage) && isContiguous }

  /// The tensor itself if it is contiguous, else a copy that is.
  func contiguous(engine: Engine? = nil) -> Tensor {
    isContiguous ? self : copied(engine: engine)
  }

  /// A contiguous copy.
  public func copied(engine: Engine? = nil) -> Tensor {
    let result = Tensor(uninitialized: shape, engine: engine)
    Tensor.copy(self, into: result.base, strides: result.strides)
    return result
  }

  /// Copies elements to a destination with its own strides, a row at a time.
  static func copy(_ source: Tensor, into base: UnsafeMutablePointer<Float>, strides: [Int]) {
    if source.count == 0 { return }
    let compact = source.isContiguous && Tensor.strides(of: source.shape) == strides
    if compact || source.rank == 0 {
      base.update(from: source.base, count: source.count)
      return
    }
    func visit(_ axis: Int, _ from: UnsafeMutablePointer<Float>, _ to: UnsafeMutablePointer<Float>)
    {
      let extent = source.shape[axis]
      let (s, d) = (source.strides[axis], strides[axis])
      if axis == source.rank - 1 {
        if s == 1, d == 1 {
          to.update(from: from, count: extent)
        } else {
          for i in 0..<extent { to[i * d] = from[i * s] }
        }
      } else {
        for i in 0..<extent { visit(axis + 1, from + i * s, to + i * d) }
      }
    }
    visit(0, source.base, base)
  }

  /// The axes in another order, copied.
  public func permuted(_ axes: [Int], engine: Engine? = nil) throws -> Tensor {
    try check(axes.sorted() == Array(0..<rank), "permute: axes \(axes) of \(shape)")
    let source = Tensor(
      shape: axes.map { shape[$0] }, strides: axes.map { strides[$0] }, offset: offset,
      storage: storage)
    let result = Tensor(uninitialized: source.shape, engine: engine)
    if axes == [1, 0] {
      let (rows, from, to) = (shape[0], base, result.base)
      let (distance, columns) = (Int64(strides[0]), shape[1])
      func turn(_ range: Range<Int>) {
        let j = range.lowerBound
        ck_transpose(
          Int64(rows), Int64(range.count), from + j, distance, to + j * rows, Int64(rows))
      }
      // Sixteen columns are a cache line of what is read.
      let blocks = (columns + 15) / 16
      if let engine {
        engine.parallel(blocks, grain: max(1, elementGrain / max(1, 16 * rows))) { range in
          turn(range.lowerBound * 16..<min(range.upperBound * 16, columns))
        }
      } else {
        turn(0..<columns)
      }
    } else {
      Tensor.copy(source, into: result.base, strides: result.strides)
    }
    return result
  }
}
