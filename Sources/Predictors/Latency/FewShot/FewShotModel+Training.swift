internal import Architectures

extension FewShotModel {
  /// Meta-trains on devices that were measured on many networks.
  ///
  /// Every source plays the new device twice: beside all other sources, and beside the less similar
  /// half of them only, since a new device may resemble none. Nothing but the data sets given here
  /// is looked at.
  /// - Throws: `badSamples` when no device has enough latencies.
  public static func train(
    on datasets: [LatencyDataset], seed: UInt64 = 0, provenance: String = "",
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> FewShotModel {
    let sources = try SourceDevices(fitting: datasets)
    var rehearsals: [Rehearsal] = []
    for (number, dataset) in datasets.enumerated() {
      for device in dataset.devices {
        for share in [1, 0.5] where share == 1 || sources.names.count > 2 {
          let stream = "\(number) \(device) \(share)"
          guard
            let rehearsal = Rehearsal(
              device, of: dataset, sources: sources, share: share, seed: seed, stream: stream)
          else { continue }
          rehearsals.append(rehearsal)
        }
      }
    }
    guard !rehearsals.isEmpty else {
      throw PredictorsError(
        .badSamples,
        "no device has \(Rehearsal.fewest) latencies, and one other device beside it, to learn from"
      )
    }
    var prior = FewShotPrior()
    let total = 2 * rehearsals.count
    var evidence: [[Double]] = []
    for (index, rehearsal) in rehearsals.enumerated() {
      evidence += rehearsal.evidence(prior)
      progress(index + 1, total)
    }
    prior.learn(evidence)
    var ratios: [Int: [Double]] = [:]
    for (index, rehearsal) in rehearsals.enumerated() {
      for (samples, errors) in try rehearsal.errors(prior) {
        ratios[samples, default: []] += errors
      }
      progress(rehearsals.count + index + 1, total)
    }
    var calibration = IntervalCalibration()
    for (samples, errors) in ratios.sorted(by: { $0.key < $1.key }) {
      calibration.learn(samples: samples, ratios: errors)
    }
    return FewShotModel(
      sources: sources, prior: prior, calibration: calibration, provenance: provenance)
  }
}

/// A source device that plays a new one.
private struct Rehearsal {
  /// Latencies that a device needs for it.
  static let fewest = 100
  private static let rows = 600

  private let basis: FewShotBasis
  private let encodings: RowMatrix
  private let latencies: [Double]
  private let seed: UInt64
  private let stream: String

  /// `nil` if the device has too few latencies or no other device is left.
  /// - Parameter share: of the other sources, the least similar ones, that stay.
  init?(
    _ device: String, of dataset: LatencyDataset, sources: SourceDevices, share: Double,
    seed: UInt64, stream: String
  ) {
    var generator = SeededGenerator(seed: seed, stream: stream)
    let measured = dataset.measured(on: device)
    guard measured.count >= Self.fewest, let values = dataset.latencies[device] else { return nil }
    let rows = measured.shuffled(using: &generator).prefix(Self.rows)
    encodings = dataset.encodings.selecting(rows)
    latencies = rows.map { values[$0] }
    let functions = sources.latencies(encodings).transposed
    func column(_ index: Int) -> [Double] {
      Array(functions.values[index * functions.columns..<(index + 1) * functions.columns])
    }
    guard let own = sources.names.firstIndex(of: device) else { return nil }
    let others = sources.names.indices.filter { $0 != own }
      .map { (index: $0, likeness: abs(RankStatistics.pearson(column($0), column(own)))) }
      .sorted { ($0.likeness, $0.index) < ($1.likeness, $1.index) }
    let kept = others.prefix(max(1, Int((Double(others.count) * share).rounded()))).map(\.index)
    guard !kept.isEmpty, !others.isEmpty else { return nil }
    basis = FewShotBasis(sources: sources.selecting(kept.sorted()), population: encodings)
    self.seed = seed
    self.stream = stream
  }

  /// Evidence of a prior's candidates on some random samples.
  func evidence(_ prior: FewShotPrior) -> [[Double]] {
    var generator = SeededGenerator(seed: seed, stream: "evidence \(stream)")
    return [10, 20, 40].compactMap { count in
      let chosen = Array(latencies.indices.shuffled(using: &generator).prefix(count))
      guard let targets = standardised(chosen.map { latencies[$0] }) else { return nil }
      let features = basis.features(encodings.selecting(chosen))
      return prior.evidence(FewShotKernel(features, features), targets)
    }
  }

  /// Errors in predicted deviations, by number of samples, where we choose what is measured.
  func errors(_ prior: FewShotPrior) throws -> [(samples: Int, ratios: [Double])] {
    let order = SampleSelection.choose(50, basis: basis, prior: prior, pool: encodings)
    let others = latencies.indices.filter { !order.contains($0) }
    let asked = encodings.selecting(others)
    return try [5, 10, 20, 50].compactMap { count in
      let chosen = order.prefix(count)
      guard standardised(chosen.map { latencies[$0] }) != nil else { return nil }
      let predictor = try FewShotPredictor(
        basis: basis, prior: prior, calibration: IntervalCalibration(),
        encodings: encodings.selecting(chosen), latencies: chosen.map { latencies[$0] })
      let (means, deviations) = (predictor.latencies(asked), predictor.deviations(asked))
      return (count, others.indices.map { (latencies[others[$0]] - means[$0]) / deviations[$0] })
    }
  }

  /// Mean 0, deviation 1; `nil` for constant latencies.
  private func standardised(_ values: [Double]) -> [Double]? {
    let mean = values.reduce(0, +) / Double(values.count)
    let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    guard square.squareRoot() > 1e-9 * abs(mean) else { return nil }
    return values.map { ($0 - mean) / square.squareRoot() }
  }
}

extension SourceDevices {
  func selecting(_ indices: [Int]) -> SourceDevices {
    SourceDevices(
      names: indices.map { names[$0] }, weights: weights.selecting(indices),
      intercepts: indices.map { intercepts[$0] })
  }
}
