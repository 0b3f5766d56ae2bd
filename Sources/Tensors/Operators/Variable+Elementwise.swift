import CKernels

/// Elementwise operators, broadcast as in NumPy. All can be differentiated any number of times.
extension Variable {
  public static func + (a: Variable, b: Variable) throws -> Variable {
    let value: Tensor
    if a.shape == b.shape, case .deferred(let deferred) = a.content, a.isDeferred {
      value = deferred.compute(adding: b.value, a.tape.engine)  // a residual connection
    } else if a.shape == b.shape, case .deferred(let deferred) = b.content, b.isDeferred {
      value = deferred.compute(adding: a.value, a.tape.engine)
    } else {
      value = try Tensor.binary(Int(CK_ADD), "add", a.value, b.value, engine: a.tape.engine)
    }
    return a.tape.record("add", value, [a, b]) { g in
      [try a.reduced(g), try b.reduced(g)]
    }
  }

  public static func - (a: Variable, b: Variable) throws -> Variable {
    let value = try Tensor.binary(
      Int(CK_SUBTRACT), "subtract", a.value, b.value, engine: a.tape.engine)
    return a.tape.record("subtract", value, [a, b]) { g in
      [try a.reduced(g), try b.requiresGradient ? b.reduced(-g) : nil]
    }
  }

  public static func * (a: Variable, b: Variable) throws -> Variable {
    if let product = try a.gated(by: b) { return product }
    let value = try Tensor.binary(
      Int(CK_MULTIPLY), "multiply", a.value, b.value, engine: a.tape.engine)
    return a.tape.record("multiply", value, [a, b]) { g in
      [
        try a.requiresGradient ? a.reduced(g * b) : nil,
        try b.requiresGradient ? b.reduced(g * a) : nil,
      ]
    }
  }

  public static func / (a: Variable, b: Variable) throws -> Variable {
    let value = try Tensor.binary(Int(CK_DIVIDE), "divide", a.value, b.value, engine: a.tape.engine)
    return a.tape.record("divide", value, [a, b]) { g in
      [
        try a.requiresGradient ? a.reduced(g / b) : nil,
        try b.requiresGradient ? b.reduced(-(g * a / (b * b))) : nil,
      ]
    }
  }

  public static prefix func - (a: Variable) throws -> Variable { a.affine(scale: -1) }
  public static func + (a: Variable, b: Float) -> Variable { a.affine(scale: 1, offset: b) }
  public static func - (a: Variable, b: Float) -> Variable { a.affine(scale: 1, offset: -b) }
  public static func * (a: Variable, b: Float) -> Variable { a.affine(scale: b) }
  public static func * (a: Float, b: Variable) -> Variable { b.affine(scale: a) }
  public static func / (a: Variable, b: Float) -> Variable { a.affine(scale: 1 / b) }

  /// `self * scale + offset`
  public func affine(scale: Float, offset: Float = 0) -> Variable {
    let value = value.affine(scale: scale, offset: offset, engine: tape.engine)
    return tape.record("affine", value, [self]) { g in [g.affine(scale: scale)] }
  }

  /// The larger of two; the gradient goes to it, to the first if they are equal.
  public static func maximum(_ a: Variable, _ b: Variable) throws -> Variable {
    let first = try (b - a).unary(CK_STEP, "step").detached()  // 1 where b is larger
    return try a + first * (b - a)
  }

  /// The smaller of two; the gradient goes to it, to the first if they are equal.
  public static func minimum(_ a: Variable, _ b: Variable) throws -> Variable {
    let first = try (a - b).unary(CK_STEP, "step").detached()
    return try a + first * (b - a)
  }

  public func exp() -> Variable {
    let value = raw(CK_EXP)
    return tape.record("exp", value, [self]) { [self] g in
      // Recorded again only if a graph is wanted; else the value at hand is used.
      [try g * (g.tape.isRecording ? self.exp() : g.tape.constant(value))]
    }
  }

  public func log() -> Variable {
    tape.record("log", raw(CK_LOG), [self]) { [self] g in [try g / self] }
  }

  public func sqrt() -> Variable {
    let value = raw(CK_SQRT)
    return tape.record("sqrt", value, [self]) { [self] g in
      let root = g.tape.isRecording ? self.sqrt() : g.tape.constant(value)
      return [try g / (root * 2)]
    }
  }

  public func squared() -> Variable {
    tape.record("squared", raw(CK_SQUARE), [self]) { [self] g in [try g * self * 2] }
  }

  public func abs() -> Variable {
    tape.record("abs", raw(CK_ABS), [self]) { [self] g in
      [try g * self.detached().unary(CK_SIGN, "sign")]
    }
  }

  public func reciprocal() -> Variable {
    let value = raw(CK_RECIPROCAL)
    return tape.record("reciprocal", value, [self]) { [self] g in
      let r = g.tape.isRecording ? self.reciprocal() : g.tape.constant(value)
      return [try -(g * r * r)]
    }
  }

  /// `log(1 + exp(x))`
  public func softplus() -> Variable {
    tape.record("softplus", raw(CK_LOG1P_EXP), [self]) { [self] g in [try g * self.sigmoid()] }
  }

  /// An operator without a gradient.
  func unary(_ op: Int, _ name: String) -> Variable { tape.constant(raw(op)) }

  private func raw(_ op: Int) -> Tensor {
    value.map(tape.engine) { count, x, y in ck_unary(Int32(op), count, x, y) }
  }

  /// A gradient summed over the axes along which this operand was repeated; nil if none is needed.
  func reduced(_ gradient: Variable) throws -> Variable? {
    guard requiresGradient else { return nil }
    if gradient.shape == shape { return gradient }
    let extra = gradient.shape.count - shape.count
    let axes = gradient.shape.indices.filter { i in
      i < extra || shape[i - extra] == 1 && gradient.shape[i] != 1
    }
    return try gradient.sum(over: axes, keepAxes: true).reshaped(shape)
  }
}
