internal import Architectures
internal import Networks
public import Tensors

/// Makes up images with which subnets can be recalibrated where the training images are not at
/// hand: noise that is changed until the norms of many subnets see the statistics that they see
/// with the training images, and until they are classified (Yin et al. 2020, arXiv 1912.08795; they
/// do it for one network).
public struct CalibrationImages {
  public struct Options: Sendable {
    public var images: Int
    /// Subnets that are asked, the smallest and the largest among them.
    public var subnets: Int
    public var steps: Int
    /// Of Adam, in normalised pixels; falls to zero on a cosine.
    public var rate: Float
    /// Of the norms' distances, against the cross entropy.
    public var weight: Float
    public var seed: UInt64

    public init(
      images: Int = 256, subnets: Int = 24, steps: Int = 800, rate: Float = 0.05,
      weight: Float = 1, seed: UInt64 = 1
    ) {
      self.images = images
      self.subnets = subnets
      self.steps = steps
      self.rate = rate
      self.weight = weight
      self.seed = seed
    }
  }

  public struct Progress: Sendable {
    public var step: Int
    public var steps: Int
    /// Mean over the norms of the step's subnet, see `Variable.drawn(toMean:variance:weight:)`.
    public var distance: Double
  }

  private let supernet: Supernet
  private let choices: ChoiceSet
  private let data: TrainingData
  private let recalibration: Int
  private let options: Options
  private let engine: Engine

  /// - Parameters:
  ///   - choices: the subnets that are asked.
  ///   - recalibration: training images that the statistics come from.
  public init(
    _ supernet: Supernet, _ choices: ChoiceSet, _ data: TrainingData, recalibration: Int,
    _ options: Options = Options(), engine: Engine
  ) {
    self.supernet = supernet
    self.choices = choices
    self.data = data
    self.recalibration = recalibration
    self.options = options
    self.engine = engine
  }

  /// Normalised images, `[images, side, side, C]`.
  /// - Parameter progress: told after each step; what it throws ends the work.
  public func make(progress: (Progress) throws -> Void = { _ in }) throws -> Tensor {
    let channels = data.normalization.mean.count
    let classes = data.classNames.count
    var random = RandomStream(seed: options.seed).derived("calibration")
    let pixels = Pixels(random.normal([options.images, data.side, data.side, channels]))
    let targets = try Mixup.targets(
      (0..<options.images).map { $0 % classes }, classes: classes, smoothing: 0.1)
    let networks = try subnets()
    let trainer = try Trainer(
      pixels,
      Trainer.Options(
        rule: .adam(), rate: options.rate, schedule: Schedule(.cosine(), total: options.steps),
        seed: options.seed),
      engine: engine)
    while trainer.step < options.steps {
      let network = networks[trainer.step % networks.count]
      _ = try trainer.train { pass in
        let images = pass.tape.parameter(pixels.values)
        let resampler = BatchResampler(from: data.side, to: network.subnet.resolution)
        return try network(resampler(images), pass).crossEntropy(target: targets)
      }
      let distances = network.batchNorms.compactMap { $0.attraction?.distance }
      try progress(
        Progress(
          step: trainer.step, steps: options.steps,
          distance: distances.reduce(0, +) / Double(max(1, distances.count))))
    }
    return pixels.values.value
  }

  /// Frozen, with the statistics that the images are to have.
  private func subnets() throws -> [ExtractedNetwork] {
    var random = SeededGenerator(seed: options.seed, stream: "calibration")
    var genotypes = [choices.largest, choices.smallest]
    while genotypes.count < options.subnets { genotypes.append(choices.uniform(&random)) }
    let recalibrator = try Recalibrator(data, images: recalibration)
    return try genotypes.map { genotype in
      let network = try supernet.extracted(genotype, engine: engine)
      try recalibrator(network, engine)
      for item in network.namedParameters { item.parameter.isTrained = false }
      for norm in network.batchNorms { norm.attraction = .init(weight: options.weight) }
      return network
    }
  }
}

/// Images as the parameters of a network without layers, so that a `Trainer` can change them.
private final class Pixels: Layer {
  let values: Tensors.Parameter

  init(_ values: Tensor) { self.values = Tensors.Parameter(values) }

  var members: [Member] { [.parameter("pixels", values, .vector)] }
}
