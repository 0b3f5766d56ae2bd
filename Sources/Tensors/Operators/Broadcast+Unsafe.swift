import CKernels

extension Tensor {
  /// Elementwise `self op other`, broadcast. `op` is one of `CK_ADD`...
  static func binary(_ op: Int, _ name: String, _ a: Tensor, _ b: Tensor, engine: Engine)
    throws -> Tensor
  {
    if a.shape == b.shape {
      let (x, y) = (a.contiguous(engine: engine), b.contiguous(engine: engine))
      let result = Tensor(uninitialized: a.shape, engine: engine)
      let (px, py, pr) = (x.base, y.base, result.base)
      engine.parallel(a.count, grain: elementGrain) { range in
        let at = range.lowerBound
        ck_binary(Int32(op), Int64(range.count), px + at, 1, py + at, 1, pr + at)
      }
      return result
    }
    let shape = try Shapes.broadcast(a.shape, b.shape, name)
    let result = Tensor(uninitialized: shape, engine: engine)
    if result.count == 0 { return result }
    if shape.isEmpty {
      ck_binary(Int32(op), 1, a.base, 0, b.base, 0, result.base)
      return result
    }
    // Axes that both walk through alike are one run; the others are counted through.
    let (sa, sb) = (a.broadcastStrides(to: shape), b.broadcastStrides(to: shape))
    var (inner, run) = (shape.count, 1)
    var (ea, eb) = (sa[inner - 1], sb[inner - 1])
    if ea != 0 && ea != 1 || eb != 0 && eb != 1 {
      return try binary(op, name, a.contiguous(), b.contiguous(), engine: engine)
    }
    repeat {
      inner -= 1
      run *= shape[inner]
    } while inner > 0 && (sa[inner - 1] == (ea == 0 ? 0 : run) || shape[inner - 1] == 1)
      && (sb[inner - 1] == (eb == 0 ? 0 : run) || shape[inner - 1] == 1)
    if run == 1 { (ea, eb) = (0, 0) }
    let rows = result.count / run
    let (pa, pb, pr) = (a.base, b.base, result.base)
    let (fixedA, fixedB) = (Int64(ea), Int64(eb))
    engine.parallel(rows, grain: max(1, elementGrain / run)) { range in
      for row in range {
        var (rest, at, bt) = (row, 0, 0)
        for axis in stride(from: inner - 1, through: 0, by: -1) {
          let i = rest % shape[axis]
          rest /= shape[axis]
          at += i * sa[axis]
          bt += i * sb[axis]
        }
        ck_binary(Int32(op), Int64(run), pa + at, fixedA, pb + bt, fixedB, pr + row * run)
      }
    }
    return result
  }

  /// Strides that repeat the elements where the extent is 1 or the axis is missing.
  private func broadcastStrides(to target: [Int]) -> [Int] {
    target.indices.map { i in
      let axis = i - (target.count - rank)
      return axis < 0 || shape[axis] == 1 ? 0 : strides[axis]
    }
  }

  /// Repeats the elements to a larger shape.
  func broadcast(to target: [Int], engine: Engine) throws -> Tensor {
    if shape == target { return self }
    return try Tensor.binary(
      Int(CK_ADD), "broadcast", self, Tensor(zeros: target, engine: engine), engine: engine)
  }

  /// Sums over axes, which stay with extent 1.
  func summed(over axes: [Int], engine: Engine) -> Tensor {
    if axes.isEmpty { return self }
    // Reduced one group of neighbouring axes at a time, seen as [before, axes, after].
    var current = contiguous(engine: engine)
    var position = axes.count - 1
    while position >= 0 {
      var first = position
      while first > 0 && axes[first - 1] == axes[first] - 1 { first -= 1 }
      current = current.summed(axes[first]...axes[position], engine: engine)
      position = first - 1
    }
    return current
  }

  private func summed(_ axes: ClosedRange<Int>, engine: Engine) -> Tensor {
    var target = shape
    for axis in axes { target[axis] = 1 }
    let before = shape[..<axes.lowerBound].reduce(1, *)
    let middle = shape[axes].reduce(1, *)
    let after = shape[(axes.upperBound + 1)...].reduce(1, *)
    let result = Tensor(uninitialized: target, engine: engine)
    let (from, to) = (base, result.base)
    if after == 1 {
      engine.parallel(before, grain: max(1, elementGrain / max(middle, 1))) { range in
        for i in range { to[i] = Float(ck_sum(Int64(middle), from + i * middle)) }
      }
      return result
    }
    // Few long columns: cut the rows, then add the parts in order.
    let parts = before > 1 ? 1 : Engine.parts(middle * after, threads: 8, grain: elementGrain)
    engine.parallel(before, grain: max(1, elementGrain / max(middle * after, 1))) { range in
      for i in range {
        let sums = UnsafeMutableBufferPointer<Double>.allocate(capacity: parts * after)
        sums.initialize(repeating: 0)
        engine.parallel(parts) { part in
          let rows = Engine.part(part, of: parts, in: middle)
          ck_column_sums(
            Int64(rows.count), Int64(after), from + (i * middle + rows.lowerBound) * after,
            Int64(after), sums.baseAddress! + part * after)
        }
        for j in 0..<after {
          var sum = 0.0
          for part in 0..<parts { sum += sums[part * after + j] }
          to[i * after + j] = Float(sum)
        }
        sums.deallocate()
      }
    }
    return result
  }
}
