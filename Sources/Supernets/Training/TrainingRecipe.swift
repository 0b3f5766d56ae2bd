internal import Architectures
internal import Foundation
internal import Yams

/// How a supernet is trained: phases that follow one another. A YAML file, see `Docs/supernets.md`.
public struct TrainingRecipe: Sendable, Equatable {
  /// Images a step.
  public var batch = 128
  public var seed: UInt64 = 1
  /// Images held out of training for the accuracies shown on the way and for later evaluation.
  public var validation = 5000
  public var weightDecay: Float = 3e-5
  public var labelSmoothing: Float = 0.1
  /// Before the classifier, on the largest subnet and on those that learn from labels.
  public var dropout: Float = 0
  public var clipNorm: Float?
  /// Training images whose statistics a subnet is evaluated with.
  public var recalibration = 2000
  /// Epochs between evaluations.
  public var evaluateEvery = 1
  public var cutout = 0
  public var phases: [Phase]

  /// Which subnets a step trains.
  public enum Sampling: String, Sendable, CaseIterable, Codable {
    case largest
    /// `count` subnets by the sampler.
    case sampled
    /// The largest, the smallest and `count` by the sampler (Yu and Huang 2019, BigNAS).
    case sandwich
  }

  /// Who the subnets learn from beside the labels, or instead of them.
  public enum Teacher: Sendable, Equatable {
    case none
    /// The largest subnet of the same step; the others then see no labels.
    case inPlace
    /// The largest subnet as it was when the phase of this name ended.
    case phase(String)
  }

  public struct Phase: Sendable, Equatable {
    public var name: String
    public var epochs: Int
    /// Epochs in which the rate rises from zero.
    public var warmUp: Int
    /// Of stochastic gradient descent with Nesterov momentum 0.9; falls to zero on a cosine.
    public var rate: Float
    public var sampling: Sampling
    public var count: Int
    public var sampler: SubnetSampler.Rule
    public var teacher: Teacher
    /// Weight of the teacher's part of the loss.
    public var distillation: Float
    public var divergence: Divergence
    /// Sort channels by importance before the phase.
    public var sortsChannels: Bool
    public var choices: ElasticChoices
  }

  /// The phase whose largest subnet teaches `phase`, if one does.
  func teacher(of phase: Phase) -> Phase? {
    guard case .phase(let name) = phase.teacher else { return nil }
    return phases.first { $0.name == name }
  }

  /// The smallest expansion that the first `count` phases train beside the largest: its channels, and
  /// those of wider ones, must keep their places from then on. Infinite where there is none.
  func smallestTrainedExpansion(in count: Int) -> Double {
    phases.prefix(count).map { phase in
      phase.sampling == .largest ? .infinity : phase.choices.values[.expand]?.min() ?? 0
    }.min() ?? .infinity
  }

  /// Whether a training by `earlier` that stands in its phase `index` can go on by this recipe: only
  /// phases after that one may differ.
  func continues(_ earlier: TrainingRecipe, from index: Int) -> Bool {
    var (ours, theirs) = (self, earlier)
    ours.phases = Array(phases.prefix(index + 1))
    theirs.phases = Array(earlier.phases.prefix(index + 1))
    return ours == theirs
  }

  /// Reads a recipe.
  /// - Throws: `recipe` naming file, line and key.
  public init(contentsOf path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw SupernetsError(.recipe, "\(path): cannot be read")
    }
    try self.init(yaml: String(decoding: data, as: UTF8.self), file: path)
  }

  public init(yaml: String, file: String = "recipe.yaml") throws {
    do {
      let reader = try YAMLReader(yaml: yaml, file: file, what: "a training recipe")
      try self.init(reader)
    } catch let error as ArchitecturesError {
      throw SupernetsError(.recipe, error.message)
    }
  }

  private init(_ reader: YAMLReader) throws {
    try reader.allow([
      "schema", "batch", "seed", "validation", "weight_decay", "label_smoothing", "dropout",
      "clip_norm", "recalibration", "evaluate_every", "cutout", "phases",
    ])
    guard try reader.integer("schema") == 1 else {
      throw reader.error("schema", "this version reads schema 1")
    }
    phases = []
    batch = try reader.integer("batch", default: batch)
    seed = UInt64(try reader.integer("seed", default: Int(seed), in: 0...Int.max))
    validation = try reader.integer("validation", default: validation, in: 1...10_000_000)
    recalibration = try reader.integer("recalibration", default: recalibration, in: 1...1_000_000)
    evaluateEvery = try reader.integer("evaluate_every", default: evaluateEvery)
    cutout = try reader.integer("cutout", default: cutout, in: 0...4096)
    weightDecay = try reader.fraction("weight_decay", default: weightDecay)
    labelSmoothing = try reader.fraction("label_smoothing", default: labelSmoothing)
    dropout = try reader.fraction("dropout", default: dropout)
    if reader.has("clip_norm") {
      let norm = Float(try reader.number("clip_norm"))
      guard norm > 0, norm.isFinite else { throw reader.error("clip_norm", "must be above 0") }
      clipNorm = norm
    }
    for node in try reader.sequence("phases") {
      let phase = try Phase(YAMLReader(node, file: reader.file, what: "a phase"), after: phases)
      phases.append(phase)
    }
  }
}

extension YAMLReader {
  /// A number in `0..<1`.
  fileprivate func fraction(_ key: String, default fallback: Float) throws -> Float {
    let value = Float(try number(key, default: Double(fallback)))
    guard (0..<1).contains(value) else { throw error(key, "must be in 0..<1") }
    return value
  }
}

extension TrainingRecipe.Phase {
  fileprivate init(_ reader: YAMLReader, after earlier: [TrainingRecipe.Phase]) throws {
    try reader.allow([
      "name", "epochs", "warm_up", "rate", "sampling", "count", "sampler", "teacher",
      "distillation", "divergence", "sort_channels", "kernel", "depth", "expand", "width",
      "resolution", "tie",
    ])
    let name = try reader.string("name")
    self.name = name
    guard !name.isEmpty, !earlier.contains(where: { $0.name == name }),
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }),
      !name.hasPrefix("."), !["checkpoint", "supernet"].contains(name)
    else {
      throw reader.error(
        "name",
        "must be new, of letters, digits, '-', '_' and '.', and neither 'checkpoint' nor 'supernet', "
          + "which are files of the folder")
    }
    let length = try reader.integer("epochs", in: 1...100_000)
    epochs = length
    warmUp = try reader.integer("warm_up", default: 0, in: 0...length)
    rate = Float(try reader.number("rate"))
    guard rate > 0, rate.isFinite else { throw reader.error("rate", "must be above 0") }
    let sampling: TrainingRecipe.Sampling = try reader.choice("sampling", default: .largest)
    self.sampling = sampling
    count = try reader.integer("count", default: sampling == .largest ? 1 : 2, in: 1...64)
    sampler = try reader.choice("sampler", default: .uniform)
    let distilled = try reader.number("distillation", default: 1)
    guard distilled >= 0 else { throw reader.error("distillation", "must not be negative") }
    distillation = Float(distilled)
    divergence = try reader.choice("divergence", default: .kl)
    sortsChannels = try reader.bool("sort_channels", default: false)
    switch try reader.string("teacher", default: sampling == .sandwich ? "in-place" : "none") {
    case "none": teacher = .none
    case "in-place":
      guard sampling == .sandwich else {
        throw reader.error("teacher", "'in-place' needs the sampling 'sandwich'")
      }
      teacher = .inPlace
    case let phase:
      guard earlier.contains(where: { $0.name == phase }) else {
        throw reader.error("teacher", "must be none, in-place or an earlier phase, not '\(phase)'")
      }
      teacher = .phase(phase)
    }
    choices = ElasticChoices()
    for role in [Gene.Role.kernel, .depth, .expand, .width, .resolution]
    where reader.has(role.rawValue) {
      choices.values[role] = try reader.choices(role.rawValue)
    }
    if reader.has("tie") {
      choices.tie = try ElasticChoices.Tie(
        YAMLReader(try reader.value("tie"), file: reader.file, what: "tie"))
    }
  }
}

extension ElasticChoices.Tie {
  /// `{depth: [2, 3, 4], expand: [3, 4, 6], kernels: [3, 5, 3, 3, 5]}`
  fileprivate init(_ reader: YAMLReader) throws {
    try reader.allow(["depth", "expand", "kernels"])
    let (depths, expands) = (try reader.integers("depth"), try reader.choices("expand"))
    guard depths.count == expands.count else {
      throw reader.error("expand", "needs one number for each of 'depth'")
    }
    kernels = []
    if reader.has("kernels") {
      kernels = try reader.sequence("kernels").map { node in
        guard let kernel = node.int else { throw reader.error("kernels", "must be numbers") }
        return kernel
      }
    }
    expandOfDepth = Dictionary(uniqueKeysWithValues: zip(depths, expands))
  }
}
