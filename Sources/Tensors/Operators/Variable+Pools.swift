/// Pools over images `[n, h, w, c]`. Gradients are first order, but for the global average, which
/// is a mean.
extension Variable {
  /// The largest value of each window; the gradient goes to the first of equals.
  public func maxPool(kernel: Convolution.Pair, _ options: Convolution) throws -> Variable {
    let target = try poolTarget("maxPool", kernel, options)
    let pool = PoolPlan(input: shape, output: target, kernel: kernel, options: options)
    let (value, places) = pool.maximum(self.value, engine: tape.engine)
    return tape.record("maxPool", value, [self]) { g in
      try g.tape.requireFirstOrder("maxPool")
      return [g.tape.constant(pool.maximumGradient(g.value, places, engine: g.tape.engine))]
    }
  }

  /// The mean of each window: of all its places (`countsPadding`) or of those inside the image.
  public func averagePool(
    kernel: Convolution.Pair, _ options: Convolution, countsPadding: Bool = true
  ) throws -> Variable {
    let target = try poolTarget("averagePool", kernel, options)
    let windows = PoolPlan(input: shape, output: target, kernel: kernel, options: options)
      .windows(countsPadding: countsPadding)
    return averaged(target, windows, "averagePool")
  }

  /// The mean over windows that cut the image into height x width parts (PyTorch's bounds).
  public func adaptiveAveragePool(height: Int, width: Int) throws -> Variable {
    try check(
      shape.count == 4 && height > 0 && width > 0 && shape[1] > 0 && shape[2] > 0,
      "adaptiveAveragePool: \(shape) to \(height)x\(width)")
    func cut(_ n: Int, _ parts: Int) -> [Range<Int>] {
      (0..<parts).map { ($0 * n / parts)..<(($0 + 1) * n + parts - 1) / parts }
    }
    let (rows, columns) = (cut(shape[1], height), cut(shape[2], width))
    let windows = rows.flatMap { y in
      columns.map { x in PoolWindow(rows: y, columns: x, weight: 1 / Float(y.count * x.count)) }
    }
    return averaged([shape[0], height, width, shape[3]], windows, "adaptiveAveragePool")
  }

  /// The mean of each channel: `[n, h, w, c]` to `[n, c]`. Can be differentiated again.
  public func globalAveragePool() throws -> Variable {
    try check(shape.count == 4, "globalAveragePool: input \(shape) isn't [n, h, w, c]")
    return try mean(over: [1, 2])
  }

  private func poolTarget(
    _ name: String, _ kernel: Convolution.Pair, _ options: Convolution
  ) throws -> [Int] {
    let size = try options.outputSize(shape, kernel: kernel, name: name)
    let (padding, dilation) = (options.padding, options.dilation)
    let reach = ((kernel.height - 1) * dilation.height, (kernel.width - 1) * dilation.width)
    try check(
      max(padding.top, padding.bottom) <= reach.0 && max(padding.left, padding.right) <= reach.1,
      "\(name): padding \(padding) lets windows of \(kernel) miss the image")
    return [shape[0], size.height, size.width, shape[3]]
  }

  private func averaged(_ target: [Int], _ windows: [PoolWindow], _ name: String) -> Variable {
    let from = shape
    let value = value.averaged(windows, to: target, engine: tape.engine)
    return tape.record(name, value, [self]) { g in
      try g.tape.requireFirstOrder(name)
      return [g.tape.constant(g.value.spread(windows, to: from, engine: g.tape.engine))]
    }
  }
}

/// A window of an average pool and what each value in it counts.
struct PoolWindow {
  let rows: Range<Int>
  let columns: Range<Int>
  let weight: Float
}
