public import Architectures
internal import Store

/// Latency of any network as the sum over the kernels that a device computes it in, in the style of
/// nn-Meter (Zhang et al. 2021, MobiSys).
///
/// - Note: Unlike nn-Meter, which times kernels one by one, it learns them from short and whole
///   networks, in which they stand among others; what a runtime does between kernels is so paid for.
public struct KernelPredictor: Equatable, Sendable {
  public struct Provenance: Codable, Equatable, Sendable {
    public var device: String
    /// Images at once; times are those of the whole batch.
    public var batch: Int
    public var threads: Int?
    public var runtime: String?
    public var runtimeVersion: String?
    public var optimization: String?
    public var cpu: String?
    /// Networks it learned from.
    public var samples: Int
    /// UTC, ISO 8601: when the last of them was measured.
    public var measured: String?
    public var options: SumModel.Options
  }

  public let rules: FusionRules
  public let model: SumModel
  public let provenance: Provenance

  /// What a network is predicted to take.
  public struct Prediction: Sendable {
    public var latency: Milliseconds
    /// Each kernel with its time; the device takes some time beside them.
    public var kernels: [(kernel: Kernel, time: Milliseconds)]
    /// Operators of kinds that no sample had: their times are guesses.
    public var unknown: Set<String>
  }

  /// - Parameter batch: images at once, if other than those it learned from.
  public func predict(_ graph: OperatorGraph) -> Prediction {
    let kernels = KernelPartition(graph, rules: rules, batch: provenance.batch).kernels
    let parts = kernels.map { SumPart($0) }
    return Prediction(
      latency: Milliseconds(model.time(parts)),
      kernels: zip(kernels, parts).map { ($0, Milliseconds(model.time($1))) },
      unknown: Set(zip(kernels, parts).filter { !model.knows(kind: $1.kind) }.map { $0.0.op }))
  }

  public func latency(_ graph: OperatorGraph) -> Milliseconds { predict(graph).latency }

  /// Learns a device's kernels from its samples, the fusion tests among them.
  ///
  /// - Throws: `badSamples` if fusion tests are missing, or samples are too few or of several
  ///   devices or settings.
  public static func train(
    _ samples: KernelSamples, options: SumModel.Options = .kernels,
    progress: (Int) -> Void = { _ in }
  ) throws -> KernelPredictor {
    guard let first = samples.rows.first?.sample else {
      throw PredictorsError(.badSamples, "no samples to learn kernels from")
    }
    if let other = samples.rows.first(where: {
      $0.sample.device != first.device
        || !$0.sample.circumstances.agrees(with: first.circumstances)
    }) {
      throw PredictorsError(
        .badSamples,
        "samples of one device under one setting are meant; there are '\(first.device)' "
          + "(\(first.circumstances)) and '\(other.sample.device)' (\(other.sample.circumstances))")
    }
    let rules = try samples.fusionRules()
    let batch = first.batch ?? 1
    let model = try SumModel(
      fitting: wholes(samples, rules: rules), kinds: KernelKind.layouts.count,
      sharedTerms: KernelFeatures.sharedTerms, categories: KernelFeatures.categories,
      options: options, progress: progress)
    return KernelPredictor(
      rules: rules, model: model,
      provenance: Provenance(
        device: first.device, batch: batch, threads: first.threads, runtime: first.runtime,
        runtimeVersion: first.runtimeVersion, optimization: first.optimization, cpu: first.cpu,
        samples: samples.rows.count, measured: samples.rows.compactMap(\.sample.date).max(),
        options: options))
  }

  /// Relative errors of networks, each predicted by a model of the other folds.
  public static func crossValidated(
    _ samples: KernelSamples, rules: FusionRules, folds: Int
  ) throws -> [Double] {
    let wholes = wholes(samples, rules: rules)
    var options = SumModel.Options.kernels
    (options.rounds, options.rate) = (options.rounds / 2, 2 * options.rate)
    var errors = [Double](repeating: 0, count: wholes.count)
    for fold in 0..<folds {
      let seen = wholes.indices.filter { $0 / 4 % folds != fold }.map { wholes[$0] }
      let model = try SumModel(
        fitting: seen, kinds: KernelKind.layouts.count,
        sharedTerms: KernelFeatures.sharedTerms, categories: KernelFeatures.categories,
        options: options)
      for index in wholes.indices where index / 4 % folds == fold {
        errors[index] = model.time(wholes[index].parts) / wholes[index].time - 1
      }
    }
    return errors
  }

  private static func wholes(
    _ samples: KernelSamples, rules: FusionRules
  ) -> [(parts: [SumPart], time: Double)] {
    samples.rows.map { row in
      let partition = KernelPartition(row.graph, rules: rules, batch: row.sample.batch ?? 1)
      return (partition.kernels.map { SumPart($0) }, row.sample.latencyMedian.value)
    }
  }

  /// How predictions compare with networks it did not see.
  public func evaluate(_ samples: KernelSamples) throws -> LatencyEvaluation {
    try LatencyEvaluation(
      predicted: samples.rows.map { latency($0.graph) },
      measured: samples.rows.map(\.sample.latencyMedian))
  }
}

extension SumPart {
  init(_ kernel: Kernel) {
    self.init(
      kind: 2 * KernelKind.allCases.firstIndex(of: kernel.kind)! + (kernel.isBlocked ? 1 : 0),
      features: KernelFeatures.vector(kernel), terms: KernelFeatures.terms(kernel))
  }
}
