import CKernels

extension EngineProbe {
  /// The multiply-add peak and the bandwidth of memory, on all threads.
  mutating func measurePeaks() {
    let iterations: Int64 = 2_000_000
    var one: Float = 0.001
    let flops = ck_probe_fma(1, &one) * Double(iterations) * Double(engine.threads)
    let (engine, threads) = (engine, engine.threads)
    measure("multiply-add peak", flops: flops, bytes: nil) {
      engine.parallel(threads) { _ in
        var sink: Float = 0.001
        _ = ck_probe_fma(iterations, &sink)
      }
    }
    let count = 32 << 20
    let (a, b) = (Tensor(zeros: [count]), Tensor(zeros: [count]))
    measure("read", flops: nil, bytes: 4 * Double(count)) {
      engine.parallel(count, grain: 1) { range in
        _ = ck_max(Int64(range.count), a.base + range.lowerBound)
      }
    }
    measure("copy", flops: nil, bytes: 8 * Double(count)) {
      engine.parallel(count, grain: 1) { range in
        ck_affine(Int64(range.count), a.base + range.lowerBound, 1, 0, b.base + range.lowerBound)
      }
    }
  }
}
