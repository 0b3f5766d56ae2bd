internal import Architectures
internal import Networks
internal import Supernets
internal import Tensors

/// A once-for-all supernet with random weights and made-up images, for timing: what
/// `swiftlet bench supernet` and Benchmarks/supernet_pytorch.py run.
public final class SupernetBenchmark {
  /// Kinds of training steps.
  public enum Step: String, CaseIterable, Sendable {
    /// The largest subnet, the smallest and two random ones; the largest teaches the others
    /// (BigNAS, Yu et al. 2020, arXiv 2003.11142).
    case sandwich
    /// Four random subnets that learn from labels and from the largest subnet of another network,
    /// as in once-for-all's last phases (Cai et al. 2020, arXiv 1908.09791).
    case shrinking

    public var task: String { "step:\(rawValue)" }
  }

  public struct Options: Sendable {
    /// Images a step.
    public var batch = 64
    public var threads = 2
    /// Images that a subnet is judged on.
    public var validation = 5000
    /// Training images that its statistics are taken from.
    public var recalibration = 2000

    public init() {}
  }

  let space: SearchSpace
  let options: Options
  let side: Int
  private let data: TrainingData
  private let supernet: Supernet
  private let sampler: SubnetSampler
  private let trainer: Trainer
  private let batches: [ImageBatch]
  private let sandwich: SupernetStep
  private let shrinking: SupernetStep
  /// Made when it is first asked for: it keeps its images decoded.
  private var evaluator: SubnetEvaluator?

  private static let seed: UInt64 = 1

  /// - Parameter name: of a space, or path of a space file.
  /// - Throws: the space's own error if no supernet can hold it.
  public init(space name: String, _ options: Options) throws {
    space = try SpaceCatalog.standard.space(name)
    self.options = options
    side = space.resolution(space.largestGenotype)
    data = try Self.images(space, side: side, options)
    let recipe = try TrainingRecipe(yaml: Self.recipe)
    var random = RandomStream(seed: Self.seed)
    supernet = try Supernet(space, random: &random)
    let teacher = try Supernet(space, random: &random)
    sampler = try SubnetSampler(ChoiceSet(space))
    let engine = try Engine(threads: options.threads)
    sandwich = try SupernetStep(
      supernet, data, recipe, recipe.phases[1], teacher: nil, engine: engine)
    shrinking = try SupernetStep(
      supernet, data, recipe, recipe.phases[2], teacher: teacher, engine: engine)
    trainer = try Trainer(
      supernet,
      Trainer.Options(
        rate: recipe.phases[0].rate, schedule: Schedule(.constant, total: 1),
        weightDecay: recipe.weightDecay, seed: Self.seed),
      engine: engine)
    let loader = try data.trainingLoader(batch: options.batch)
    let order = loader.order(epoch: 0)
    batches = try (0..<Self.batchCount).map {
      try loader.batch(epoch: 0, step: $0, order: order)
    }
  }

  private static let batchCount = 4

  /// Only losses, samplings and teachers matter: no phase is run to its end.
  private static let recipe = """
    schema: 1
    phases:
      - {name: full, epochs: 1, rate: 0.01}
      - {name: sandwich, epochs: 1, rate: 0.01, sampling: sandwich, count: 2}
      - {name: shrinking, epochs: 1, rate: 0.01, sampling: sampled, count: 4, teacher: full}
    """

  /// As many images as are needed; some hundred different ones, over and over.
  private static func images(
    _ space: SearchSpace, side: Int, _ options: Options
  ) throws -> TrainingData {
    let different = try MemoryImages.procedural(
      count: 256, classes: space.classes, size: side, seed: seed)
    let training = max(options.recalibration, batchCount * options.batch)
    let all = ImageSubset(
      of: different, indices: (0..<training + options.validation).map { $0 % different.count })
    return try TrainingData(
      ImageCollection(all, side: side), space, validation: options.validation,
      seed: seed)
  }

  /// The subnets of step `number`, in the order in which they are trained.
  func subnets(_ step: Step, _ number: Int) -> [Genotype] {
    var random = SeededGenerator(seed: Self.seed, stream: "bench-\(step.rawValue)-\(number)")
    switch step {
    case .sandwich: return sampler.sandwich(random: 2, &random)
    case .shrinking: return (0..<4).map { _ in sampler.choices.uniform(&random) }
    }
  }

  /// The `number`-th subnet to evaluate.
  func evaluated(_ number: Int) -> Genotype {
    var random = SeededGenerator(seed: Self.seed, stream: "bench-evaluate-\(number)")
    return sampler.choices.uniform(&random)
  }

  var extremes: [Genotype] { [sampler.choices.largest, sampler.choices.smallest] }

  /// Takes training step `number`, whose subnets depend on the number alone.
  /// - Returns: milliseconds.
  public func step(_ kind: Step, _ number: Int) throws -> Double {
    let run = kind == .sandwich ? sandwich : shrinking
    let chosen = try subnets(kind, number).map(supernet.subnet)
    let batch = batches[number % batches.count]
    let elapsed = try ContinuousClock().measure {
      _ = try run(batch, trainer, subnets: chosen)
    }
    return elapsed / .milliseconds(1)
  }

  /// Recalibrates and judges subnets, each thread its own.
  /// - Returns: milliseconds for all of them.
  public func evaluate(_ numbers: Range<Int>) throws -> Double {
    let evaluator =
      try self.evaluator
      ?? SubnetEvaluator(
        data, on: data.validation, recalibration: options.recalibration, threads: options.threads)
    self.evaluator = evaluator
    let chosen = numbers.map(evaluated)
    let elapsed = try ContinuousClock().measure {
      _ = try evaluator.evaluate(chosen, of: supernet)
    }
    return elapsed / .milliseconds(1)
  }
}
