internal import Foundation
internal import Networks
public import Tensors

/// Trains one architecture alone: a subnet further on the user's data, or one from scratch to
/// compare with. With a checkpoint's path a killed run goes on and computes the same bits.
public struct SubnetTrainer {
  public struct Options: Sendable, Equatable {
    public var epochs: Int
    public var batch: Int
    /// Of Nesterov momentum 0.9; rises over `warmUp` epochs, then falls to zero on a cosine.
    public var rate: Float
    public var warmUp: Int
    public var weightDecay: Float
    public var labelSmoothing: Float
    public var cutout: Int
    public var seed: UInt64

    public init(
      epochs: Int, batch: Int = 128, rate: Float, warmUp: Int = 0, weightDecay: Float = 3e-5,
      labelSmoothing: Float = 0.1, cutout: Int = 0, seed: UInt64 = 1
    ) {
      self.epochs = epochs
      self.batch = batch
      self.rate = rate
      self.warmUp = warmUp
      self.weightDecay = weightDecay
      self.labelSmoothing = labelSmoothing
      self.cutout = cutout
      self.seed = seed
    }

    /// The setting in which a subnet of a supernet trained by `recipe` is compared: as many epochs,
    /// and the first phase's rate.
    public init(comparableTo recipe: TrainingRecipe) {
      self.init(
        epochs: recipe.phases.reduce(0) { $0 + $1.epochs }, batch: recipe.batch,
        rate: recipe.phases[0].rate, warmUp: recipe.phases[0].warmUp,
        weightDecay: recipe.weightDecay, labelSmoothing: recipe.labelSmoothing,
        cutout: recipe.cutout, seed: recipe.seed)
    }
  }

  public let data: TrainingData
  public let options: Options
  private let engine: Engine

  public init(_ data: TrainingData, _ options: Options, engine: Engine) {
    self.data = data
    self.options = options
    self.engine = engine
  }

  /// - Parameters:
  ///   - checkpoint: where the state is kept, once a minute; nil keeps none.
  ///   - shouldStop: asked after each step; true saves and returns.
  ///   - progress: told steps done, their number and the loss.
  /// - Returns: whether the training is complete.
  /// - Throws: `checkpoint` if the one at `checkpoint` is of another training.
  public func train(
    _ network: ExtractedNetwork, checkpoint: String? = nil, shouldStop: () -> Bool = { false },
    progress: (_ done: Int, _ total: Int, _ loss: Float) -> Void = { _, _, _ in }
  ) throws -> Bool {
    let loader = try data.trainingLoader(batch: options.batch, cutout: options.cutout)
    let steps = options.epochs * loader.stepsPerEpoch
    let trainer = try Trainer(
      network,
      Trainer.Options(
        rate: options.rate,
        schedule: Schedule(
          .cosine(), total: steps, warmUp: options.warmUp * loader.stepsPerEpoch),
        weightDecay: options.weightDecay, seed: options.seed),
      engine: engine)
    let metadata = ["training": "\(options)", "images": data.identity]
    if let checkpoint, FileManager.default.fileExists(atPath: checkpoint) {
      let found = try Trainer.metadata(of: checkpoint)
      for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where found[key] != value {
        throw SupernetsError(
          .checkpoint,
          "\(checkpoint): made by another training (\(key) \(found[key] ?? "unknown"); now \(value)); "
            + "go on with the same, or choose an empty folder")
      }
      try trainer.resume(from: checkpoint)
    }
    var saved = Date()
    while trainer.step < steps {
      let (epoch, done) = trainer.step.quotientAndRemainder(dividingBy: loader.stepsPerEpoch)
      for batch in loader.batches(epoch: epoch, from: done) {
        let batch = try batch.get()
        let targets = try Mixup.targets(
          batch.labels, classes: data.classNames.count, smoothing: options.labelSmoothing)
        let x = try data.images(
          Tensor(batch.pixels, shape: batch.shape), at: network.subnet.resolution, engine: engine)
        let loss = try trainer.train { pass in
          try network(pass.tape.constant(x), pass).crossEntropy(target: targets)
        }
        progress(trainer.step, steps, loss)
        let stops = shouldStop() && trainer.step < steps
        if let checkpoint, stops || Date().timeIntervalSince(saved) > 60 {
          try trainer.save(to: checkpoint, metadata: metadata)
          saved = Date()
        }
        if stops { return false }
      }
    }
    if let checkpoint { try trainer.save(to: checkpoint, metadata: metadata) }
    return true
  }
}

extension SubnetTrainer.Options: CustomStringConvertible {
  public var description: String {
    "\(epochs) epochs in batches of \(batch), rate \(rate), warm-up \(warmUp), weight decay "
      + "\(weightDecay), label smoothing \(labelSmoothing), cutout \(cutout), seed \(seed)"
  }
}
