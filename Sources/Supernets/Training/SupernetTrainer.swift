internal import Architectures
internal import Files
public import Foundation
internal import Networks
public import Tensors

/// Trains a supernet through the phases of a recipe. A run that was killed goes on where its last
/// checkpoint stands and computes the same bits.
///
/// In the directory: `checkpoint.safetensors` (the state), `NAME.safetensors` for each phase that
/// has ended, `log.csv`, and at the end `supernet.safetensors`.
public final class SupernetTrainer {
  public let supernet: Supernet
  public let data: TrainingData
  public let recipe: TrainingRecipe
  public let directory: URL
  private let engine: Engine
  private let recipeText: String
  private let origin: Origin?
  private lazy var evaluator = Result { try makeEvaluator() }

  /// Weights that a supernet starts with.
  public struct Origin: Sendable {
    /// What they are called in what is written.
    public var name: String
    public var weights: InitialWeights

    public init(name: String, weights: InitialWeights) {
      self.name = name
      self.weights = weights
    }
  }

  /// What a caller shows while it waits.
  public struct Progress: Sendable {
    public var phase: String
    /// Position of the phase, from 1, and their number.
    public var phaseNumber: (Int, Int)
    /// Epoch within the phase, from 1, and their number.
    public var epoch: (Int, Int)
    public var step: Int
    public var stepsPerEpoch: Int
    /// Loss of the largest subnet of the step against the labels.
    public var loss: Float
    /// Images of the data set a second, each seen by all subnets of a step.
    public var imagesPerSecond: Double
    /// To the end of the phase.
    public var secondsLeft: Double
    /// Validation accuracy where an epoch was evaluated.
    public var accuracy: TrainingLog.Accuracies?
  }

  /// - Parameters:
  ///   - recipeText: the recipe as it was written; kept with the weights.
  ///   - origin: the weights that `supernet` starts with, if not random ones; its name is kept as
  ///     well, and a run goes on only with the same.
  public init(
    _ supernet: Supernet, _ data: TrainingData, _ recipe: TrainingRecipe, recipeText: String,
    origin: Origin? = nil, directory: URL, engine: Engine
  ) throws {
    self.supernet = supernet
    self.data = data
    self.recipe = recipe
    self.recipeText = recipeText
    self.origin = origin
    self.directory = directory
    self.engine = engine
    for phase in recipe.phases { _ = try ChoiceSet(supernet.space, phase.choices) }
    do {
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    } catch {
      throw SupernetsError(
        .unwritable, "\(directory.path): can't be made (\(error.localizedDescription))")
    }
  }

  private func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

  /// Runs all phases that are not done.
  /// - Parameters:
  ///   - shouldStop: asked after each step; true saves and returns.
  ///   - progress: told after each step.
  /// - Returns: whether the training is complete.
  public func run(
    shouldStop: () -> Bool = { false }, progress: (Progress) throws -> Void = { _ in }
  ) throws -> Bool {
    let loader = try data.trainingLoader(batch: recipe.batch, cutout: recipe.cutout)
    let log = TrainingLog(path("log.csv"))
    var first = 0
    let checkpoint = path("checkpoint.safetensors")
    let lock = try FileLock(path(".lock")) {
      throw SupernetsError(
        .unwritable, "\(directory.path): another training runs here; wait for it, or choose another"
      )
    }
    defer { lock.release() }
    for name in ["log.csv", "supernet.safetensors"]
      + recipe.phases.map({ "\($0.name).safetensors" })
    {
      AtomicFile.removeLeftovers(in: directory.path, of: name)
    }
    if FileManager.default.fileExists(atPath: checkpoint) {
      let metadata = try Trainer.metadata(of: checkpoint)
      guard metadata["space"] == supernet.space.name, metadata["origin"] == origin?.name,
        metadata["networks"] == (try supernet.space.networksDigest()),
        let earlier = try? TrainingRecipe(yaml: metadata["recipe"] ?? ""),
        let phase = earlier.phases.firstIndex(where: { $0.name == metadata["phase"] }),
        recipe.continues(earlier, from: phase)
      else {
        throw SupernetsError(
          .checkpoint,
          "\(checkpoint): made by another recipe, from other weights or for another space; go on "
            + "with the same (phases that have not begun may change), or choose an empty directory")
      }
      guard metadata["images"] == data.identity else {
        throw SupernetsError(
          .checkpoint,
          "\(checkpoint): made with other images (\(metadata["images"] ?? "unknown"); now "
            + "\(data.identity)); go on with the same, or choose an empty directory")
      }
      first = phase
    }
    // Weights of an earlier training have seen its batches: the next ones are new.
    var epochsBefore =
      recipe.phases.prefix(first).reduce(origin?.weights.epochs ?? 0) { $0 + $1.epochs }
    for index in first..<recipe.phases.count {
      let phase = recipe.phases[index]
      let trainer = try makeTrainer(index, stepsPerEpoch: loader.stepsPerEpoch)
      var metadata = [
        "phase": phase.name, "recipe": recipeText, "space": supernet.space.name,
        "images": data.identity, "networks": try supernet.space.networksDigest(),
      ]
      metadata["origin"] = origin?.name
      if try index > first || !trainer.resume(from: checkpoint) {
        if phase.sortsChannels {
          let smallest = min(
            recipe.smallestTrainedExpansion(in: index),
            origin?.weights.smallestTrainedExpansion ?? .infinity)
          let expansions = Set(
            supernet.space.genes.filter { $0.role == .expand }.flatMap(\.values))
          supernet.sortChannels(kept: max(1, expansions.count { $0 >= smallest }) - 1)
        }
        try trainer.save(to: checkpoint, metadata: metadata)
      }
      try log.keep(through: epochsBefore + trainer.step / loader.stepsPerEpoch)
      let step = try SupernetStep(
        supernet, data, recipe, phase, teacher: teacher(of: phase), engine: engine)
      var clock = StepClock()
      while trainer.step < phase.epochs * loader.stepsPerEpoch {
        let (epoch, done) = trainer.step.quotientAndRemainder(dividingBy: loader.stepsPerEpoch)
        for batch in loader.batches(epoch: epochsBefore + epoch, from: done) {
          let batch = try batch.get()
          let loss = try step(batch, trainer)
          clock.tick(images: batch.labels.count)
          let left = phase.epochs * loader.stepsPerEpoch - trainer.step
          var state = Progress(
            phase: phase.name, phaseNumber: (index + 1, recipe.phases.count),
            epoch: (epoch + 1, phase.epochs), step: trainer.step,
            stepsPerEpoch: loader.stepsPerEpoch, loss: loss,
            imagesPerSecond: clock.imagesPerSecond,
            secondsLeft: Double(left) * clock.secondsPerStep)
          let isEpochEnd = trainer.step % loader.stepsPerEpoch == 0
          if isEpochEnd, (epoch + 1) % recipe.evaluateEvery == 0 || left == 0 {
            state.accuracy = try evaluate(phase)
            try log.append(
              state, epoch: epochsBefore + epoch + 1, seconds: clock.takeSeconds())
          }
          try progress(state)
          let stops = shouldStop()
          if isEpochEnd || stops || clock.isSaveDue {
            try trainer.save(to: checkpoint, metadata: metadata)
            clock.saved()
          }
          if stops, left > 0 || index + 1 < recipe.phases.count { return false }
        }
      }
      epochsBefore += phase.epochs
      try write("\(phase.name).safetensors", epochs: epochsBefore)
    }
    try write("supernet.safetensors", epochs: epochsBefore)
    return true
  }

  private func write(_ name: String, epochs: Int) throws {
    try SupernetFile(supernet, data: data, recipe: recipeText, epochs: epochs, origin: origin?.name)
      .write(to: path(name))
  }

  private func makeTrainer(_ index: Int, stepsPerEpoch: Int) throws -> Trainer {
    let phase = recipe.phases[index]
    return try Trainer(
      supernet,
      Trainer.Options(
        rate: phase.rate,
        schedule: Schedule(
          .cosine(), total: phase.epochs * stepsPerEpoch, warmUp: phase.warmUp * stepsPerEpoch),
        weightDecay: recipe.weightDecay, clipNorm: recipe.clipNorm,
        seed: recipe.seed &+ UInt64(origin?.weights.epochs ?? 0)
          &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15),
      engine: engine)
  }

  private func teacher(of phase: TrainingRecipe.Phase) throws -> Supernet? {
    guard case .phase(let name) = phase.teacher else { return nil }
    var random = RandomStream(seed: 0)
    let teacher = try Supernet(supernet.space, random: &random)
    try SupernetFile(contentsOf: path("\(name).safetensors")).load(into: teacher)
    return teacher
  }

  private func makeEvaluator() throws -> SubnetEvaluator {
    try SubnetEvaluator(
      data, on: data.validation, recalibration: recipe.recalibration, threads: engine.threads)
  }

  private func evaluate(_ phase: TrainingRecipe.Phase) throws -> TrainingLog.Accuracies {
    let choices = try ChoiceSet(supernet.space, phase.choices)
    var random = SeededGenerator(seed: recipe.seed, stream: "shown")
    let genotypes = [choices.smallest, choices.uniform(&random), choices.largest]
    let results = try evaluator.get().evaluate(genotypes, of: supernet)
    return TrainingLog.Accuracies(
      smallest: results[0].accuracy, random: results[1].accuracy, largest: results[2].accuracy)
  }
}

/// Rates, averaged over the last minute or so.
private struct StepClock {
  private var started = Date()
  private var last = Date()
  private var lastSave = Date()
  private(set) var secondsPerStep = 0.0
  private var images = 0

  mutating func tick(images: Int) {
    let now = Date()
    let seconds = now.timeIntervalSince(last)
    secondsPerStep = secondsPerStep == 0 ? seconds : 0.98 * secondsPerStep + 0.02 * seconds
    self.images = images
    last = now
  }

  var imagesPerSecond: Double { secondsPerStep > 0 ? Double(images) / secondsPerStep : 0 }
  var isSaveDue: Bool { last.timeIntervalSince(lastSave) > 60 }

  mutating func saved() {
    lastSave = Date()
    last = lastSave
  }

  /// Seconds since the last call.
  mutating func takeSeconds() -> Double {
    let now = Date()
    defer { started = now }
    return now.timeIntervalSince(started)
  }
}
