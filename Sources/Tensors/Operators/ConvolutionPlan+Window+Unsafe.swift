import CKernels

/// Dense convolution with stride 1 and without a patch matrix.
///
/// An image is copied into a frame of zeros of width `w`. There the pixels under one row of the
/// kernel lie one behind the other, for every position of the window `channels` further: the
/// convolution is a sum of `kernel.height` products whose left operand has overlapping rows. Rows of
/// the result where the window hangs over the frame's edge are computed in vain and left out.
struct FramedImage {
  let height: Int
  let width: Int
  let channels: Int
  let kernel: Convolution.Pair
  /// Zeros around the image.
  let padding: Convolution.Padding

  var frameWidth: Int { width + padding.left + padding.right }
  var frameHeight: Int { height + padding.top + padding.bottom }
  var outHeight: Int { frameHeight - kernel.height + 1 }
  var outWidth: Int { frameWidth - kernel.width + 1 }
  /// Positions of the window, those over the edge included.
  var rows: Int { (outHeight - 1) * frameWidth + outWidth }
  /// Floats of a frame, and of its result with `n` channels.
  var frameSize: Int { (frameHeight * frameWidth * channels + 15) / 16 * 16 }
  func resultSize(_ n: Int) -> Int { (outHeight * frameWidth * n + 15) / 16 * 16 }

  /// Copies an image into a frame whose zeros are there already.
  func fill(_ source: ck_source, _ frame: UnsafeMutablePointer<Float>) {
    var row = source
    for y in 0..<height {
      let to = frame + ((y + padding.top) * frameWidth + padding.left) * channels
      ck_source_rows(
        Int64(width), Int64(channels), &row, Int64(channels), to, Int64(channels))
      row.x += width * channels
      if row.z != nil { row.z += width * channels }
    }
  }

  /// `result[position, n]` for all positions; `weight` is `[kh, kw, channels, n]`.
  func convolve(
    _ frame: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, n: Int,
    _ result: UnsafeMutablePointer<Float>
  ) {
    var g = ck_gemm_args()
    let k = kernel.width * channels
    (g.m, g.n, g.k) = (Int64(rows), Int64(n), Int64(k))
    (g.lda, g.ldb, g.ldc) = (Int64(channels), Int64(n), Int64(n))
    g.c = result
    for ky in 0..<kernel.height {
      g.a = frame + ky * frameWidth * channels
      g.b = weight + ky * k * n
      g.accumulate = ky == 0 ? 0 : 1
      ck_gemm(&g)
    }
  }

  /// Adds the gradient of the weight: `gradient` is `[position, n]`, 0 over the edge.
  func weightGradient(
    _ frame: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, n: Int,
    _ dw: UnsafeMutablePointer<Float>
  ) {
    let k = kernel.width * channels
    for ky in 0..<kernel.height {
      ck_gemm_tn(
        Int64(rows), Int64(n), Int64(k), frame + ky * frameWidth * channels, Int64(channels),
        gradient, Int64(n), dw + ky * k * n, Int64(n), 1)
    }
  }
}

extension ConvolutionPlan {
  /// Whether the frame pays: enough channels for products, an image that is not all edge.
  var isFramed: Bool {
    options.groups == 1 && options.stride == .init(1) && options.dilation == .init(1)
      && kernel != .init(1) && input[3] >= 8 && output[3] >= 8 && output[2] >= 2 * kernel.width
      && options.padding.top < kernel.height && options.padding.bottom < kernel.height
      && options.padding.left < kernel.width && options.padding.right < kernel.width
  }

  private var frame: FramedImage {
    FramedImage(
      height: input[1], width: input[2], channels: input[3], kernel: kernel,
      padding: options.padding)
  }

  func forwardFramed(
    _ x: Variable, _ weight: Tensor, _ finish: Epilogue, _ result: Tensor, parts: Int,
    sums: PartialSums, engine: Engine
  ) {
    let (frame, n, pixels) = (frame, output[3], output[1] * output[2])
    let weight = weight.contiguous(engine: engine)
    let size = frame.frameSize + frame.resultSize(n)
    let scratch = Tensor(uninitialized: [parts, size], engine: engine)
    let ones = Tensor(repeating: 1, shape: [n], engine: engine)
    let zeros = Tensor(zeros: [n], engine: engine)
    let isPlain = finish.scale == nil && finish.shift == nil
    if !x.isDeferred { _ = x.value }
    engine.parallel(parts) { part in
      let space = scratch.base + part * size
      let wide = space + frame.frameSize
      space.update(repeating: 0, count: frame.frameSize)
      for image in Engine.part(part, of: parts, in: input[0]) {
        frame.fill(x.source(at: image * inputImage), space)
        frame.convolve(space, weight.base, n: n, wide)
        let to = result.base + image * outputImage
        var source = ck_source()
        source.activation = finish.activation.kernel
        if !isPlain {
          source.p = UnsafePointer((finish.scale ?? ones).base)
          source.r = UnsafePointer((finish.shift ?? zeros).base)
        }
        if let residual = finish.residual {
          // The residual comes before the activation: as the second term, with a factor of 1.
          source.q = UnsafePointer(ones.base)
          source.p = UnsafePointer((finish.scale ?? ones).base)
          source.r = UnsafePointer((finish.shift ?? zeros).base)
          source.z = UnsafePointer(residual.base + image * outputImage)
        }
        for y in 0..<output[1] {
          source.x = UnsafePointer(wide + y * frame.frameWidth * n)
          ck_source_rows(
            Int64(output[2]), Int64(n), &source, Int64(n), to + y * output[2] * n, Int64(n))
          if source.z != nil { source.z += output[2] * n }
        }
        if let first = sums.first(part), let second = sums.second(part) {
          ck_moments(Int64(pixels), Int64(n), to, first, second)
        }
      }
    }
  }

  func backwardFramed(
    _ x: Variable, _ weight: Tensor, _ g: Variable, _ dx: Tensor?, _ dw: Tensor?, _ sink: Deferred?,
    parts: Int, sums: PartialSums, engine: Engine
  ) {
    let (frame, n, channels) = (frame, output[3], input[3])
    // The input's gradient is a convolution of the output's with the kernel turned around.
    let back = FramedImage(
      height: output[1], width: output[2], channels: n, kernel: kernel,
      padding: .init(
        top: kernel.height - 1 - options.padding.top,
        left: kernel.width - 1 - options.padding.left,
        bottom: kernel.height - 1 - options.padding.bottom,
        right: kernel.width - 1 - options.padding.right))
    let turned = dx == nil ? nil : turned(weight.contiguous(engine: engine), engine: engine)
    // The output's gradient at all positions of the window, for the weight's gradient.
    let wide = FramedImage(
      height: output[1], width: output[2], channels: n, kernel: .init(1),
      padding: .init(top: 0, left: 0, bottom: 0, right: frame.frameWidth - output[2]))
    let fixed = frame.frameSize + wide.frameSize
    let size = fixed + (dx == nil ? 0 : back.frameSize + back.resultSize(channels))
    let scratch = Tensor(uninitialized: [parts, size], engine: engine)
    let partial = dw.map { Tensor(zeros: [parts, $0.count], engine: engine) }
    if !x.isDeferred { _ = x.value }
    if !g.isDeferred { _ = g.value }
    engine.parallel(parts) { part in
      let xs = scratch.base + part * size
      let (ws, bs) = (xs + frame.frameSize, xs + fixed)
      xs.update(repeating: 0, count: dx == nil ? fixed : fixed + back.frameSize)
      for image in Engine.part(part, of: parts, in: input[0]) {
        if let partial {
          frame.fill(x.source(at: image * inputImage), xs)
          wide.fill(g.source(at: image * outputImage), ws)
          frame.weightGradient(xs, ws, n: n, partial.base + part * partial.shape[1])
        }
        guard let dx, let turned else { continue }
        back.fill(g.source(at: image * outputImage), bs)
        let result = bs + back.frameSize
        back.convolve(bs, turned.base, n: channels, result)
        let to = dx.base + image * inputImage
        let row = input[2] * channels
        for y in 0..<input[1] {
          (to + y * row).update(from: result + y * back.frameWidth * channels, count: row)
        }
        if sink != nil {
          var sink = Self.sink(sink, at: image * inputImage, sums, part: part)
          ck_sink_rows(
            Int64(input[1] * input[2]), Int64(channels), &sink, to, Int64(channels),
            Int64(channels), to, 0)
        }
      }
    }
    if let dw, let partial { Self.addUp(partial, parts: parts, into: dw) }
  }

  /// The weight `[kh, kw, in, out]` with both kernel axes reversed, as `[kh, kw, out, in]`.
  private func turned(_ weight: Tensor, engine: Engine) -> Tensor {
    let taps = kernel.height * kernel.width
    let (rows, columns) = (input[3], output[3])
    let result = Tensor(uninitialized: [taps, columns, rows], engine: engine)
    for tap in 0..<taps {
      ck_transpose(
        Int64(rows), Int64(columns), weight.base + (taps - 1 - tap) * rows * columns,
        Int64(columns), result.base + tap * rows * columns, Int64(rows))
    }
    return result
  }
}
