/// Products. All can be differentiated any number of times.
extension Variable {
  /// `[m, k] x [k, n]`, or `[b, m, k] x [b, k, n]`; either operand transposed as stored.
  public func matmul(
    _ other: Variable, transposeSelf ta: Bool = false, transposeOther tb: Bool = false
  ) throws -> Variable {
    let (a, b) = (self, other)
    let value: Tensor
    if a.shape.count == 3 {
      value = try Tensor.batchedProduct(
        a.value, transposed: ta, b.value, transposed: tb, engine: tape.engine)
    } else {
      value = try Tensor.product(
        a.value, transposed: ta, b.value, transposed: tb, engine: tape.engine)
    }
    return tape.record("matmul", value, [a, b]) { g in
      var da: Variable?
      var db: Variable?
      if a.requiresGradient {
        da =
          ta
          ? try b.matmul(g, transposeSelf: tb, transposeOther: true)
          : try g.matmul(b, transposeOther: !tb)
      }
      if b.requiresGradient {
        db =
          tb
          ? try g.matmul(a, transposeSelf: true, transposeOther: ta)
          : try a.matmul(g, transposeSelf: !ta)
      }
      return [da, db]
    }
  }

  /// A linear layer: `f(x W + b)`, x `[..., in]`, W `[in, out]` (or a view of leading rows and
  /// columns), b `[out]`. Can be differentiated twice.
  public func linear(_ weight: Variable, bias: Variable? = nil) throws -> Variable {
    try check(
      weight.shape.count == 2 && shape.last == weight.shape[0],
      "linear: input \(shape) needs a weight [\(shape.last ?? 0), out], got \(weight.shape)")
    if let bias {
      try check(
        bias.shape == [weight.shape[1]],
        "linear: weight \(weight.shape) needs a bias [\(weight.shape[1])], got \(bias.shape)")
    }
    let x = try reshaped([-1, weight.shape[0]])
    let value = try Tensor.product(
      x.value, weight.value,
      epilogue: Epilogue(shift: bias?.value.contiguous(engine: tape.engine)), engine: tape.engine)
    let inputs = [x, weight] + (bias.map { [$0] } ?? [])
    let y = tape.record("linear", value, inputs) { g in
      var parts = [
        x.requiresGradient ? try g.matmul(weight, transposeOther: true) : nil,
        weight.requiresGradient ? try x.matmul(g, transposeSelf: true) : nil,
      ]
      if let bias { parts.append(bias.requiresGradient ? try g.sum(over: [0]) : nil) }
      return parts
    }
    return try y.reshaped(shape.dropLast() + [weight.shape[1]])
  }

  /// Softmax over the last axis.
  public func softmax() throws -> Variable {
    try check(!shape.isEmpty, "softmax: a scalar has no axis")
    let value = value.softmax(logarithm: false, engine: tape.engine)
    return tape.record("softmax", value, [self]) { [self] g in
      let y = g.tape.isRecording ? try self.softmax() : g.tape.constant(value)
      let gy = try g * y
      return [try gy - y * gy.sum(over: [-1], keepAxes: true)]
    }
  }

  /// The logarithm of softmax over the last axis.
  public func logSoftmax() throws -> Variable {
    try check(!shape.isEmpty, "logSoftmax: a scalar has no axis")
    let value = value.softmax(logarithm: true, engine: tape.engine)
    return tape.record("logSoftmax", value, [self]) { [self] g in
      let y = g.tape.isRecording ? try self.softmax() : g.tape.constant(value).exp()
      return [try g - y * g.sum(over: [-1], keepAxes: true)]
    }
  }
}
