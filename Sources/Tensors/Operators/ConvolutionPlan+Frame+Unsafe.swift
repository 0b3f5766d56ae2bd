import CKernels

/// A frame of zeros around an image: there no window hangs over an edge, and the pixels under one row
/// of the kernel lie one behind the other, so that a convolution needs no patch matrix.
struct Frame {
  let height: Int
  let width: Int
  let channels: Int
  /// Zeros around the image.
  let padding: Convolution.Padding

  var frameWidth: Int { width + padding.left + padding.right }
  var frameHeight: Int { height + padding.top + padding.bottom }
  /// Floats of a frame.
  var size: Int { (frameHeight * frameWidth * channels + 15) / 16 * 16 }

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

  /// Windows of a kernel over the frame.
  func windows(_ kernel: Convolution.Pair, _ stride: Convolution.Pair, out: (Int, Int)) -> ck_frame
  {
    ck_frame(
      width: Int64(frameWidth), channels: Int64(channels), out_height: Int64(out.0),
      out_width: Int64(out.1), kernel_h: Int64(kernel.height), kernel_w: Int64(kernel.width),
      stride_h: Int64(stride.height), stride_w: Int64(stride.width))
  }
}

/// Dense convolution through frames, an image at a time.
extension ConvolutionPlan {
  var isFramed: Bool {
    options.groups == 1 && options.dilation == .init(1) && kernel != .init(1)
  }

  /// Whether the way back goes through frames too: the gradient of a strided convolution's input
  /// would be one of a frame that is mostly zeros.
  func isFramed(wantsInput: Bool) -> Bool {
    isFramed
      && (!wantsInput
        || options.stride == .init(1)
          && options.padding.top < kernel.height && options.padding.bottom < kernel.height
          && options.padding.left < kernel.width && options.padding.right < kernel.width)
  }

  private var frame: Frame {
    Frame(height: input[1], width: input[2], channels: input[3], padding: options.padding)
  }

  private var windows: ck_frame {
    frame.windows(kernel, options.stride, out: (output[1], output[2]))
  }

  func forwardFramed(
    _ x: Variable, _ weight: Tensor, _ finish: Epilogue, _ result: Tensor, parts: Int,
    sums: PartialSums, engine: Engine
  ) {
    let (frame, windows, n) = (frame, windows, output[3])
    let weight = weight.contiguous(engine: engine)
    let scratch = Tensor(uninitialized: [parts, frame.size], engine: engine)
    let shared = Self.product(k: kernel.height * kernel.width * input[3], n: n, weight, finish)
    if !x.isDeferred { _ = x.value }
    engine.parallel(parts) { part in
      let space = scratch.base + part * frame.size
      space.update(repeating: 0, count: frame.size)
      var (g, windows) = (shared, windows)
      (g.b, g.ldb) = (UnsafePointer(weight.base), Int64(n))
      (g.sums, g.squares) = (sums.first(part), sums.second(part))
      for image in Engine.part(part, of: parts, in: input[0]) {
        frame.fill(x.source(at: image * inputImage), space)
        g.c = result.base + image * outputImage
        if let residual = finish.residual {
          g.residual = UnsafePointer(residual.base + image * outputImage)
        }
        ck_frame_product(&windows, space, &g)
      }
    }
  }

  func backwardFramed(
    _ x: Variable, _ weight: Tensor, _ g: Variable, _ dx: Tensor?, _ dw: Tensor?, _ sink: Deferred?,
    parts: Int, sums: PartialSums, engine: Engine
  ) {
    let (frame, windows, n, channels) = (frame, windows, output[3], input[3])
    // The input's gradient is a convolution of the output's with the kernel turned around.
    let back = Frame(
      height: output[1], width: output[2], channels: n,
      padding: .init(
        top: kernel.height - 1 - options.padding.top,
        left: kernel.width - 1 - options.padding.left,
        bottom: kernel.height - 1 - options.padding.bottom,
        right: kernel.width - 1 - options.padding.right))
    let ways = back.windows(kernel, .init(1), out: (input[1], input[2]))
    let turned = dx == nil ? nil : turned(weight.contiguous(engine: engine), engine: engine)
    let gradientSize = g.isDeferred ? (outputImage + 15) / 16 * 16 : 0
    let size = frame.size + gradientSize + (dx == nil ? 0 : back.size)
    let scratch = Tensor(uninitialized: [parts, size], engine: engine)
    let partial = dw.map { Tensor(zeros: [parts, $0.count], engine: engine) }
    if !x.isDeferred { _ = x.value }
    if !g.isDeferred { _ = g.value }
    engine.parallel(parts) { part in
      let xs = scratch.base + part * size
      let (gs, bs) = (xs + frame.size, xs + frame.size + gradientSize)
      xs.update(repeating: 0, count: size)
      var (windows, ways) = (windows, ways)
      for image in Engine.part(part, of: parts, in: input[0]) {
        var gradient = g.source(at: image * outputImage)
        if gradient.p != nil {
          ck_source_rows(
            Int64(output[1] * output[2]), Int64(n), &gradient, Int64(n), gs, Int64(n))
          gradient = ck_source()
          gradient.x = UnsafePointer(gs)
        }
        if let partial {
          frame.fill(x.source(at: image * inputImage), xs)
          ck_frame_gradient(
            &windows, xs, gradient.x, Int64(n), partial.base + part * partial.shape[1])
        }
        guard let dx, let turned else { continue }
        back.fill(gradient, bs)
        var product = ck_gemm_args()
        (product.n, product.b, product.ldb) = (
          Int64(channels), UnsafePointer(turned.base), Int64(channels)
        )
        let to = dx.base + image * inputImage
        (product.c, product.ldc) = (to, Int64(channels))
        ck_frame_product(&ways, bs, &product)
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
