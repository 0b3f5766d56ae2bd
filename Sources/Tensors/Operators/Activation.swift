import CKernels

/// The activation functions the kernels know.
public enum Activation: String, Sendable, CaseIterable, Codable {
  case identity, relu, relu6, hardSwish, hardSigmoid, swish, sigmoid, tanh, gelu

  var kernel: Int32 {
    switch self {
    case .identity: Int32(CK_IDENTITY)
    case .relu: Int32(CK_RELU)
    case .relu6: Int32(CK_RELU6)
    case .hardSwish: Int32(CK_HARD_SWISH)
    case .hardSigmoid: Int32(CK_HARD_SIGMOID)
    case .swish: Int32(CK_SWISH)
    case .sigmoid: Int32(CK_SIGMOID)
    case .tanh: Int32(CK_TANH)
    case .gelu: Int32(CK_GELU)
    }
  }
}

extension Variable {
  /// `f(x)`, elementwise. Can be differentiated twice.
  public func activated(_ kind: Activation) -> Variable {
    if kind == .identity { return self }
    let value = value.map(tape.engine) { ck_activation(kind.kernel, $0, $1, $2) }
    return tape.record(kind.rawValue, value, [self]) { [self] g in
      [try self.slope(kind, times: g)]
    }
  }

  /// `g * f'(self)`: what an activation's gradient is, an operator of its own so that it can be
  /// differentiated again.
  func slope(_ kind: Activation, times g: Variable) throws -> Variable {
    let value = value.gradient(kind, g.value, engine: tape.engine)
    return tape.record("\(kind.rawValue)Gradient", value, [self, g]) { [self] h in
      let second = h.tape.constant(
        self.value.map(h.tape.engine) { ck_activation_second(kind.kernel, $0, $1, $2) })
      try h.tape.requireSecondOrder(kind.rawValue)
      return [
        self.requiresGradient ? try h * g.detached() * second : nil,
        g.requiresGradient ? try self.detached().slope(kind, times: h) : nil,
      ]
    }
  }

  public func relu() -> Variable { activated(.relu) }
  public func sigmoid() -> Variable { activated(.sigmoid) }
  public func tanh() -> Variable { activated(.tanh) }
  public func gelu() -> Variable { activated(.gelu) }
}

extension Tape {
  /// Throws if a third order is wanted, which nothing here needs.
  func requireSecondOrder(_ name: String) throws {
    if isRecording {
      throw TensorError(.differentiation, "\(name) has no third-order gradient")
    }
  }
}
