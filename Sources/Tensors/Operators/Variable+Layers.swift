/// Layer norm, embedding, attention, dropout, channel shuffle.
extension Variable {
  /// `scale * (x - mean) / sqrt(variance + epsilon) + shift` over the last axis (Ba et al. 2016,
  /// arXiv 1607.06450). Can be differentiated any number of times.
  public func layerNorm(scale: Variable, shift: Variable, epsilon: Float = 1e-5) throws -> Variable
  {
    _ = try checkNorm("layerNorm", scale, shift)
    let centered = try self - mean(over: [-1], keepAxes: true)
    let variance = try centered.squared().mean(over: [-1], keepAxes: true)
    return try centered / (variance + epsilon).sqrt() * scale + shift
  }

  /// Rows of this table `[entries, width]`: `[indices.count, width]`. Any order of gradients.
  public func embedding(_ indices: [Int]) throws -> Variable {
    try check(shape.count == 2, "embedding: table \(shape) isn't [entries, width]")
    let entries = shape[0]
    try check(
      indices.allSatisfy { $0 >= 0 && $0 < entries }, "embedding: an index not in 0..<\(entries)")
    let value = value.rows(indices, engine: tape.engine)
    return tape.record("embedding", value, [self]) { g in
      [try g.scattered(indices, rows: entries)]
    }
  }

  /// Rows added to a matrix of zeros at the given places: what an embedding's gradient is.
  public func scattered(_ indices: [Int], rows: Int) throws -> Variable {
    try check(
      shape.count == 2 && shape[0] == indices.count && indices.allSatisfy { $0 >= 0 && $0 < rows },
      "scattered: \(shape) to \(indices.count) of \(rows) rows")
    let value = value.scattered(indices, rows: rows, engine: tape.engine)
    return tape.record("scattered", value, [self]) { g in [try g.embedding(indices)] }
  }

  /// Scaled dot-product attention of queries `[b, q, d]` with keys `[b, k, d]` and values
  /// `[b, k, v]`: `softmax(Q K^T / sqrt(d) + mask) V` (Vaswani et al. 2017, arXiv 1706.03762).
  /// `mask` is added to the scores, broadcast: -infinity (or -1e9) hides a key.
  public func attention(keys: Variable, values: Variable, mask: Tensor? = nil) throws -> Variable {
    try check(
      shape.count == 3 && keys.shape.count == 3 && values.shape.count == 3
        && keys.shape[2] == shape[2] && values.shape[1] == keys.shape[1],
      "attention: queries \(shape), keys \(keys.shape), values \(values.shape)")
    var scores = try matmul(keys, transposeOther: true) * (1 / Float(shape[2]).squareRoot())
    if let mask { scores = try scores + tape.constant(mask) }
    return try scores.softmax().matmul(values)
  }

  /// Zeroes each value with the given probability and scales the others to keep the mean.
  public func dropout(probability: Float, random: inout RandomStream) throws -> Variable {
    try masked(shape, probability, &random, "dropout")
  }

  /// Zeroes whole samples (the first axis) with the given probability and scales the others: drop
  /// path (Huang et al. 2016, arXiv 1603.09382).
  public func stochasticDepth(probability: Float, random: inout RandomStream) throws -> Variable {
    let samples = shape.indices.map { $0 == 0 ? shape[0] : 1 }
    return try masked(samples, probability, &random, "stochasticDepth")
  }

  private func masked(
    _ maskShape: [Int], _ probability: Float, _ random: inout RandomStream, _ name: String
  ) throws -> Variable {
    guard probability >= 0, probability < 1 else {
      throw TensorError(.argument, "\(name): probability \(probability) isn't in 0..<1")
    }
    if probability == 0 { return self }
    let mask = random.bernoulli(maskShape, probability: 1 - probability)
    return try self * tape.constant(mask.affine(scale: 1 / (1 - probability)))
  }

  /// Channels regrouped from `[groups, c / groups]` to `[c / groups, groups]` (ShuffleNet, Zhang et
  /// al. 2018, arXiv 1707.01083).
  public func channelShuffled(groups: Int) throws -> Variable {
    guard let channels = shape.last, groups > 0, channels % groups == 0 else {
      throw TensorError.shape("channelShuffle: \(shape) in \(groups) groups")
    }
    let rank = shape.count
    let split = try reshaped(shape.dropLast() + [groups, channels / groups])
    let order = Array(0..<rank - 1) + [rank, rank - 1]
    return try split.permuted(order).reshaped(shape)
  }
}
