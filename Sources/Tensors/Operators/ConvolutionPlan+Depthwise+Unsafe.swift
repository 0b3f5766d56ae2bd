import CKernels

/// Depthwise convolution: tasks are an image, or a band of its rows, and a line of 16 channels.
extension ConvolutionPlan {
  /// Groups of channels.
  var chunks: Int { (input[3] + Int(CK_LANES) - 1) / Int(CK_LANES) }

  /// The weight (a view, perhaps) as the kernels read it.
  private func packed(_ weight: Tensor, engine: Engine) -> Tensor {
    let even = kernel.height == 1 || weight.strides[0] == kernel.width * weight.strides[1]
    let weight = even ? weight : weight.copied(engine: engine)
    let taps = kernel.height * kernel.width
    let result = Tensor(uninitialized: [chunks, taps, Int(CK_LANES)], engine: engine)
    ck_lanes_pack(
      Int64(taps), Int64(input[3]), weight.base, Int64(weight.strides[1]), result.base)
    return result
  }

  /// The image, first channel and number of channels of a task.
  private func task(_ i: Int) -> (image: Int, channel: Int, count: Int) {
    let channel = i % chunks * Int(CK_LANES)
    return (i / chunks, channel, min(Int(CK_LANES), input[3] - channel))
  }

  /// The window of output rows `rows` of `bands` equal bands, and the input row at which it starts.
  private func band(_ i: Int, of bands: Int) -> (window: ck_window, inputRow: Int, outputRow: Int) {
    let rows = Engine.part(i, of: bands, in: output[1])
    let top = rows.lowerBound * options.stride.height - options.padding.top
    let start = min(max(0, top), input[1])
    var window = window
    window.height = Int64(input[1] - start)
    window.out_height = Int64(rows.count)
    window.pad_top = Int64(start - top)
    return (window, start, rows.lowerBound)
  }

  func forwardDepthwise(
    _ x: Variable, _ weight: Tensor, _ finish: Epilogue, _ result: Tensor, parts: Int,
    sums: PartialSums, engine: Engine
  ) {
    let weight = packed(weight, engine: engine)
    let size = withUnsafePointer(to: window) { Int(ck_depthwise_scratch($0)) }
    // Too few images for the threads are cut into rows, as pointwise convolutions cut them: then a
    // core finds in its cache what it wrote a layer before.
    let bands = output[0] < engine.threads ? min(engine.threads, output[1]) : 1
    let scratch = Tensor(uninitialized: [parts, (size + 15) / 16 * 16], engine: engine)
    let scale =
      finish.scale ?? finish.shift.map { Tensor(repeating: 1, shape: $0.shape, engine: engine) }
    let shift = finish.shift ?? (scale == nil ? nil : Tensor(zeros: [output[3]], engine: engine))
    // Pointers only: references counted by all threads at once would cost more than small layers.
    var args = ck_depthwise_args()
    args.weight = UnsafePointer(weight.base)
    args.scale = scale.map { UnsafePointer($0.base) }
    args.shift = shift.map { UnsafePointer($0.base) }
    args.activation = finish.activation.kernel
    args.streamed = result.count >= Self.streamedElements ? 1 : 0
    let (shared, out, space) = (args, result.base, (scratch.base, scratch.shape[1]))
    let stored = x.isDeferred ? nil : x.value.base
    engine.parallel(parts) { part in
      var args = shared
      args.sums = sums.first(part)
      args.squares = sums.second(part)
      for i in Engine.part(part, of: parts, in: output[0] * bands * chunks) {
        let (row, channel, count) = task(i)
        let (image, band) = (row / bands, band(row % bands, of: bands))
        let first = image * inputImage + band.inputRow * input[2] * input[3]
        args.in = stored.map { ck_source($0 + first) } ?? x.source(at: first)
        args.out = out + image * outputImage + band.outputRow * output[2] * output[3]
        args.more = bands == 1 && image + 1 < output[0] ? 1 : 0
        withUnsafePointer(to: band.window) { window in
          args.window = window
          ck_depthwise(&args, Int64(channel), Int64(count), space.0 + part * space.1)
        }
      }
    }
    withExtendedLifetime((weight, scratch, scale, shift)) {}
  }

  func backwardDepthwise(
    _ x: Variable, _ weight: Tensor, _ g: Variable, _ dx: Tensor?, _ dw: Tensor?, _ sink: Deferred?,
    parts: Int, sums: PartialSums, engine: Engine
  ) {
    let (window, weight) = (window, packed(weight, engine: engine))
    let size = withUnsafePointer(to: window) { Int(ck_depthwise_scratch($0)) }
    let scratch = Tensor(uninitialized: [parts, (size + 15) / 16 * 16], engine: engine)
    let partial = dw.map { _ in Tensor(zeros: [parts, weight.count], engine: engine) }
    if !x.isDeferred { _ = x.value }
    if !g.isDeferred { _ = g.value }
    engine.parallel(parts) { part in
      withUnsafePointer(to: window) { window in
        var args = ck_depthwise_gradient_args()
        args.window = window
        args.weight = UnsafePointer(weight.base)
        args.dw = partial.map { $0.base + part * $0.shape[1] }
        args.streamed = (dx?.count ?? 0) >= Self.streamedElements ? 1 : 0
        for i in Engine.part(part, of: parts, in: input[0] * chunks) {
          let (image, channel, count) = task(i)
          args.in = x.source(at: image * inputImage)
          args.gradient = g.source(at: image * outputImage)
          args.dx = dx.map { $0.base + image * inputImage }
          args.more = image + 1 < input[0] ? 1 : 0
          args.sink = Self.sink(sink, at: image * inputImage, sums, part: part)
          ck_depthwise_gradient(
            &args, Int64(channel), Int64(count), scratch.base + part * scratch.shape[1])
        }
      }
    }
    if let dw, let partial {
      let sum = Tensor(uninitialized: [weight.count], engine: engine)
      Self.addUp(partial, parts: parts, into: sum)
      ck_lanes_unpack(
        Int64(kernel.height * kernel.width), Int64(input[3]), sum.base, dw.base)
    }
  }
}
