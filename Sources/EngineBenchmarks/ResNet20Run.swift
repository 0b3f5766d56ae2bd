internal import Networks
internal import Tensors

/// ResNet-20 on CIFAR-10 by the recipe of Benchmarks/resnet20_cifar10.py.
public enum ResNet20Run {
  /// - Returns: seconds of the training steps with their batches, and the accuracy on the test
  ///   images after the last epoch.
  public static func train(
    data: String, epochs: Int, seed: UInt64, threads: Int, report: (String) -> Void
  ) throws -> (seconds: Double, accuracy: Float) {
    let images = try MemoryImages(decoding: ImageFolder(data, split: "train"))
    let test = try MemoryImages(decoding: ImageFolder(data, split: "test"))
    let normalization = try images.normalization()
    let loader = try BatchLoader(
      images,
      BatchLoader.Options(
        batchSize: 128, augmentation: .cifar, normalization: normalization, seed: seed))
    let steps = loader.stepsPerEpoch
    var random = RandomStream(seed: seed)
    let network = ResNet20(classes: images.classNames.count, &random)
    let engine = try Engine(threads: threads)
    let trainer = try Trainer(
      network,
      Trainer.Options(
        rule: .sgd(), rate: 0.2,
        schedule: Schedule(.cosine(), total: steps * epochs, warmUp: epochs > 1 ? steps : 0),
        weightDecay: 5e-4, seed: seed),
      engine: engine)
    let clock = ContinuousClock()
    let start = clock.now
    try trainer.fit(loader, ImageTraining(epochs: epochs)) { x, pass in
      try network(x, pass)
    } progress: { step, loss, _ in
      if step.isMultiple(of: steps) {
        let seconds = (clock.now - start) / .seconds(1)
        report("ours seed \(seed) epoch \(step / steps - 1): loss \(loss) \(Int(seconds)) s")
      }
    }
    let seconds = (clock.now - start) / .seconds(1)
    let evaluation = try BatchLoader(
      test,
      BatchLoader.Options(
        batchSize: 250, normalization: normalization, shuffle: false, dropsLast: false))
    let accuracy = try top1Accuracy(evaluation, engine: engine) { x, pass in
      try network(x, pass)
    }
    return (seconds, accuracy)
  }
}
