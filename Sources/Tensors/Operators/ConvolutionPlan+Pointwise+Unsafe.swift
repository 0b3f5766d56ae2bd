import CKernels

/// Pointwise convolution: a product over all pixels. Deferred operands are computed block by block
/// into scratch that stays in the cache.
extension ConvolutionPlan {
  /// Rows of a block: what the kernels touch of it fits in the second-level cache.
  private func block(_ k: Int, _ n: Int) -> Int { max(24, min(504, 49_152 / (k + n)) / 12 * 12) }

  func forwardPointwise(
    _ x: Variable, _ weight: Tensor, _ finish: Epilogue, _ result: Tensor, parts: Int,
    sums: PartialSums, engine: Engine
  ) {
    let (k, n, rows) = (input[3], output[3], rows)
    let block = x.isDeferred ? block(k, n) : rows
    let scratch = x.isDeferred ? Tensor(uninitialized: [parts, block * k], engine: engine) : nil
    if !x.isDeferred { _ = x.value }
    var args = Self.product(k: k, n: n, weight, finish)
    args.streamed = result.count >= Self.streamedElements ? 1 : 0
    let shared = args
    let to = result.base
    engine.parallel(parts) { part in
      let range = Engine.part(part, of: parts, in: rows)
      var g = shared
      g.sums = sums.first(part)
      g.squares = sums.second(part)
      var row = range.lowerBound
      while row < range.upperBound {
        let count = min(block, range.upperBound - row)
        g.m = Int64(count)
        // Without scratch the value lies there already.
        g.a = x.rows(row..<row + count, k, in: scratch.map { $0.base + part * block * k } ?? to)
        g.lda = Int64(k)
        g.c = to + row * n
        if let residual = finish.residual { g.residual = UnsafePointer(residual.base + row * n) }
        Self.fetch(x, k, following: row..<row + count, until: range.upperBound, &g)
        ck_gemm(&g)
        row += count
      }
    }
  }

  /// Lets a product fetch from memory what the next block of a deferred value is computed from:
  /// otherwise the processor waits for it there, with nothing to multiply.
  private static func fetch(
    _ value: Variable, _ channels: Int, following rows: Range<Int>, until end: Int,
    _ args: inout ck_gemm_args
  ) {
    let count = min(rows.count, end - rows.upperBound)
    guard value.isDeferred, count > 0 else { return }
    let source = value.source()
    args.ahead.0 = source.x + rows.upperBound * channels
    args.ahead.1 = source.z.map { $0 + rows.upperBound * channels }
    args.ahead_count = Int64(count * channels)
  }

  /// The arguments that all blocks share.
  static func product(k: Int, n: Int, _ weight: Tensor, _ finish: Epilogue) -> ck_gemm_args {
    var g = ck_gemm_args()
    (g.k, g.n) = (Int64(k), Int64(n))
    g.b = UnsafePointer(weight.base)
    g.ldb = Int64(weight.strides[weight.rank - 2])
    (g.ldc, g.ldr) = (Int64(n), Int64(n))
    g.scale = finish.scale.map { UnsafePointer($0.base) }
    g.shift = finish.shift.map { UnsafePointer($0.base) }
    g.activation = finish.activation.kernel
    return g
  }

  func backwardPointwise(
    _ x: Variable, _ weight: Tensor, _ g: Variable, _ dx: Tensor?, _ dw: Tensor?, _ sink: Deferred?,
    parts: Int, sums: PartialSums, engine: Engine
  ) {
    let (k, n, rows) = (input[3], output[3], rows)
    let block = block(2 * k, n)
    let turned = dx == nil ? nil : Self.transposed(weight, k: k, n: n, engine: engine)
    // A large gradient that goes through a sink passes by a block in cache and is stored once.
    let streamed = (dx?.count ?? 0) >= Self.streamedElements
    let through = streamed && sink != nil
    let space = block * (through ? 2 * k + n : k + n)
    let scratch = Tensor(uninitialized: [parts, space], engine: engine)
    let partial = dw.map { _ in Tensor(uninitialized: [parts, k * n], engine: engine) }
    if !x.isDeferred { _ = x.value }
    if !g.isDeferred { _ = g.value }
    engine.parallel(parts) { part in
      let range = Engine.part(part, of: parts, in: rows)
      let (xs, gs) = (scratch.base + part * space, scratch.base + part * space + block * k)
      var row = range.lowerBound
      while row < range.upperBound {
        let count = min(block, range.upperBound - row)
        let gradient = g.rows(row..<row + count, n, in: gs)
        if let partial {
          let input = x.rows(row..<row + count, k, in: xs)
          ck_gemm_tn(
            Int64(count), Int64(n), Int64(k), input, Int64(k), gradient, Int64(n),
            partial.base + part * k * n, Int64(n), row > range.lowerBound ? 1 : 0)
        }
        if let dx, let turned {
          var args = Self.product(k: n, n: k, turned, Epilogue())
          args.m = Int64(count)
          (args.a, args.lda) = (gradient, Int64(n))
          let to = dx.base + row * k
          args.c = through ? gs + block * n : to
          args.streamed = streamed && !through ? 1 : 0
          let (next, channels) = n > k ? (g, n) : (x, k)
          Self.fetch(next, channels, following: row..<row + count, until: range.upperBound, &args)
          ck_gemm(&args)
          if sink != nil {
            var sink = Self.sink(sink, at: row * k, sums, part: part)
            ck_sink_rows(
              Int64(count), Int64(k), &sink, args.c, Int64(k), Int64(k), to, through ? 1 : 0)
          }
        }
        row += count
      }
    }
    if let dw, let partial { Self.addUp(partial, parts: parts, into: dw) }
  }

  /// The weight `[k, n]` (a view, perhaps) as `[n, k]`.
  static func transposed(_ weight: Tensor, k: Int, n: Int, engine: Engine) -> Tensor {
    let turned = Tensor(uninitialized: [n, k], engine: engine)
    ck_transpose(
      Int64(k), Int64(n), weight.base, Int64(weight.strides[weight.rank - 2]), turned.base,
      Int64(k))
    return turned
  }

  static func addUp(_ partial: Tensor, parts: Int, into dw: Tensor) {
    dw.base.update(from: partial.base, count: dw.count)
    for part in 1..<max(parts, 1) {
      ck_axpy(Int64(dw.count), 1, partial.base + part * dw.count, dw.base)
    }
  }
}
