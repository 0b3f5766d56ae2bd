public import Architectures
import Foundation
internal import Tensors

/// How far a training is.
public struct AccuracyTrainingProgress: Sendable {
  public enum Phase: Sendable, Equatable {
    /// Trying a candidate on the validation part.
    case choosing(candidate: Int)
    /// Training the ensemble that is kept.
    case training
  }
  public var phase: Phase
  /// Perceptrons trained, and to train in all.
  public var done: Int
  public var total: Int
}

extension AccuracyPredictor {
  /// Trains a predictor on measured accuracies.
  ///
  /// Architectures, not measurements, are split by `recipe.seed` into a training, a validation and a
  /// test part. Candidates of the recipe are compared by Kendall's tau on the validation part; the
  /// best one is trained again on training and validation part together. The test part is looked at
  /// once, for the provenance. Same recipe and samples, same weights.
  ///
  /// - Parameters:
  ///   - releases: networks with published accuracies at several resolutions, from which the law of
  ///     resolution is fitted; without them all resolutions but the recipe's score like it.
  ///   - date: of the training, UTC, ISO 8601; goes into the provenance.
  /// - Throws: `badRecipe`, `badSamples`; `failed` if training diverges.
  public static func train(
    recipe: AccuracyRecipe, space: SearchSpace, samples: AccuracySamples,
    releases: ReleasedNetworks? = nil, date: String? = nil,
    progress: (AccuracyTrainingProgress) -> Void = { _ in }
  ) throws -> AccuracyPredictor {
    try recipe.validate()
    let encoding =
      recipe.encoding ?? .blocks(of: space, withResolution: recipe.resolution == nil)
    guard recipe.space == space.name else {
      throw PredictorsError(.badRecipe, "the recipe is for \(recipe.space), not for \(space.name)")
    }
    guard releases == nil || recipe.resolution != nil else {
      throw PredictorsError(
        .badRecipe, "a law of resolution needs samples at one, which the recipe names")
    }
    if let resolution = recipe.resolution, !space.choicesOfResolution.contains(resolution) {
      throw PredictorsError(.badRecipe, "\(space.name) has no resolution \(resolution)")
    }
    if let resolution = recipe.resolution,
      let other = samples.samples.first(where: { space.resolution($0.genotype) != resolution })
    {
      throw PredictorsError(
        .badSamples,
        "\(samples.name): \(space.id(other.genotype)) is at resolution "
          + "\(space.resolution(other.genotype)); the recipe means samples at \(resolution)")
    }
    var random = RandomStream(seed: recipe.seed).derived("split")
    let order = random.permutation(samples.samples.count)
    let testCount = Int(Double(order.count) * recipe.test)
    let validationCount = Int(Double(order.count) * recipe.validation)
    guard testCount >= 2, validationCount >= 2, order.count - testCount - validationCount >= 10
    else {
      throw PredictorsError(
        .badSamples, "\(samples.name): \(order.count) architectures are too few to train on")
    }
    let test = order.prefix(testCount).map { samples.samples[$0] }
    let validation = order.dropFirst(testCount).prefix(validationCount).map { samples.samples[$0] }
    let training = order.dropFirst(testCount + validationCount).map { samples.samples[$0] }

    let choices = recipe.candidates.count > 1 ? recipe.candidates.count : 0
    let total = (choices + 1) * recipe.members
    var done = 0
    func fit(
      _ candidate: Int, _ samples: [AccuracySamples.Sample], _ phase: AccuracyTrainingProgress.Phase
    ) throws -> AccuracyPredictor {
      try AccuracyPredictor(
        recipe: recipe, candidate: candidate, encoding: encoding, space: space, samples: samples
      ) {
        done += 1
        progress(AccuracyTrainingProgress(phase: phase, done: done, total: total))
      }
    }
    var best = (candidate: 0, tau: -Double.infinity)
    for candidate in 0..<choices {
      let predictor = try fit(candidate, training, .choosing(candidate: candidate))
      let tau = try predictor.evaluate(validation).ranks.kendall
      if tau > best.tau { best = (candidate, tau) }
    }
    let predictor = try fit(best.candidate, training + validation, .training)

    var description = predictor.description
    let (ranks, errors) = try predictor.evaluate(test)
    description.provenance.data = samples.name
    description.provenance.dataDigest = samples.digest.map { "sha256:\($0)" }
    description.provenance.training = training.count
    description.provenance.validation = validation.count
    description.provenance.test = test.count
    description.provenance.seed = recipe.seed
    description.provenance.recipe = recipe
    description.provenance.testRanks = ranks
    description.provenance.testErrors = errors
    description.provenance.date = date
    let chosen = recipe.candidates[best.candidate]
    description.provenance.notes = [
      "hidden \(chosen.hidden), learning rate \(chosen.learningRate), weight decay "
        + "\(chosen.weightDecay), \(chosen.epochs) epochs",
      "chosen on the validation part, then trained on training and validation part; "
        + "tested on the test part",
    ]
    if let releases, let reference = recipe.resolution {
      description.resolutionLaw = try releases.law(from: predictor, reference: reference)
    }
    return try AccuracyPredictor(
      space: space, description: description, members: predictor.members, name: "training")
  }

  /// Trains an ensemble on samples.
  private init(
    recipe: AccuracyRecipe, candidate: Int, encoding: FeatureEncoding, space: SearchSpace,
    samples: [AccuracySamples.Sample], progress: () -> Void
  ) throws {
    let (columns, count) = try encoding.layOut(for: space, name: "training")
    let features = samples.map { sample in
      space.genes.indices.compactMap { gene -> Int? in
        let column = columns[gene][sample.genotype[gene]]
        return column >= 0 && space.isActive(gene, in: sample.genotype) ? column : nil
      }
    }
    let mean = samples.reduce(0) { $0 + $1.accuracy } / Double(samples.count)
    let squares = samples.reduce(0) { $0 + ($1.accuracy - mean) * ($1.accuracy - mean) }
    let deviation = max((squares / Double(samples.count)).squareRoot(), 1e-6)
    let targets = samples.map { Float(($0.accuracy - mean) / deviation) }
    let trainer = PerceptronTrainer(
      candidate: recipe.candidates[candidate], batch: recipe.batch, engine: try Engine(threads: 1))
    let random = RandomStream(seed: recipe.seed).derived("ensemble")
    let members = try (0..<recipe.members).map { member in
      defer { progress() }
      return try trainer.train(
        features: features, columns: count, targets: targets, random: random.derived(member)
      ).rescaled(by: Float(deviation), offset: Float(mean))
    }
    guard members.allSatisfy({ $0.isFinite }) else {
      throw PredictorsError(
        .failed, "training diverged; lower the learning rate of candidate \(candidate + 1)")
    }
    try self.init(
      space: space,
      description: AccuracyPredictorDescription(
        space: space.name, encoding: encoding,
        trainedResolutions: recipe.resolution.map { [$0] } ?? space.choicesOfResolution,
        provenance: .init(data: "")),
      members: members, name: "training")
  }

  /// Ranks and errors on measured architectures.
  public func evaluate(
    _ samples: [AccuracySamples.Sample]
  ) throws -> (ranks: RankStatistics, errors: ErrorStatistics) {
    let predicted = try scores(samples.map(\.genotype))
    let measured = samples.map(\.accuracy)
    return (RankStatistics(predicted, measured), ErrorStatistics(predicted, measured))
  }
}

extension MultilayerPerceptron {
  /// The network whose output is `scale` times this one's plus `offset`.
  fileprivate func rescaled(by scale: Float, offset: Float) -> MultilayerPerceptron {
    var result = self
    if let last = layers.last {
      result.layers[layers.count - 1] = Layer(
        weight: last.weight.affine(scale: scale),
        bias: last.bias.affine(scale: scale, offset: offset))
    }
    return result
  }

  var isFinite: Bool {
    layers.allSatisfy { ($0.weight.array + $0.bias.array).allSatisfy(\.isFinite) }
  }
}
