/// Losses, all means over the batch. All can be differentiated twice.
extension Variable {
  /// Cross entropy of logits `[n, classes]` with class numbers; `labelSmoothing` moves that share
  /// of the target to all classes evenly (Szegedy et al. 2016, arXiv 1512.00567).
  public func crossEntropy(labels: [Int], labelSmoothing: Float = 0) throws -> Variable {
    try check(
      shape.count == 2 && shape[0] == labels.count,
      "crossEntropy: logits \(shape) for \(labels.count) labels")
    let classes = shape[1]
    try check(
      labels.allSatisfy { $0 >= 0 && $0 < classes }, "crossEntropy: a label not in 0..<\(classes)")
    var target = Tensor(
      repeating: labelSmoothing / Float(classes), shape: shape, engine: tape.engine)
    target.update { span in
      for (row, label) in labels.enumerated() { span[row * classes + label] += 1 - labelSmoothing }
    }
    return try crossEntropy(target: target)
  }

  /// Cross entropy of logits `[n, classes]` with a distribution for each row (mixup, distillation).
  public func crossEntropy(target: Tensor) throws -> Variable {
    try check(
      shape.count == 2 && target.shape == shape && shape[0] > 0,
      "crossEntropy: logits \(shape) for a target of \(target.shape)")
    let scale = -1 / Float(shape[0])
    return try (logSoftmax() * tape.constant(target)).sum() * scale
  }

  /// KL(target || softmax(logits)): what distillation minimises; `temperature` divides the logits,
  /// and the loss is multiplied by its square (Hinton et al. 2015, arXiv 1503.02531).
  public func klDivergence(target logits: Tensor, temperature: Float = 1) throws -> Variable {
    try check(
      shape.count == 2 && logits.shape == shape && shape[0] > 0,
      "klDivergence: logits \(shape) and \(logits.shape)")
    let other = tape.constant(logits) * (1 / temperature)
    let (p, logP) = (try other.softmax(), try other.logSoftmax())
    let logQ = try (self * (1 / temperature)).logSoftmax()
    return try (p * (logP - logQ)).sum() * (temperature * temperature / Float(shape[0]))
  }

  /// Mean squared error.
  public func meanSquaredError(_ target: Variable) throws -> Variable {
    try check(target.shape == shape, "meanSquaredError: \(shape) and \(target.shape)")
    return try (self - target).squared().mean()
  }

  /// Huber loss: quadratic up to `delta`, linear beyond.
  public func huber(_ target: Variable, delta: Float = 1) throws -> Variable {
    try check(target.shape == shape, "huber: \(shape) and \(target.shape)")
    // With c = min(|d|, delta): c * (|d| - c / 2).
    let d = try (self - target).abs()
    let c = try Variable.minimum(d, tape.constant(Tensor(repeating: delta, shape: [])))
    return try (c * (d - c * 0.5)).mean()
  }

  /// Pairwise ranking loss of scores `[n]`: for every pair that `target` orders, a penalty if the
  /// scores order it the other way or by less than the margin; the mean over those pairs.
  public func pairwiseHinge(target: Tensor, margin: Float = 0.1) throws -> Variable {
    try pairwise(target, "pairwiseHinge") { gap in (gap * -1 + margin).relu() }
  }

  /// Pairwise ranking loss `log(1 + exp(-gap))` (RankNet, Burges et al. 2005).
  public func pairwiseLogistic(target: Tensor) throws -> Variable {
    try pairwise(target, "pairwiseLogistic") { gap in (gap * -1).softplus() }
  }

  private func pairwise(
    _ target: Tensor, _ name: String, _ penalty: (Variable) throws -> Variable
  ) throws -> Variable {
    try check(
      shape.count == 1 && target.shape == shape, "\(name): scores \(shape), target \(target.shape)")
    let (n, order) = (shape[0], target.array)
    var mask = Tensor(zeros: [n, n], engine: tape.engine)
    var pairs: Float = 0
    mask.update { span in
      for i in 0..<n {
        for j in 0..<n where order[i] > order[j] {
          span[i * n + j] = 1
          pairs += 1
        }
      }
    }
    let gap = try reshaped([n, 1]) - reshaped([1, n])
    return try (penalty(gap) * tape.constant(mask)).sum() * (1 / max(pairs, 1))
  }
}
