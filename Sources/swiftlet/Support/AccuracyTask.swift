import Predictors

/// One task of the accuracy benchmark.
struct AccuracyTask {
  enum Kind {
    /// Some architectures of a table to learn from, the others to score.
    case fewShot
    /// The same, with a predictor of these other spaces to begin with.
    case fewShotAfter([AccuracyTables.Source])
    /// Learned on the other tables alone.
    case transfer([AccuracyTables.Source])
    /// Learned on another table of the same space, without the architectures that score.
    case heldOut(AccuracyTables.Source)
  }

  var name: String
  var target: AccuracyTables.Source
  var samples = 0
  var kind = Kind.fewShot
  /// Published figures by metric, and where they are from.
  var references: [String: Double] = [:]
  var source: String?

  func rows(_ tables: AccuracyTables, seeds: Int) throws -> [BenchRow] {
    let table = try tables.table(target)
    let trials = try (0..<UInt64(seeds)).map { seed in
      switch kind {
      case .fewShot:
        try AccuracyTrial.fewShot(table, samples: samples, seed: seed)
      case .fewShotAfter(let sources):
        try AccuracyTrial.fewShot(
          table, samples: samples, seed: seed, sources: sources.map(tables.table))
      case .transfer(let sources):
        try AccuracyTrial.transfer(from: sources.map(tables.table), to: table, seed: seed)
      case .heldOut(let other):
        try AccuracyTrial.heldOut(
          from: tables.table(other), samples: samples, to: table, seed: seed)
      }
    }
    var rows = [
      row("Kendall", trials.map(\.ranks.kendall)), row("Spearman", trials.map(\.ranks.spearman)),
    ]
    let coverages = trials.compactMap(\.coverage)
    if !coverages.isEmpty { rows.append(row("90 % interval holds", coverages)) }
    return rows
  }

  private func row(_ metric: String, _ values: [Double]) -> BenchRow {
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return BenchRow(
      task: name, metric: metric, samples: samples, value: mean,
      spread: (squares / Double(max(1, values.count - 1))).squareRoot(),
      reference: references[metric] ?? (metric.hasPrefix("90") ? 0.9 : nil),
      source: references[metric] == nil ? nil : source)
  }

  /// Tables of trained networks: what other spaces learn from. Weight-sharing accuracies are a target
  /// only.
  private static let trained: [AccuracyTables.Source] = [
    .nb101, .nb201, .accel, .ofa, .multiResolution,
  ]

  static let all: [AccuracyTask] =
    inSpace
    + [
      AccuracyTask(
        name: "NB101 to NB201", target: .nb201, kind: .transfer([.nb101]),
        references: ["Spearman": 0.815], source: "GENNAPE, third-party review")
    ]
    + (trained + [.enas]).map { target in
      let published: [AccuracyTables.Source: Double] = [.nb101: 0.794, .nb201: 0.390]
      return AccuracyTask(
        name: "all others to \(target.rawValue)", target: target,
        kind: .transfer(trained.filter { $0 != target }),
        references: published[target].map { ["Kendall": $0] } ?? [:],
        source: "ONNX-Net, other tables of the space, third-party review")
    }
    + [10, 20, 50, 78, 156, 469].map { samples in
      AccuracyTask(
        name: "NB201 after NB101", target: .nb201, samples: samples, kind: .fewShotAfter([.nb101]),
        references: samples == 10 ? ["Kendall": 0.39] : samples == 50 ? ["Kendall": 0.693] : [:],
        source: "extra-trees on path features, without transfer")
    }

  private static var inSpace: [AccuracyTask] {
    let trees = "extra-trees on path features"
    let perceptron = "pairwise-ranking perceptron"
    let published = "Once-for-All's own predictor"
    let former = "NN-Former, whole space, accuracy"
    func fewShot(
      _ target: AccuracyTables.Source, _ figures: [(Int, Double?, String?)]
    ) -> [AccuracyTask] {
      figures.map { samples, reference, source in
        AccuracyTask(
          name: target.rawValue, target: target, samples: samples,
          references: reference.map { ["Kendall": $0] } ?? [:], source: source)
      }
    }
    return fewShot(
      .nb201,
      [
        (10, 0.39, trees), (20, nil, nil), (50, 0.693, trees), (78, 0.715, trees),
        (156, 0.804, former), (469, 0.831, trees), (781, 0.851, trees),
      ])
      + fewShot(
        .nb101,
        [
          (100, 0.709, former), (172, 0.7654, former), (424, 0.809, former), (1000, nil, nil),
        ])
      + fewShot(.nb101Short, [(100, nil, nil), (300, nil, nil)])
      + [
        AccuracyTask(
          name: AccuracyTables.Source.nb101Full.rawValue, target: .nb101Full, samples: 1000,
          kind: .heldOut(.nb101)),
        AccuracyTask(
          name: AccuracyTables.Source.nb101Quick.rawValue, target: .nb101Quick, samples: 1000,
          kind: .heldOut(.nb101)),
      ]
      + fewShot(
        .accel,
        [(100, 0.790, perceptron), (1000, 0.893, perceptron)])
      + fewShot(.ofa, [(100, 0.881, published), (1000, 0.881, published)])
      + fewShot(.enas, [(100, nil, nil)])
      + fewShot(.multiResolution, [(100, nil, nil), (500, nil, nil)])
  }
}
