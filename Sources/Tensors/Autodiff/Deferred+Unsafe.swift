import CKernels

extension Deferred {
  /// How the kernels see it, from an element on. Valid while this object lives.
  func source(at offset: Int = 0) -> ck_source {
    ck_source(
      x: UnsafePointer(x.base + offset), z: z.map { UnsafePointer($0.base + offset) },
      p: UnsafePointer(p.base), q: q.map { UnsafePointer($0.base) }, r: UnsafePointer(r.base),
      activation: activation.kernel)
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
      var source = source(at: at)
      let (count, channels) = (Int64(rows.count), Int64(channels))
      if let other {
        ck_source_add(count, channels, &source, other.base + at, to + at)
      } else {
        ck_source_rows(count, channels, &source, channels, to + at, channels)
      }
    }
    return result
  }
}

extension Deferred {
  /// From the gradient of the value to that of `p * x + r`, with the sums batch norm needs.
  func activationGradient(_ g: Tensor, _ engine: Engine) -> (Tensor, Moments) {
    let source = g.contiguous(engine: engine)
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

extension Variable {
  /// How kernels read the value, from an element on: deferred values as they are.
  func source(at offset: Int = 0) -> ck_source {
    if case .deferred(let deferred) = content, deferred.known == nil {
      return deferred.source(at: offset)
    }
    var source = ck_source()
    source.x = UnsafePointer(value.base + offset)
    return source
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
