import COpenBLAS

/// The library's matrix product, on one thread: what the own one is compared with.
enum OpenBLAS {
  /// `[m, k] x [k, n]`
  static func product(_ a: Tensor, _ b: Tensor) -> Tensor {
    openblas_set_num_threads(1)
    let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
    let (a, b) = (a.contiguous(), b.contiguous())
    let c = Tensor(uninitialized: [m, n], engine: nil)
    if m == 0 || n == 0 { return c }
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(m), blasint(n), blasint(k), 1, a.base,
      blasint(max(k, 1)), b.base, blasint(n), 0, c.base, blasint(n))
    return c
  }
}
