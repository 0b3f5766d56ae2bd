import CKernels
import Testing

@testable import Tensors

/// The fast kernels of each instruction set against their plain references, over random shapes.
@Suite struct KernelTests {
  static let levels: [Int32] = [0, 1, 2]
  static let seeds = 0..<60

  /// An array with the slack that kernels may read behind its end.
  final class Buffer {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int
    init(_ count: Int, _ random: inout RandomStream) {
      self.count = count
      pointer = .allocate(capacity: count + Int(CK_SLACK))
      for i in 0..<count + Int(CK_SLACK) {
        (pointer + i).initialize(to: random.uniform(-1..<1))
      }
    }
    init(copying other: Buffer) {
      count = other.count
      pointer = .allocate(capacity: count + Int(CK_SLACK))
      pointer.initialize(from: other.pointer, count: count + Int(CK_SLACK))
    }
    deinit { pointer.deallocate() }
    var constant: UnsafePointer<Float> { UnsafePointer(pointer) }
  }

  final class Sums {
    let pointer: UnsafeMutablePointer<Double>
    let count: Int
    init(_ count: Int) {
      self.count = count
      pointer = .allocate(capacity: count)
      pointer.initialize(repeating: 0.5, count: count)
    }
    deinit { pointer.deallocate() }
  }

  /// Sums of n products of numbers in [-1, 1): c * eps * sqrt(n), with room for the activation.
  func tolerance(_ n: Int) -> Float { 8 * .ulpOfOne * (Float(n).squareRoot() + 2) }

  func expectEqual(_ a: Buffer, _ b: Buffer, _ tolerance: Float, _ what: String) {
    for i in 0..<a.count + Int(CK_SLACK) {
      let (x, y) = (a.pointer[i], b.pointer[i])
      if !(abs(x - y) <= tolerance * max(1, abs(y))) {
        Issue.record("\(what): element \(i) of \(a.count) is \(x), reference \(y)")
        return
      }
    }
  }

  func expectEqual(_ a: Sums, _ b: Sums, _ tolerance: Double, _ what: String) {
    for i in 0..<a.count where !(abs(a.pointer[i] - b.pointer[i]) <= tolerance) {
      Issue.record("\(what): sum \(i) is \(a.pointer[i]), reference \(b.pointer[i])")
    }
  }

  @Test(arguments: levels) func gemm(_ level: Int32) {
    guard ck_isa_select(level) == level else { return }
    defer { ck_isa_select(-1) }
    for seed in Self.seeds {
      var random = RandomStream(seed: UInt64(seed))
      let (m, n) = (random.integer(below: 70) + 1, random.integer(below: 90) + 1)
      let k = seed % 10 == 0 ? 600 + random.integer(below: 600) : random.integer(below: 90)
      let (lda, ldb) = (k + random.integer(below: 3), n + random.integer(below: 5))
      let ldc = n + random.integer(below: 3)
      let (a, b) = (Buffer(m * lda, &random), Buffer(k * ldb, &random))
      let (c, residual) = (Buffer(m * ldc, &random), Buffer(m * ldc, &random))
      let (scale, shift) = (Buffer(n, &random), Buffer(n, &random))
      let expected = Buffer(copying: c)
      let (s1, q1, s2, q2) = (Sums(n), Sums(n), Sums(n), Sums(n))
      var g = ck_gemm_args()
      (g.m, g.n, g.k) = (Int64(m), Int64(n), Int64(k))
      (g.a, g.lda, g.b, g.ldb) = (a.constant, Int64(lda), b.constant, Int64(ldb))
      (g.c, g.ldc, g.ldr) = (c.pointer, Int64(ldc), Int64(ldc))
      g.accumulate = Int32(random.integer(below: 2))
      g.activation = Int32(random.integer(below: 9))
      if random.uniform() < 0.5 { g.scale = scale.constant }
      if random.uniform() < 0.5 { g.shift = shift.constant }
      if random.uniform() < 0.5 { g.residual = residual.constant }
      if random.uniform() < 0.5 { (g.sums, g.squares) = (s1.pointer, q1.pointer) }
      ck_gemm(&g)
      g.c = expected.pointer
      if g.sums != nil { (g.sums, g.squares) = (s2.pointer, q2.pointer) }
      ck_gemm_reference(&g)
      expectEqual(c, expected, tolerance(k), "gemm \(m)x\(n)x\(k), seed \(seed), level \(level)")
      let sumTolerance = Double(tolerance(k)) * Double(m) * (Double(k).squareRoot() + 1)
      expectEqual(s1, s2, sumTolerance, "gemm sums, seed \(seed)")
      expectEqual(q1, q2, sumTolerance, "gemm squares, seed \(seed)")
    }
  }

  @Test(arguments: levels) func gemmTransposed(_ level: Int32) {
    guard ck_isa_select(level) == level else { return }
    defer { ck_isa_select(-1) }
    for seed in Self.seeds {
      var random = RandomStream(seed: UInt64(seed)).derived("tn")
      let (n, k) = (random.integer(below: 90) + 1, random.integer(below: 90) + 1)
      let m = seed % 10 == 0 ? 1500 + random.integer(below: 600) : random.integer(below: 90)
      let (lda, ldb) = (k + random.integer(below: 3), n + random.integer(below: 5))
      let (a, b) = (Buffer(m * lda, &random), Buffer(m * ldb, &random))
      let c = Buffer(k * n, &random)
      let expected = Buffer(copying: c)
      let add = Int32(random.integer(below: 2))
      let (M, N, K) = (Int64(m), Int64(n), Int64(k))
      ck_gemm_tn(M, N, K, a.constant, Int64(lda), b.constant, Int64(ldb), c.pointer, N, add)
      ck_gemm_tn_reference(
        M, N, K, a.constant, Int64(lda), b.constant, Int64(ldb), expected.pointer, N, add)
      expectEqual(c, expected, tolerance(m), "gemm_tn \(m)x\(n)x\(k), seed \(seed)")
    }
  }

  @Test(arguments: levels) func frames(_ level: Int32) {
    guard ck_isa_select(level) == level else { return }
    defer { ck_isa_select(-1) }
    for seed in Self.seeds {
      var random = RandomStream(seed: UInt64(seed)).derived("frames")
      var f = ck_frame()
      (f.kernel_h, f.kernel_w) = ([1, 2, 3, 3, 5][seed % 5], [3, 3, 1, 2, 5][seed / 5 % 5])
      (f.stride_h, f.stride_w) = (Int64(seed % 3) + 1, Int64(seed / 3 % 2) + 1)
      f.out_height = Int64(random.integer(below: 9) + 1)
      f.out_width = Int64(random.integer(below: 40) + 1)
      f.channels = Int64(random.integer(below: 20) + 1)
      // A frame may be wider than its windows reach.
      f.width = (f.out_width - 1) * f.stride_w + f.kernel_w + Int64(random.integer(below: 3))
      let height = (f.out_height - 1) * f.stride_h + f.kernel_h
      let (k, n) = (Int(f.kernel_h * f.kernel_w * f.channels), random.integer(below: 70) + 1)
      let pixels = Int(f.out_height * f.out_width)
      let frame = Buffer(Int(f.width * height * f.channels), &random)
      let (weight, residual) = (Buffer(k * n, &random), Buffer(pixels * n, &random))
      let (scale, shift) = (Buffer(n, &random), Buffer(n, &random))
      let c = Buffer(pixels * n, &random)
      let expected = Buffer(copying: c)
      let (s1, q1, s2, q2) = (Sums(n), Sums(n), Sums(n), Sums(n))
      var g = ck_gemm_args()
      (g.n, g.b, g.ldb) = (Int64(n), weight.constant, Int64(n))
      (g.c, g.ldc, g.ldr) = (c.pointer, Int64(n), Int64(n))
      g.activation = Int32(random.integer(below: 9))
      if random.uniform() < 0.5 { g.scale = scale.constant }
      if random.uniform() < 0.5 { g.shift = shift.constant }
      if random.uniform() < 0.5 { g.residual = residual.constant }
      if random.uniform() < 0.5 { (g.sums, g.squares) = (s1.pointer, q1.pointer) }
      ck_frame_product(&f, frame.constant, &g)
      g.c = expected.pointer
      if g.sums != nil { (g.sums, g.squares) = (s2.pointer, q2.pointer) }
      ck_frame_product_reference(&f, frame.constant, &g)
      let what = "seed \(seed), level \(level), \(f), \(n) results"
      expectEqual(c, expected, tolerance(k), "frame product, \(what)")
      let sumTolerance = Double(tolerance(k)) * Double(pixels) * (Double(k).squareRoot() + 1)
      expectEqual(s1, s2, sumTolerance, "sums, \(what)")
      expectEqual(q1, q2, sumTolerance, "squares, \(what)")
      let dw = Buffer(copying: weight)
      let dw2 = Buffer(copying: weight)
      ck_frame_gradient(&f, frame.constant, residual.constant, Int64(n), dw.pointer)
      ck_frame_gradient_reference(&f, frame.constant, residual.constant, Int64(n), dw2.pointer)
      expectEqual(dw, dw2, tolerance(pixels), "frame gradient, \(what)")
    }
  }

  /// Rows of few channels too: nothing behind the last row is written.
  @Test(arguments: levels) func sourceRows(_ level: Int32) {
    guard ck_isa_select(level) == level else { return }
    defer { ck_isa_select(-1) }
    for seed in Self.seeds {
      var random = RandomStream(seed: UInt64(seed)).derived("source")
      let (rows, channels) = (random.integer(below: 9) + 1, random.integer(below: 40) + 1)
      let ldo = channels + (seed % 3 == 0 ? 2 : 0)
      let (x, z) = (Buffer(rows * channels, &random), Buffer(rows * channels, &random))
      let factors = (0..<4).map { _ in Buffer(channels, &random) }
      let out = Buffer(rows * ldo, &random)
      let expected = Buffer(copying: out)
      var source = ck_source()
      (source.x, source.z) = (x.constant, z.constant)
      (source.p, source.q, source.r) = (
        factors[0].constant, factors[1].constant, factors[2].constant
      )
      if seed % 2 == 0 { source.gate = factors[3].constant }
      for i in 0..<rows {
        for c in 0..<channels {
          let (a, b) = (x.pointer[i * channels + c], z.pointer[i * channels + c])
          let v =
            a * factors[0].pointer[c] + b * factors[1].pointer[c] + factors[2].pointer[c]
          expected.pointer[i * ldo + c] = seed % 2 == 0 ? v * factors[3].pointer[c] : v
        }
      }
      withExtendedLifetime((x, z, factors)) {
        ck_source_rows(
          Int64(rows), Int64(channels), &source, Int64(channels), out.pointer, Int64(ldo))
      }
      expectEqual(out, expected, tolerance(3), "source rows \(rows)x\(channels), seed \(seed)")
    }
  }

  static func window(_ random: inout RandomStream) -> ck_window {
    var w = ck_window()
    w.height = Int64(random.integer(below: 12) + 3)
    w.width = Int64(random.integer(below: 40) + 3)
    w.channels = Int64(random.integer(below: 50) + 1)
    if random.uniform() < 0.3 { w.channels = 16 * ((w.channels + 15) / 16) }
    w.kernel_h = [1, 2, 3, 3, 5, 7][random.integer(below: 6)]
    w.kernel_w = [w.kernel_h, w.kernel_h, 3, 4][random.integer(below: 4)]
    w.dilation_h = random.uniform() < 0.8 ? 1 : 2
    w.dilation_w = random.uniform() < 0.8 ? 1 : 3
    w.stride_h = Int64(random.integer(below: 3) + 1)
    w.stride_w = random.uniform() < 0.7 ? w.stride_h : Int64(random.integer(below: 3) + 1)
    let (spanH, spanW) = ((w.kernel_h - 1) * w.dilation_h, (w.kernel_w - 1) * w.dilation_w)
    w.pad_top = Int64(random.integer(below: Int(spanH) + 1))
    w.pad_left = Int64(random.integer(below: Int(spanW) + 1))
    let bottom = max(Int64(random.integer(below: Int(spanH) + 1)), spanH - w.height - w.pad_top + 1)
    let right = max(Int64(random.integer(below: Int(spanW) + 1)), spanW - w.width - w.pad_left + 1)
    w.out_height = (w.height + w.pad_top + bottom - spanH - 1) / w.stride_h + 1
    w.out_width = (w.width + w.pad_left + right - spanW - 1) / w.stride_w + 1
    return w
  }

  @Test(arguments: levels) func depthwise(_ level: Int32) {
    guard ck_isa_select(level) == level else { return }
    defer { ck_isa_select(-1) }
    for seed in Self.seeds {
      var random = RandomStream(seed: UInt64(seed)).derived("depthwise")
      var w = Self.window(&random)
      let taps = Int(w.kernel_h * w.kernel_w)
      let (inputs, outputs) = (Int(w.height * w.width), Int(w.out_height * w.out_width))
      let channels = Int(w.channels)
      let groups = (channels + 15) / 16
      let x = Buffer(inputs * channels, &random)
      let (weight, scale, shift) = (
        Buffer(groups * taps * 16, &random), Buffer(channels, &random), Buffer(channels, &random)
      )
      let out = Buffer(outputs * channels, &random)
      let expected = Buffer(copying: out)
      let (s1, q1, s2, q2) = (Sums(channels), Sums(channels), Sums(channels), Sums(channels))
      let scratch = Buffer(Int(ck_depthwise_scratch(&w)), &random)
      withUnsafePointer(to: w) { window in
        var args = ck_depthwise_args()
        args.window = window
        args.in.x = x.constant
        if random.uniform() < 0.6 {
          (args.in.p, args.in.r) = (scale.constant, shift.constant)
          args.in.activation = Int32(random.integer(below: 9))
          if random.uniform() < 0.5 { args.in.gate = shift.constant }
        }
        (args.weight, args.out) = (weight.constant, out.pointer)
        (args.sums, args.squares) = (s1.pointer, q1.pointer)
        if random.uniform() < 0.5 { (args.scale, args.shift) = (shift.constant, scale.constant) }
        args.activation = Int32(random.integer(below: 9))
        args.streamed = Int32(random.integer(below: 2))
        args.more = Int32(random.integer(below: 2))
        for c0 in stride(from: 0, to: channels, by: Int(CK_LANES)) {
          ck_depthwise(&args, Int64(c0), Int64(min(16, channels - c0)), scratch.pointer)
        }
        args.out = expected.pointer
        (args.sums, args.squares) = (s2.pointer, q2.pointer)
        ck_depthwise_reference(&args)
      }
      let what = "seed \(seed), level \(level), \(w)"
      expectEqual(out, expected, tolerance(taps), "depthwise, \(what)")
      expectEqual(s1, s2, Double(tolerance(taps)) * Double(outputs + 1), "sums, \(what)")
      expectEqual(q1, q2, Double(tolerance(taps)) * Double(outputs * taps + 1), "squares, \(what)")
    }
  }

  @Test(arguments: levels) func depthwiseGradient(_ level: Int32) {
    guard ck_isa_select(level) == level else { return }
    defer { ck_isa_select(-1) }
    for seed in Self.seeds {
      var random = RandomStream(seed: UInt64(seed)).derived("depthwise gradient")
      var w = Self.window(&random)
      let taps = Int(w.kernel_h * w.kernel_w)
      let (inputs, outputs) = (Int(w.height * w.width), Int(w.out_height * w.out_width))
      let channels = Int(w.channels)
      let groups = (channels + 15) / 16
      let (x, d, z) = (
        Buffer(inputs * channels, &random), Buffer(outputs * channels, &random),
        Buffer(outputs * channels, &random)
      )
      let (p, q, r) = (
        Buffer(channels, &random), Buffer(channels, &random), Buffer(channels, &random)
      )
      let weight = Buffer(groups * taps * 16, &random)
      let (dx, dw) = (Buffer(inputs * channels, &random), Buffer(groups * taps * 16, &random))
      let (dx2, dw2) = (Buffer(copying: dx), Buffer(copying: dw))
      let (s1, q1, s2, q2) = (Sums(channels), Sums(channels), Sums(channels), Sums(channels))
      let scratch = Buffer(Int(ck_depthwise_scratch(&w)), &random)
      withUnsafePointer(to: w) { window in
        var args = ck_depthwise_gradient_args()
        args.window = window
        (args.in.x, args.gradient.x) = (x.constant, d.constant)
        let fused = random.uniform() < 0.6
        if fused {
          (args.in.p, args.in.r, args.in.activation) = (p.constant, r.constant, Int32(CK_SWISH))
          (args.gradient.z, args.gradient.p) = (z.constant, q.constant)
          (args.gradient.q, args.gradient.r) = (r.constant, p.constant)
          // At a kink rounding decides; none of these seeds comes so near to one.
          args.sink.activation = Int32(random.integer(below: 9))
          (args.sink.z, args.sink.scale, args.sink.shift) = (x.constant, p.constant, r.constant)
          (args.sink.sums, args.sink.products) = (s1.pointer, q1.pointer)
        }
        args.weight = weight.constant
        let wanted = random.integer(below: 4)
        if wanted != 1 { args.dx = dx.pointer }
        if wanted != 2 { args.dw = dw.pointer }
        args.streamed = Int32(random.integer(below: 2))
        args.more = Int32(random.integer(below: 2))
        for c0 in stride(from: 0, to: channels, by: Int(CK_LANES)) {
          ck_depthwise_gradient(&args, Int64(c0), Int64(min(16, channels - c0)), scratch.pointer)
        }
        if args.dx != nil { args.dx = dx2.pointer }
        if args.dw != nil { args.dw = dw2.pointer }
        if fused { (args.sink.sums, args.sink.products) = (s2.pointer, q2.pointer) }
        ck_depthwise_gradient_reference(&args)
      }
      let what = "seed \(seed), level \(level), \(w)"
      expectEqual(dx, dx2, 3 * tolerance(taps), "dx, \(what)")
      for i in 0..<dw.count where i / (taps * 16) * 16 + i % 16 >= channels {
        dw.pointer[i] = dw2.pointer[i]  // behind the last channel anything goes
      }
      expectEqual(dw, dw2, 3 * tolerance(outputs), "dw, \(what)")
      let sumTolerance = Double(tolerance(taps)) * Double(inputs * 3 + 1)
      expectEqual(s1, s2, sumTolerance, "sums, \(what)")
      expectEqual(q1, q2, sumTolerance, "products, \(what)")
    }
  }

  /// Elementwise functions: a few units in the last place, and absolutely near zero.
  @Test(arguments: levels) func activations(_ level: Int32) {
    guard ck_isa_select(level) == level else { return }
    defer { ck_isa_select(-1) }
    var random = RandomStream(seed: 9)
    let count = 4003
    let x = Buffer(count, &random)
    for i in 0..<count { x.pointer[i] = random.uniform(-12..<12) }
    let ones = Buffer(copying: x)
    for i in 0..<count { ones.pointer[i] = 1 }
    let inputs = (0..<count).map { Double(x.pointer[$0]) }
    var expected = inputs
    for kind in Int32(0)...8 {
      for order in Int32(0)...2 {
        let y = Buffer(copying: x)
        switch order {
        case 0: ck_activation(kind, Int64(count), x.constant, y.pointer)
        case 1: ck_activation_gradient(kind, Int64(count), x.constant, ones.constant, y.pointer)
        default: ck_activation_second(kind, Int64(count), x.constant, y.pointer)
        }
        ck_activation_reference(kind, order, Int64(count), inputs, &expected)
        for i in 0..<count {
          let (a, b) = (Double(y.pointer[i]), expected[i])
          let tolerance = Double(Float.ulpOfOne) * (8 * abs(b) + 8)
          if !(abs(a - b) <= tolerance) {
            Issue.record("activation \(kind), order \(order), of \(inputs[i]): \(a), not \(b)")
            break
          }
        }
      }
    }
  }
}
