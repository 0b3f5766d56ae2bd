import CKernels

/// Multiply-adds a thread should at least have.
let productGrain = 60_000

/// What a product does to its result on the way out, per column.
struct Epilogue {
  var scale: Tensor?
  var shift: Tensor?
  var activation: Activation = .identity
  var residual: Tensor?
}

extension Tensor {
  /// `[m, k] x [k, n]`, either operand transposed as stored; views are read in place.
  static func product(
    _ a: Tensor, transposed ta: Bool = false, _ b: Tensor, transposed tb: Bool = false,
    epilogue: Epilogue = Epilogue(), engine: Engine
  ) throws -> Tensor {
    try check(
      a.rank == 2 && b.rank == 2, "matmul: ranks must be 2, got \(a.shape) and \(b.shape)")
    let (m, k) = ta ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
    let n = tb ? b.shape[0] : b.shape[1]
    try check(
      (tb ? b.shape[1] : b.shape[0]) == k,
      "matmul: inner extents differ: \(a.shape)\(ta ? "^T" : "") and \(b.shape)\(tb ? "^T" : "")")
    let result = Tensor(uninitialized: [m, n], engine: engine)
    if tb {
      let turned = try b.permuted([1, 0], engine: engine)
      return try product(a, transposed: ta, turned, epilogue: epilogue, engine: engine)
    }
    if ta {
      let plain = epilogue.scale == nil && epilogue.shift == nil && epilogue.residual == nil
      precondition(plain && epilogue.activation == .identity, "no epilogue on A^T B")
      productTN(a, b, into: result.base, m: k, n: n, k: m, engine: engine)
    } else {
      productNN(a, b, result, epilogue, engine: engine)
    }
    return result
  }

  private static func productNN(
    _ a: Tensor, _ b: Tensor, _ c: Tensor, _ epilogue: Epilogue, engine: Engine
  ) {
    let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
    if m == 0 || n == 0 { return }
    var g = ck_gemm_args()
    (g.m, g.n, g.k) = (Int64(m), Int64(n), Int64(k))
    (g.a, g.b, g.c) = (UnsafePointer(a.base), UnsafePointer(b.base), c.base)
    (g.lda, g.ldb, g.ldc) = (Int64(a.rowStride), Int64(b.rowStride), Int64(n))
    g.activation = epilogue.activation.kernel
    if let scale = epilogue.scale { g.scale = UnsafePointer(scale.base) }
    if let shift = epilogue.shift { g.shift = UnsafePointer(shift.base) }
    if let residual = epilogue.residual {
      g.residual = UnsafePointer(residual.base)
      g.ldr = Int64(n)
    }
    let args = g
    if m >= 24 || n < 64 {
      engine.parallel(m, grain: max(1, productGrain / max(1, n * k))) { rows in
        var g = args
        let r = rows.lowerBound
        g.m = Int64(rows.count)
        g.a += r * Int(g.lda)
        g.c += r * n
        if g.residual != nil { g.residual += r * n }
        ck_gemm(&g)
      }
    } else {
      // Few rows: cut the columns, in whole vectors.
      let blocks = (n + 31) / 32
      engine.parallel(blocks, grain: max(1, productGrain / max(1, m * k * 32))) { range in
        var g = args
        let j = range.lowerBound * 32
        g.n = Int64(min(range.upperBound * 32, n) - j)
        g.b += j
        g.c += j
        if g.scale != nil { g.scale += j }
        if g.shift != nil { g.shift += j }
        if g.residual != nil { g.residual += j }
        ck_gemm(&g)
      }
    }
  }

  /// `C[k, n] = A[m, k]^T B[m, n]`. Long reductions are cut into parts, added in order.
  static func productTN(
    _ a: Tensor, _ b: Tensor, into c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int,
    engine: Engine
  ) {
    let (lda, ldb) = (Int64(a.rowStride), Int64(b.rowStride))
    let (pa, pb) = (a.base, b.base)
    if k == 0 || n == 0 { return }
    if m > 2 * max(n, k) {
      let parts = Engine.parts(m, threads: engine.threads, grain: max(1, productGrain / (n * k)))
      let partial = Tensor(uninitialized: [max(parts - 1, 1), k, n], engine: engine)
      let extra = partial.base
      engine.parallel(parts) { part in
        let rows = Engine.part(part, of: parts, in: m)
        let to = part == 0 ? c : extra + (part - 1) * k * n
        ck_gemm_tn(
          Int64(rows.count), Int64(n), Int64(k), pa + rows.lowerBound * Int(lda), lda,
          pb + rows.lowerBound * Int(ldb), ldb, to, Int64(n), 0)
      }
      for part in 1..<max(parts, 1) { ck_axpy(Int64(k * n), 1, extra + (part - 1) * k * n, c) }
    } else {
      let blocks = (k + 11) / 12
      engine.parallel(blocks, grain: max(1, productGrain / max(1, m * n * 12))) { range in
        let i = range.lowerBound * 12
        ck_gemm_tn(
          Int64(m), Int64(n), Int64(min(range.upperBound * 12, k) - i), pa + i, lda, pb, ldb,
          c + i * n, Int64(n), 0)
      }
    }
  }

  /// Distance between rows of a matrix.
  var rowStride: Int { shape[0] <= 1 ? max(shape[1], 1) : strides[0] }

  /// `[b, m, k] x [b, k, n]`: one product for each leading index.
  static func batchedProduct(
    _ a: Tensor, transposed ta: Bool, _ b: Tensor, transposed tb: Bool, engine: Engine
  ) throws -> Tensor {
    try check(
      a.rank == 3 && b.rank == 3 && a.shape[0] == b.shape[0],
      "matmul: batches differ: \(a.shape) and \(b.shape)")
    let (m, k) = ta ? (a.shape[2], a.shape[1]) : (a.shape[1], a.shape[2])
    let n = tb ? b.shape[1] : b.shape[2]
    try check(
      (tb ? b.shape[2] : b.shape[1]) == k,
      "matmul: inner extents differ: \(a.shape)\(ta ? "^T" : "") and \(b.shape)\(tb ? "^T" : "")")
    let a = a.contiguous(engine: engine)
    let b = tb ? try b.permuted([0, 2, 1], engine: engine) : b.contiguous(engine: engine)
    let result = Tensor(uninitialized: [a.shape[0], m, n], engine: engine)
    let (pa, pb, pc) = (a.base, b.base, result.base)
    engine.parallel(a.shape[0], grain: max(1, productGrain / max(1, m * n * k))) { range in
      for i in range {
        let (x, y, z) = (pa + i * m * k, pb + i * k * n, pc + i * m * n)
        if ta {
          ck_gemm_tn(Int64(k), Int64(n), Int64(m), x, Int64(m), y, Int64(n), z, Int64(n), 0)
        } else {
          var g = ck_gemm_args()
          (g.m, g.n, g.k) = (Int64(m), Int64(n), Int64(k))
          (g.a, g.b, g.c) = (UnsafePointer(x), UnsafePointer(y), z)
          (g.lda, g.ldb, g.ldc) = (Int64(k), Int64(n), Int64(n))
          ck_gemm(&g)
        }
      }
    }
    return result
  }

  /// `g * f'(self)`
  func gradient(_ kind: Activation, _ g: Tensor, engine: Engine) -> Tensor {
    let (x, g) = (contiguous(engine: engine), g.contiguous(engine: engine))
    let result = Tensor(uninitialized: shape, engine: engine)
    let (px, pg, pr) = (x.base, g.base, result.base)
    engine.parallel(count, grain: elementGrain) { range in
      let at = range.lowerBound
      ck_activation_gradient(kind.kernel, Int64(range.count), px + at, pg + at, pr + at)
    }
    return result
  }

  /// Softmax, or its logarithm, over the last axis.
  func softmax(logarithm: Bool, engine: Engine) -> Tensor {
    let x = contiguous(engine: engine)
    let result = Tensor(uninitialized: shape, engine: engine)
    let columns = shape.last ?? 1
    if columns == 0 { return result }
    let (from, to) = (x.base, result.base)
    engine.parallel(count / columns, grain: max(1, 2048 / columns)) { rows in
      let at = rows.lowerBound * columns
      ck_softmax(Int64(rows.count), Int64(columns), from + at, to + at, logarithm ? 1 : 0)
    }
    return result
  }
}
