internal import Architectures
public import Tensors

/// Few-shot prediction on devices of one's own, each left out in turn: the model is trained on
/// published devices, and on the other own ones too, and adapted with a few samples.
public struct HeldOutDevices: Sendable {
  /// Networks that are left to score, at least.
  private static let fewest = 8

  private let published: [LatencyDataset]
  private let own: [LatencyDataset]
  private let engine: Engine?

  public init(published: [LatencyDataset], own: [LatencyDataset], engine: Engine? = nil) {
    self.published = published
    self.own = own
    self.engine = engine
  }

  public var devices: [String] { Set(own.flatMap(\.devices)).sorted() }

  /// Scores every device on every space it has networks enough of.
  ///
  /// The samples are chosen by the model from half of the measured networks, drawn by seed; all
  /// others score.
  /// - Throws: `badSamples`.
  public func score(
    samples: Int = 10, seeds: Int, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> [LatencyBenchmark.Figure] {
    var figures: [LatencyBenchmark.Figure] = []
    let alone = try FewShotModel.train(on: published)
    progress(1, devices.count + 1)
    for (number, device) in devices.enumerated() {
      let others = own.map { dataset in
        dataset.with(devices: dataset.devices.filter { $0 != device })
      }
      let together = try FewShotModel.train(on: published + others.filter { !$0.devices.isEmpty })
      for dataset in own {
        var sums = FigureSums()
        for (method, model) in [("published sources", alone), ("own sources too", together)] {
          for run in 0..<seeds {
            let found = try score(device, dataset, model, samples: samples, seed: UInt64(run))
            for (metric, value) in found { sums.add(method, metric, samples, run, value) }
          }
        }
        figures += sums.figures(task: "\(device), \(dataset.space.name)")
      }
      progress(number + 2, devices.count + 1)
    }
    return figures
  }

  /// Nothing where too few networks were measured.
  private func score(
    _ device: String, _ dataset: LatencyDataset, _ model: FewShotModel, samples: Int, seed: UInt64
  ) throws -> [(metric: String, value: Double)] {
    let measured = dataset.measured(on: device)
    guard measured.count >= samples + Self.fewest, let values = dataset.latencies[device] else {
      return []
    }
    var generator = SeededGenerator(seed: seed, stream: "pool of \(device)")
    let order = measured.shuffled(using: &generator)
    let pool = Array(order.prefix(max(samples, measured.count / 2)))
    let encoder = SpaceEncoder(dataset.space)
    let population = try FewShotModel.population([encoder], engine: engine).encodings
    let basis = FewShotBasis(sources: model.sources, population: population)
    let chosen = SampleSelection.choose(
      samples, basis: basis, prior: model.prior, pool: dataset.encodings.selecting(pool)
    ).map { pool[$0] }
    let asked = order.filter { !chosen.contains($0) }
    let predictor = try model.adapted(
      basis, dataset.encodings.selecting(chosen), chosen.map { values[$0] })
    let encodings = dataset.encodings.selecting(asked)
    let (predicted, real) = (predictor.latencies(encodings), asked.map { values[$0] })
    let halves = predictor.halfWidths(encodings, confidence: 0.9)
    let held = asked.indices.count { abs(real[$0] - predicted[$0]) <= halves[$0] }
    return LatencyBenchmark.metrics(predicted, real) + [
      ("90 % intervals hold", Double(held) / Double(asked.count)),
      ("networks scored", Double(asked.count)),
    ]
  }
}
