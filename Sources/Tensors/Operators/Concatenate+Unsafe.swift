extension Tensor {
  func padded(axis: Int, before: Int, to extent: Int, engine: Engine) -> Tensor {
    var target = shape
    target[axis] = extent
    let result = Tensor(zeros: target, engine: engine)
    Tensor.copy(
      self, into: result.base + before * result.strides[axis], strides: result.strides)
    return result
  }

  static func concatenated(_ parts: [Tensor], axis: Int, engine: Engine) -> Tensor {
    var target = parts[0].shape
    target[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    let result = Tensor(uninitialized: target, engine: engine)
    var at = 0
    for part in parts {
      Tensor.copy(part, into: result.base + at * result.strides[axis], strides: result.strides)
      at += part.shape[axis]
    }
    return result
  }
}
