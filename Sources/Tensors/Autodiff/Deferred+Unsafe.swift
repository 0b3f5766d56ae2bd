import CKernels

extension Deferred {
  /// How the kernels see it, from an element on. Valid while this object lives.
  func source(at offset: Int = 0) -> ck_source {
    let channels = x.shape.last ?? 1
    let row = isPerImage ? offset / imageSize * channels : 0
    let own = p.rank == 2 ? row : 0
    return ck_source(
      x: UnsafePointer(x.base + offset), z: z.map { UnsafePointer($0.base + offset) },
      p: UnsafePointer(p.base + own), q: q.map { UnsafePointer($0.base) },
      r: UnsafePointer(r.base + own), activation: activation.kernel,
      gate: gate.map { UnsafePointer($0.base + row) })
  }

  /// Elements of one image.
  private var imageSize: Int { max(1, x.count / max(1, x.shape[0])) }

  /// Computes rows (pixels, counted over all images) one behind the other, perhaps adding others.
  func fill(
    _ rows: Range<Int>, adding other: UnsafePointer<Float>? = nil, _ to: UnsafeMutablePointer<Float>
  ) {
    let channels = x.shape.last ?? 1
    let whole = isPerImage ? imageSize / max(channels, 1) : rows.upperBound
    var row = rows.lowerBound
    while row < rows.upperBound {
      // Up to the end of the image, if images have factors of their own.
      let end = min(rows.upperBound, (row / whole + 1) * whole)
      var source = source(at: row * channels)
      let at = (row - rows.lowerBound) * channels
      if let other {
        ck_source_add(Int64(end - row), Int64(channels), &source, other + at, to + at)
      } else {
        ck_source_rows(
          Int64(end - row), Int64(channels), &source, Int64(channels), to + at, Int64(channels))
      }
      row = end
    }
  }

  func compute(_ engine: Engine) -> Tensor {
    compute(adding: nil, engine)
  }

  /// The value plus a tensor of its shape: a residual connection in one pass.
  func compute(adding other: Tensor?, _ engine: Engine) -> Tensor {
    let result = Tensor(uninitialized: x.shape, engine: engine)
    let channels = x.shape.last ?? 1
    let other = other?.contiguous(engine: engine)
    let to = result.base
    engine.parallel(x.count / max(channels, 1), grain: max(1, elementGrain / max(channels, 1))) {
      rows in
      let at = rows.lowerBound * channels
      fill(rows, adding: other.map { UnsafePointer($0.base + at) }, to + at)
    }
    return result
  }
}

extension Deferred {
  /// From the gradient of the value to that of `p * x + r`, with the sums batch norm needs.
  func activationGradient(_ g: Variable, _ engine: Engine) -> (Tensor, Moments) {
    if case .deferred(let g) = g.content, g.known == nil { return activationGradient(g, engine) }
    let source = g.value.contiguous(engine: engine)
    let gradient =
      activation == .identity ? source : Tensor(uninitialized: g.shape, engine: engine)
    let channels = x.shape.last ?? 1
    let rows = x.count / max(channels, 1)
    let parts = Engine.parts(rows, threads: engine.threads * 4, grain: elementGrain / channels)
    let sums = PartialSums(parts: parts, columns: channels, engine: engine)
    engine.parallel(parts) { part in
      let range = Engine.part(part, of: parts, in: rows)
      let at = range.lowerBound * channels
      var sink = ConvolutionPlan.sink(self, at: at, sums, part: part)
      ck_sink_rows(
        Int64(range.count), Int64(channels), &sink, source.base + at, Int64(channels),
        Int64(channels), gradient.base + at, 0)
    }
    return (gradient, sums.total())
  }

  /// The same of a deferred gradient, a block of rows at a time.
  private func activationGradient(_ g: Deferred, _ engine: Engine) -> (Tensor, Moments) {
    let gradient = Tensor(uninitialized: x.shape, engine: engine)
    let channels = x.shape.last ?? 1
    let rows = x.count / max(channels, 1)
    let parts = Engine.parts(rows, threads: engine.threads * 4, grain: elementGrain / channels)
    let sums = PartialSums(parts: parts, columns: channels, engine: engine)
    let block = Self.block(channels)
    let scratch = Tensor(uninitialized: [parts, block * channels], engine: engine)
    engine.parallel(parts) { part in
      let range = Engine.part(part, of: parts, in: rows)
      let space = scratch.base + part * block * channels
      for row in stride(from: range.lowerBound, to: range.upperBound, by: block) {
        let rows = row..<min(row + block, range.upperBound)
        g.fill(rows, space)
        var sink = ConvolutionPlan.sink(self, at: row * channels, sums, part: part)
        ck_sink_rows(
          Int64(rows.count), Int64(channels), &sink, space, Int64(channels), Int64(channels),
          gradient.base + row * channels, x.count >= ConvolutionPlan.streamedElements ? 1 : 0)
      }
    }
    return (gradient, sums.total())
  }

  /// Rows that stay in the first-level cache.
  private static func block(_ channels: Int) -> Int { max(1, min(64, 6144 / max(1, channels))) }

  // MARK: - Squeeze and excite

  /// Sums over the pixels of each image, `[images, channels]`.
  func imageSums(_ engine: Engine) -> Tensor {
    reducedImages(engine) { rows, channels, space, sums in
      self.fill(rows, space)
      ck_column_sums(Int64(rows.count), Int64(channels), space, Int64(channels), sums)
    }
  }

  /// Sums of `g` times the value over the pixels of each image, `[images, channels]`: the gradient
  /// of a gate.
  func imageProducts(_ g: Tensor, _ engine: Engine) -> Tensor {
    let g = g.contiguous(engine: engine)
    return reducedImages(engine) { rows, channels, space, sums in
      self.fill(rows, space)
      let from = g.base + rows.lowerBound * channels
      var sink = ck_sink()
      sink.z = UnsafePointer(space)
      (sink.scale, sink.shift) = (UnsafePointer(self.p.base), UnsafePointer(self.p.base))
      (sink.sums, sink.products) = (sums + channels, sums)
      ck_sink_rows(
        Int64(rows.count), Int64(channels), &sink, from, Int64(channels), Int64(channels), from, 0)
    }
  }

  /// `body` adds up a block of rows of one image, with scratch for it, into sums of twice the
  /// channels; the first half is the result.
  private func reducedImages(
    _ engine: Engine,
    _ body: (Range<Int>, Int, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Double>) -> Void
  ) -> Tensor {
    let (images, channels) = (x.shape[0], x.shape.last ?? 1)
    let pixels = imageSize / max(1, channels)
    let result = Tensor(uninitialized: [images, channels], engine: engine)
    let block = Self.block(channels)
    let parts = Engine.parts(
      images, threads: engine.threads * 4, grain: max(1, elementGrain / imageSize))
    let scratch = Tensor(uninitialized: [parts, block * channels], engine: engine)
    engine.parallel(parts) { part in
      let space = scratch.base + part * block * channels
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * channels) { sums in
        for image in Engine.part(part, of: parts, in: images) {
          sums.initialize(repeating: 0)
          for first in stride(from: 0, to: pixels, by: block) {
            let rows = image * pixels + first..<image * pixels + min(first + block, pixels)
            body(rows, channels, space, sums.baseAddress!)
          }
          for j in 0..<channels { result.base[image * channels + j] = Float(sums[j]) }
        }
      }
    }
    return result
  }
}

extension Tensor {
  /// Sums and sums of squares over all but the last axis.
  func moments(engine: Engine) -> Moments {
    let source = contiguous(engine: engine)
    let channels = shape.last ?? 1
    let rows = count / max(channels, 1)
    let parts = Engine.parts(
      rows, threads: engine.threads * 4, grain: elementGrain / max(channels, 1))
    let sums = PartialSums(parts: parts, columns: channels, engine: engine)
    engine.parallel(parts) { part in
      let range = Engine.part(part, of: parts, in: rows)
      ck_moments(
        Int64(range.count), Int64(channels), source.base + range.lowerBound * channels,
        sums.first(part)!, sums.second(part)!)
    }
    return sums.total()
  }
}

extension ck_source {
  /// A value that lies in memory as it is.
  init(_ stored: UnsafeMutablePointer<Float>) {
    self.init()
    x = UnsafePointer(stored)
  }
}

extension Variable {
  /// How kernels read the value, from an element on: deferred values as they are.
  func source(at offset: Int = 0) -> ck_source {
    if case .deferred(let deferred) = content, deferred.known == nil {
      return deferred.source(at: offset)
    }
    return ck_source(value.base + offset)
  }

  /// Rows of the value: where they lie, or computed into `space`.
  func rows(
    _ rows: Range<Int>, _ channels: Int, in space: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    if case .deferred(let deferred) = content, deferred.known == nil {
      deferred.fill(rows, space)
      return UnsafePointer(space)
    }
    return UnsafePointer(value.base + rows.lowerBound * channels)
  }

  /// Whether kernels have to compute the value when they read it.
  var isDeferred: Bool {
    if case .deferred(let deferred) = content { return deferred.known == nil }
    return false
  }

  /// The variable with a contiguous value.
  func contiguous() -> Variable {
    if case .tensor(let tensor) = content, !tensor.isContiguous {
      return Variable(value: tensor.contiguous(engine: tape.engine), tape: tape, node: node)
    }
    return self
  }
}
