public import Tensors

/// How a network is trained on labelled images.
public struct ImageTraining: Sendable, Equatable, Codable {
  public var epochs: Int
  public var labelSmoothing: Float
  /// Beta(mixup, mixup) blends pairs of images; 0 for none.
  public var mixup: Float

  public init(epochs: Int, labelSmoothing: Float = 0, mixup: Float = 0) {
    self.epochs = epochs
    self.labelSmoothing = labelSmoothing
    self.mixup = mixup
  }
}

extension Trainer {
  /// Trains `forward` (logits from images) until `training.epochs` are done, from the step the
  /// trainer stands at. After each step `progress` is told; it may save, and stops by throwing.
  public func fit(
    _ loader: BatchLoader, _ training: ImageTraining,
    forward: (Variable, Pass) throws -> Variable,
    progress: (_ step: Int, _ loss: Float, _ batch: ImageBatch) throws -> Void = { _, _, _ in }
  ) throws {
    let classes = loader.dataset.classNames.count
    while step < training.epochs * loader.stepsPerEpoch {
      let (epoch, first) = step.quotientAndRemainder(dividingBy: loader.stepsPerEpoch)
      for batch in loader.batches(epoch: epoch, from: first) {
        let batch = try batch.get()
        var targets = try Mixup.targets(
          batch.labels, classes: classes, smoothing: training.labelSmoothing)
        var pixels = batch.pixels
        if training.mixup > 0 {
          var random = random("mixup")
          (pixels, targets) = try Mixup.blend(pixels, targets, alpha: training.mixup, &random)
        }
        let images = try Tensor(pixels, shape: batch.shape)
        let loss = try train { pass in
          try forward(pass.tape.constant(images), pass).crossEntropy(target: targets)
        }
        try progress(step, loss, batch)
      }
    }
  }
}

/// The share of images whose largest logit is their label.
/// - Returns: a number in 0...1.
public func top1Accuracy(
  _ loader: BatchLoader, engine: Engine,
  forward: @escaping (Variable, Pass) throws -> Variable
) throws -> Float {
  var (right, count) = (0, 0)
  let inference = try Inference(engine: engine, forward)
  for batch in loader.batches(epoch: 0) {
    let batch = try batch.get()
    right += try inference(Tensor(batch.pixels, shape: batch.shape)).hits(batch.labels)
    count += batch.labels.count
  }
  return Float(right) / Float(max(1, count))
}

extension Tensor {
  /// Rows of `[N, classes]` whose largest value stands at the row's label.
  package func hits(_ labels: [Int]) -> Int {
    let (values, classes) = (array, shape[1])
    return labels.enumerated().count { row, label in
      let scores = values[row * classes..<(row + 1) * classes]
      return scores.indices.max { scores[$0] < scores[$1] } == row * classes + label
    }
  }
}
