internal import Architectures
import Foundation

/// Few-shot latency prediction on devices that training did not see, as the literature scores it:
/// the device splits of NASFLAT (Akhauri and Abdelfattah 2024) and HELP (Lee et al. 2021).
public struct LatencyBenchmark: Sendable {
  /// A split of devices of one space.
  public struct Task: Sendable {
    public var name: String
    public var space: String
    public var train: [String]
    public var test: [String]
    /// Measured networks that the published figures had.
    public var samples: Int
    /// Published Spearman of NASFLAT or HELP, and of a Gaussian process on counts and sources.
    public var published: [(value: Double, source: String)]
  }

  /// One figure: the mean over the task's devices and seeds.
  public struct Figure: Sendable {
    public var task: String
    public var method: String
    public var metric: String
    public var samples: Int
    public var value: Double
    /// Standard deviation over seeds of the mean over devices.
    public var spread: Double
  }

  /// Everything a task needs, by name of the space.
  public let datasets: [String: LatencyDataset]
  public let tasks: [Task]
  /// Devices that HELP's splits train on, by space, for transfer across spaces.
  let helpTrain: [String: [String]]
  let helpTest: [String: [String]]

  /// Networks of a space that a choice of samples is made from.
  static let poolSize = 1000
  static let sampleCounts = [5, 10, 20, 50]
  static let method = "few-shot"

  /// Scores a task. Training sees the task's training devices only.
  /// - Parameter learned: also trains the learned baselines, for the first seed.
  public func score(
    _ task: Task, seeds: Int, seed: UInt64 = 0, learned: Bool = false,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> [Figure] {
    let dataset = datasets[task.space]!
    let model = try FewShotModel.train(
      on: [dataset.with(devices: task.train)], seed: seed, progress: progress)
    var scores = FigureSums()
    for run in 0..<seeds {
      for device in task.test {
        try score(
          device, task, model, dataset, seed: seed &+ UInt64(run), run: run,
          learned: learned && run == 0, &scores)
      }
    }
    return scores.figures(task: task.name)
  }

  private func score(
    _ device: String, _ task: Task, _ model: FewShotModel, _ dataset: LatencyDataset,
    seed: UInt64, run: Int, learned: Bool, _ scores: inout FigureSums
  ) throws {
    let measured = dataset.measured(on: device)
    var generator = SeededGenerator(seed: seed, stream: "pool of \(task.name)")
    let pool = Array(measured.shuffled(using: &generator).prefix(Self.poolSize))
    let encodings = dataset.encodings.selecting(pool)
    let basis = FewShotBasis(sources: model.sources, population: encodings)
    let order = SampleSelection.choose(
      Self.sampleCounts.max()!, basis: basis, prior: model.prior, pool: encodings)
    let truth = dataset.latencies[device]!
    let all = dataset.encodings.selecting(measured)
    let real = measured.map { truth[$0] }
    func add(_ method: String, _ count: Int, _ predicted: [Double], isLatency: Bool = true) {
      let metrics = Self.metrics(predicted, real)
      for (name, value) in metrics.prefix(isLatency ? metrics.count : 1) {
        scores.add(method, name, count, run, value)
      }
    }
    for count in Set(Self.sampleCounts + [task.samples]).sorted() {
      let chosen = Array(order.prefix(count))
      let (x, y) = (encodings.selecting(chosen), chosen.map { truth[pool[$0]] })
      guard let predictor = try? model.adapted(basis, x, y) else {
        // Constant samples: every network is predicted alike.
        add(Self.method, count, real.map { _ in y[0] })
        continue
      }
      add(Self.method, count, predictor.latencies(all))
      let (middles, halves) = (
        predictor.latencies(encodings), predictor.halfWidths(encodings, confidence: 0.9)
      )
      let others = pool.indices.filter { !chosen.contains($0) }
      let held = others.count { abs(truth[pool[$0]] - middles[$0]) <= halves[$0] }
      scores.add(
        Self.method, "coverage of 90 % intervals", count, run,
        Double(held) / Double(max(1, others.count)))
      guard count == task.samples else { continue }
      for (name, predicted) in try baselines(model, basis, x, y, all) {
        add(name, count, predicted, isLatency: !["MACs", "nearest source device"].contains(name))
      }
      guard learned else { continue }
      for (name, predicted) in try learnedBaselines(
        device, task, basis, dataset, model.sources, chosen: chosen.map { pool[$0] }, asked: all,
        seed: seed)
      {
        // Their scores order networks and are no latencies.
        scores.add(name, "Spearman", count, run, RankStatistics.spearman(predicted, real))
      }
    }
  }

  /// Simple methods on the same samples.
  private func baselines(
    _ model: FewShotModel, _ basis: FewShotBasis, _ x: RowMatrix, _ y: [Double],
    _ all: RowMatrix
  ) throws -> [(String, [Double])] {
    func macs(_ matrix: RowMatrix) -> [Double] {
      (0..<matrix.rows).map { row in
        OperatorKind.allCases.reduce(0) {
          let column = $1.rawValue * ArchitectureEncoding.quantities + 1
          return $0 + matrix[row, column]
            + matrix[row, ArchitectureEncoding.dead.lowerBound + column]
        }
      }
    }
    let sources = (model.sources.latencies(x).transposed, model.sources.latencies(all).transposed)
    let best = model.sources.names.indices.max { a, b in
      RankStatistics.spearman(sources.0.row(a), y) < RankStatistics.spearman(sources.0.row(b), y)
    }!
    var result = [("MACs", macs(all)), ("nearest source device", sources.1.row(best))]
    for (name, groups) in [
      ("layer-wise linear", [1]), ("additive table from the samples", [2]),
      ("GP on totals and sources", [0, 1]),
    ] {
      let predictor = try? FewShotPredictor(
        basis: basis, prior: FewShotPrior().restricted(to: groups), calibration: .init(),
        encodings: x, latencies: y)
      if let predictor { result.append((name, predictor.latencies(all))) }
    }
    return result
  }

  /// Spearman over all networks; errors over those that are not read as nearly zero (networks that
  /// a runtime optimised away), as a share of the latency.
  static func metrics(_ predicted: [Double], _ real: [Double]) -> [(String, Double)] {
    let least = 0.1 * ErrorStatistics.quantile(0.5, ofSorted: real.sorted())
    let kept = real.indices.filter { real[$0] > least }
    let errors = ErrorStatistics(kept.map { predicted[$0] }, kept.map { real[$0] })
    return [
      ("Spearman", RankStatistics.spearman(predicted, real)), ("mean error", errors.mean),
      ("within 10 %", errors.within10),
    ]
  }
}

/// Sums of figures over devices, by seed.
struct FigureSums {
  private struct Key: Hashable {
    var method: String
    var metric: String
    var samples: Int
  }

  private var order: [Key] = []
  private var values: [Key: [Int: [Double]]] = [:]

  mutating func add(
    _ method: String, _ metric: String, _ samples: Int, _ run: Int, _ value: Double
  ) {
    let key = Key(method: method, metric: metric, samples: samples)
    if values[key] == nil { order.append(key) }
    values[key, default: [:]][run, default: []].append(value)
  }

  func figures(task: String) -> [LatencyBenchmark.Figure] {
    order.map { key in
      // By seed, so that sums have the same bits each time.
      let means = values[key]!.sorted { $0.key < $1.key }.map {
        $0.value.reduce(0, +) / Double($0.value.count)
      }
      let mean = means.reduce(0, +) / Double(means.count)
      let squares = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return LatencyBenchmark.Figure(
        task: task, method: key.method, metric: key.metric, samples: key.samples, value: mean,
        spread: (squares / Double(max(1, means.count - 1))).squareRoot())
    }
  }
}

extension RowMatrix {
  func row(_ index: Int) -> [Double] { Array(values[index * columns..<(index + 1) * columns]) }
}

extension FewShotPrior {
  /// Candidates with some groups only, equally probable.
  func restricted(to groups: [Int]) -> FewShotPrior {
    var prior = self
    prior.candidates = candidates.compactMap { candidate in
      var candidate = candidate
      let total = candidate.variances.reduce(0, +)
      for group in candidate.variances.indices where !groups.contains(group) {
        candidate.variances[group] = 0
      }
      let kept = candidate.variances.reduce(0, +)
      guard kept > 0 else { return nil }
      candidate.variances = candidate.variances.map { $0 * total / kept }
      return candidate
    }
    prior.probabilities = prior.candidates.map { _ in 1 / Double(prior.candidates.count) }
    return prior
  }
}
