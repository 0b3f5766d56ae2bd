/// Squeeze and excite on deferred values: the sums over images and the product with a gate, without
/// storing the array in between. On the way back the gradient of the gated value, times the gate,
/// plus what comes through the sums is deferred too, until batch norm reads it.
extension Variable {
  /// Sums over height and width.
  func deferredImageSums(_ deferred: Deferred, keepAxes: Bool) throws -> Variable {
    let (images, channels) = (shape[0], shape[3])
    let sums = try deferred.imageSums(tape.engine)
      .reshaped(keepAxes ? [images, 1, 1, channels] : [images, channels])
    let source = self
    return tape.record("sum", sums, [self]) { g in
      if g.tape.isRecording {
        return [try g.reshaped([images, 1, 1, channels]).broadcast(to: source.shape)]
      }
      let repeated = Deferred(
        x: deferred.x, p: Tensor(zeros: [images, channels], engine: g.tape.engine),
        r: try g.value.reshaped([images, channels]))
      return [Variable(content: .deferred(repeated), tape: g.tape, node: nil)]
    }
  }

  /// The product with `gate`, `[images, 1, 1, channels]`; nil if the value isn't a deferred one.
  func gated(by gate: Variable) throws -> Variable? {
    guard case .deferred(let deferred) = content, !deferred.isPerImage, deferred.z == nil,
      shape.count == 4, gate.shape == [shape[0], 1, 1, shape[3]]
    else { return nil }
    let factors = try gate.value.reshaped([shape[0], shape[3]])
    let product = Deferred(
      x: deferred.x, p: deferred.p, r: deferred.r, activation: deferred.activation, gate: factors)
    let source = self
    return tape.record("multiply", content: .deferred(product), [self, gate], moments: nil) { g in
      let engine = g.tape.engine
      if g.tape.isRecording {
        return [try source.reduced(g * gate), try gate.reduced(g * source)]
      }
      let incoming = g.value.contiguous(engine: engine)
      let scaled = Deferred(
        x: incoming, p: factors, r: Tensor(zeros: factors.shape, engine: engine))
      return [
        source.requiresGradient
          ? Variable(content: .deferred(scaled), tape: g.tape, node: nil) : nil,
        gate.requiresGradient
          ? g.tape.constant(
            try deferred.imageProducts(incoming, engine).reshaped(gate.shape)) : nil,
      ]
    }
  }
}

extension Deferred {
  /// The sum of two gradients of which one is the same for all pixels of an image; nil if neither is.
  func adding(_ other: Deferred, _ engine: Engine) -> Deferred? {
    guard isPerImage, other.isPerImage, gate == nil, other.gate == nil else { return nil }
    let constant = [self, other].first { $0.p.array.allSatisfy { $0 == 0 } }
    guard let constant else { return nil }
    let varying = constant === other ? self : other
    var shift = varying.r.copied(engine: engine)
    shift.add(constant.r, engine: engine)
    return Deferred(x: varying.x, p: varying.p, r: shift)
  }
}
