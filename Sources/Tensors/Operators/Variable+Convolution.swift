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
    // Asked for once: each answer is a copy that is counted.
    let (input, filter) = (shape, weight.shape)
    try check(
      input.count == 4 && (filter.count == 4 || filter.count == 3),
      """
      convolution: input \(input) isn't [n, h, w, c] or weight \(filter) isn't \
      [kh, kw, in / groups, out] or [kh, kw, channels]
      """)
    let depthwise = filter.count == 3
    if !depthwise && options.groups > 1 && filter[2] == 1 && options.groups == input[3]
      && filter[3] == input[3]
    {
      let weight = try weight.reshaped([filter[0], filter[1], input[3]])
      return try convolution(weight, bias: bias, options, moments: moments, epilogue: epilogue)
    }
    let out = filter[filter.count - 1]
    if depthwise {
      try check(
        out == input[3] && (options.groups == 1 || options.groups == input[3]),
        """
        convolution: input \(input) needs a depthwise weight of \(input[3]) channels, got \
        \(filter) in \(options.groups) groups
        """)
    } else {
      try check(
        input[3] == filter[2] * options.groups && out % options.groups == 0,
        """
        convolution: input \(input) in \(options.groups) groups needs a weight of \
        \(input[3] / max(options.groups, 1)) input channels, got \(filter)
        """)
    }
    if let bias {
      try check(
        bias.shape == [out],
        "convolution: weight \(filter) needs a bias [\(out)], got \(bias.shape)")
    }
    let kernel = Convolution.Pair(filter[0], filter[1])
    let size = try options.outputSize(input, kernel: kernel)
    let target = [input[0], size.height, size.width, out]
    var finish = Epilogue()
    if let epilogue {
      try check(!tape.isRecording, "convolution: an epilogue has no gradient")
      if let scale = epilogue.scale {
        try check(scale.shape == [out], "convolution: a scale of \(scale.shape) for [\(out)]")
      }
      if let shift = epilogue.shift {
        try check(shift.shape == [out], "convolution: a shift of \(shift.shape) for [\(out)]")
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
      input: input, output: target, kernel: kernel, options: options, depthwise: depthwise)
    let x = contiguous()
    let (value, sums) = plan.forward(
      x, weight.value, finish, moments: moments && bias == nil, engine: tape.engine)
    // Copying the operands for a way back costs small networks at batch 1 a tenth of their time.
    guard tape.isRecording else {
      return Variable(content: .tensor(value), tape: tape, node: nil, moments: sums)
    }
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
