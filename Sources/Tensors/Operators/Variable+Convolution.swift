extension Variable {
  /// Convolution of images `[n, h, w, in]` with a weight `[kh, kw, in / groups, out]`, or
  /// `[kh, kw, channels]` for a depthwise one. The weight may be a view of a larger one
  /// (``leading(_:_:)``). First-order gradients.
  ///
  /// - Parameters:
  ///   - bias: `[out]`.
  ///   - moments: True if a batch norm in training follows: its sums are then taken on the way.
  ///   - epilogue: For inference only (a tape that doesn't record).
  public func convolution(
    _ weight: Variable, bias: Variable? = nil, _ options: Convolution = Convolution(),
    moments: Bool = false, epilogue: ConvolutionEpilogue? = nil
  ) throws -> Variable {
    try check(
      shape.count == 4 && (weight.shape.count == 4 || weight.shape.count == 3),
      """
      convolution: input \(shape) isn't [n, h, w, c] or weight \(weight.shape) isn't \
      [kh, kw, in / groups, out] or [kh, kw, channels]
      """)
    var weight = weight
    let depthwise = weight.shape.count == 3
    if !depthwise && options.groups > 1 && weight.shape[2] == 1 && options.groups == shape[3]
      && weight.shape[3] == shape[3]
    {
      weight = try weight.reshaped([weight.shape[0], weight.shape[1], shape[3]])
      return try convolution(weight, bias: bias, options, moments: moments, epilogue: epilogue)
    }
    let out = weight.shape[weight.shape.count - 1]
    if depthwise {
      try check(
        out == shape[3] && (options.groups == 1 || options.groups == shape[3]),
        """
        convolution: input \(shape) needs a depthwise weight of \(shape[3]) channels, got \
        \(weight.shape) in \(options.groups) groups
        """)
    } else {
      try check(
        shape[3] == weight.shape[2] * options.groups && out % options.groups == 0,
        """
        convolution: input \(shape) in \(options.groups) groups needs a weight of \
        \(shape[3] / max(options.groups, 1)) input channels, got \(weight.shape)
        """)
    }
    if let bias {
      try check(
        bias.shape == [out],
        "convolution: weight \(weight.shape) needs a bias [\(out)], got \(bias.shape)")
    }
    let kernel = Convolution.Pair(weight.shape[0], weight.shape[1])
    let size = try options.outputSize(shape, kernel: kernel)
    let target = [shape[0], size.height, size.width, out]
    var finish = Epilogue()
    if let epilogue {
      try check(!tape.isRecording, "convolution: an epilogue has no gradient")
      for part in [epilogue.scale, epilogue.shift].compactMap({ $0 }) {
        try check(part.shape == [out], "convolution: an epilogue of \(part.shape) for [\(out)]")
      }
      if let residual = epilogue.residual {
        try check(residual.shape == target, "convolution: residual \(residual.shape) for \(target)")
        try check(!depthwise, "convolution: a depthwise one takes no residual")
      }
      finish = Epilogue(
        scale: epilogue.scale?.contiguous(), shift: epilogue.shift?.contiguous(),
        activation: epilogue.activation, residual: epilogue.residual?.contiguous())
    }
    if let bias {
      try check(finish.shift == nil, "convolution: a bias and an epilogue with a shift")
      finish.shift = bias.value.contiguous()
    }
    let plan = ConvolutionPlan(
      input: shape, output: target, kernel: kernel, options: options, depthwise: depthwise)
    let x = contiguous()
    let (value, sums) = plan.forward(
      x, weight.value, finish, moments: moments && bias == nil, engine: tape.engine)
    let inputs = [x, weight] + (bias.map { [$0] } ?? [])
    return tape.record("convolution", content: .tensor(value), inputs, moments: sums) { g in
      try g.tape.requireFirstOrder("convolution")
      let g = g.contiguous()
      let (dx, dw) = plan.backward(x, weight, g, engine: g.tape.engine)
      var parts = [dx, dw]
      if let bias { parts.append(bias.requiresGradient ? try g.sum(over: [0, 1, 2]) : nil) }
      return parts
    }
  }
}
