import Architectures
import Foundation
import Store
import Tensors
import Testing

@testable import Predictors

/// Few-shot latency on devices made up of operator costs: enough to check everything but realism.
@Suite struct FewShotTests {
  /// Latencies of a made-up device: a random price for each column of the physical totals.
  private static func device(_ seed: UInt64, _ dataset: RowMatrix, noise: Double = 0.01) -> [Double]
  {
    var generator = SeededGenerator(seed: seed, stream: "device")
    let prices = ArchitectureEncoding.physical.map { column in
      [0, 1, 2, 3, 4].contains(column % 6) ? generator.nextUniform() : 0
    }
    let sums = (0..<dataset.rows).map { row in
      prices.indices.reduce(0.5) { $0 + prices[$1] * dataset[row, $1] }
    }
    return sums.map { $0 * (1 + noise * 2 * (generator.nextUniform() - 0.5)) }
  }

  private static let data: LatencyDataset = {
    let space = try! catalog.space("fbnet-cifar100")
    var data = try! LatencyDataset(
      space: space, genotypes: genotypes(400, of: space, seed: 5), latencies: [:])
    for seed in 1...5 {
      data.latencies["device \(seed)"] = device(UInt64(seed), data.encodings)
    }
    return data
  }()
  private static let model = try! FewShotModel.train(on: [data], provenance: "test")

  private static func samples(_ rows: [Int], _ latencies: [Double]) -> [(
    encoding: ArchitectureEncoding, latency: Milliseconds
  )] {
    let encoder = SpaceEncoder(data.space)
    return rows.map {
      (try! encoder.encode(data.genotypes[$0]), Milliseconds(latencies[$0]))
    }
  }

  @Test func adaptsToANewDevice() throws {
    let truth = Self.device(99, Self.data.encodings)
    let encoder = SpaceEncoder(Self.data.space)
    let predictor = try Self.model.adapted(
      to: Self.samples(Array(0..<20), truth), spaces: [encoder])
    let predicted = predictor.latencies(Self.data.encodings)
    let scores = RankStatistics(Array(predicted[20...]), Array(truth[20...]))
    #expect(scores.spearman > 0.9)
    let errors = ErrorStatistics(Array(predicted[20...]), Array(truth[20...]))
    #expect(errors.median < 0.05)
    let halves = predictor.halfWidths(Self.data.encodings, confidence: 0.9)
    let held = (20..<400).count { abs(predicted[$0] - truth[$0]) <= halves[$0] }
    #expect(Double(held) / 380 > 0.75)
    // Wider for more confidence.
    let wider = predictor.halfWidths(Self.data.encodings, confidence: 0.98)
    #expect(zip(halves, wider).allSatisfy { $0 <= $1 })
    // One encoding at a time says the same, and a search's cost too.
    let one = try encoder.encode(Self.data.genotypes[7])
    #expect(abs(predictor.latency(one).value - predicted[7]) < 1e-9 * predicted[7])
    let cost = try FewShotCost(predictor, encoder: encoder)
    #expect(abs(try cost.cost(Self.data.genotypes[7]) - predicted[7]) < 1e-7 * predicted[7])
    let upper = try FewShotCost(predictor, encoder: encoder, confidence: 0.95)
    #expect(abs(try upper.cost(Self.data.genotypes[7]) - predicted[7] - halves[7]) < 1e-9)
  }

  /// As if the part that all networks share took no time: less than that would take less than none.
  @Test func whatIsOutOfReachSaysSo() throws {
    let truth = Self.device(99, Self.data.encodings)
    let (least, most) = (truth[..<20].min()!, truth[..<20].max()!)
    let samples = Self.samples(Array(0..<20), truth.map { $0 - least + 0.01 })
    let predictor = try Self.model.adapted(to: samples, spaces: [SpaceEncoder(Self.data.space)])
    #expect(predictor.isOutOfReach(.zero))
    #expect(predictor.latency(.zero).value == 0.001)
    #expect(!predictor.isOutOfReach(samples[truth.firstIndex(of: most)!].encoding))
  }

  @Test func aFileHoldsTheModel() throws {
    let path = NSTemporaryDirectory() + "few-shot-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Self.model.write(to: path)
    let read = try FewShotModel(contentsOf: path)
    #expect(read.sourceDevices == Self.model.sourceDevices)
    #expect(read.prior == Self.model.prior && read.calibration == Self.model.calibration)
    #expect(read.provenance == "test")
    let truth = Self.device(99, Self.data.encodings)
    let samples = Self.samples(Array(0..<10), truth)
    let spaces = [SpaceEncoder(Self.data.space)]
    let (a, b) = try (
      Self.model.adapted(to: samples, spaces: spaces), read.adapted(to: samples, spaces: spaces)
    )
    let encoding = samples[0].encoding
    // Weights are kept in single precision.
    #expect(abs(a.latency(encoding).value / b.latency(encoding).value - 1) < 1e-3)
    try Data("no model".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: PredictorsError.self) { try FewShotModel(contentsOf: path) }
  }

  @Test func choosesTheSameTellingNetworks() throws {
    let encoder = SpaceEncoder(Self.data.space)
    let ten = try Self.model.networksToMeasure(10, of: encoder)
    let five = try Self.model.networksToMeasure(5, of: encoder)
    #expect(Array(ten.prefix(5)) == five)
    #expect(Set(ten).count == 10)
  }

  @Test func leavesOneOut() throws {
    let truth = Self.device(99, Self.data.encodings)
    let spaces = [SpaceEncoder(Self.data.space)]
    let held = try Self.model.leaveOneOut(
      Self.samples(Array(0..<15), truth), spaces: spaces)
    #expect(held.count == 15)
    #expect(held.map(\.measured.value) == Array(truth.prefix(15)))
    let error = ErrorStatistics(held.map(\.predicted.value), held.map(\.measured.value))
    #expect(error.median < 0.1)
    #expect(throws: PredictorsError.self) {
      try Self.model.leaveOneOut(Self.samples([0, 1], truth), spaces: spaces)
    }
  }

  /// Two of three samples may be equal: they say nothing of how far off the third is.
  @Test func leavesOneOutOfEqualOthers() throws {
    let latencies = [5.0, 5, 7]
    let held = try Self.model.leaveOneOut(
      Self.samples([0, 1, 2], latencies), spaces: [SpaceEncoder(Self.data.space)])
    #expect(held.map(\.measured.value) == latencies)
    #expect(held[2].predicted.value == 5 && held[2].halfWidth.value == .infinity)
    #expect(held.prefix(2).allSatisfy { $0.halfWidth.value.isFinite })
    #expect(throws: PredictorsError.self) {
      try Self.model.leaveOneOut(
        Self.samples([0, 1, 2], [5, 5, 5]), spaces: [SpaceEncoder(Self.data.space)])
    }
  }

  /// The spread is that of a sample of seeds.
  @Test func figuresAreMeansOverSeeds() {
    var sums = FigureSums()
    for (run, value) in [(1, 3.0), (0, 1), (0, 1)] { sums.add("m", "x", 5, run, value) }
    let figure = sums.figures(task: "t")[0]
    #expect(figure.value == 2 && abs(figure.spread - 2.0.squareRoot()) < 1e-12)
    var one = FigureSums()
    one.add("m", "x", 5, 0, 4)
    #expect(one.figures(task: "t")[0].spread == 0)
  }

  /// A key that nothing reads would train on devices that were meant to be left out.
  @Test(arguments: [
    (#"{"kind": "few-shot latency", "sed": 0, "tables": []}"#, "unknown key 'sed'; known: kind,"),
    (
      #"{"kind": "few-shot latency", "seed": 0, "tables": [{"file": "f", "space": "s"}, "#
        + #"{"file": "f", "space": "s", "exept": ["a"]}]}"#,
      "unknown key 'exept' in 'tables'; known: except, file, rename, space"
    ),
  ]) func refusesUnknownKeys(_ json: String, _ message: String) throws {
    let path = NSTemporaryDirectory() + "latency-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(json.utf8).write(to: URL(fileURLWithPath: path))
    #expect(LatencyRecipe.describes(path))
    #expect { try LatencyRecipe(contentsOf: path) } throws: {
      "\($0)".hasPrefix("\(path): \(message)")
    }
    let bundled = try LatencyRecipe(contentsOf: "checkpoints/latency-fewshot.recipe.json")
    #expect(bundled.tables.contains { $0.rename?.isEmpty == false })
  }

  /// Own devices, each left out in turn; one of them has too few networks to be scored.
  @Test func ownDevicesAreHeldOut() throws {
    let space = Self.data.space
    let own = Self.data.genotypes.prefix(40)
    func samples(_ seed: UInt64, _ count: Int) -> [Sample] {
      let latencies = Self.device(seed, Self.data.encodings)
      return zip(own, latencies).prefix(count).map {
        Sample(
          id: space.id($0), space: space.name, device: "own \(seed)",
          latencyMedian: Milliseconds($1))
      }
    }
    let datasets = try LatencyDataset.datasets(
      of: samples(21, 40) + samples(22, 30) + samples(23, 12), space: { _ in space })
    #expect(datasets.map(\.genotypes.count) == [40])
    #expect(datasets[0].measured(on: "own 22").count == 30)
    let held = HeldOutDevices(published: [Self.data], own: datasets)
    let figures = try held.score(samples: 10, seeds: 2)
    #expect(Set(figures.map(\.task)) == ["own 21, \(space.name)", "own 22, \(space.name)"])
    #expect(Set(figures.map(\.method)) == ["published sources", "own sources too"])
    for figure in figures where figure.metric == "Spearman" { #expect(figure.value > 0.9) }
    let scored = figures.filter { $0.metric == "networks scored" }.map(\.value)
    #expect(Set(scored) == [20, 30])
  }

  @Test func refusesWhatTeachesNothing() throws {
    let spaces = [SpaceEncoder(Self.data.space)]
    let constant = Self.samples([0, 1, 2], Array(repeating: 4, count: 400))
    #expect {
      try Self.model.adapted(to: constant, spaces: spaces)
    } throws: { "\($0)".contains("all 3 latencies are 4.0 ms") }
    #expect(throws: PredictorsError.self) {
      try Self.model.adapted(to: Array(constant.prefix(1)), spaces: spaces)
    }
  }

  @Test func readsTablesOfLatencies() throws {
    let path = NSTemporaryDirectory() + "latencies-\(UUID().uuidString).csv"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let space = try catalog.space("nasbench201")
    try Data("arch_index,ops,a,b\n0,421211,1.5,\n1,334131,2.5,7\n".utf8)
      .write(to: URL(fileURLWithPath: path))
    let data = try LatencyDataset(contentsOf: path, space: space)
    #expect(space.id(data.genotypes[0]) == "nasbench201:p3-c1_skip-c1_skip_skip")
    #expect(data.latencies["a"] == [1.5, 2.5])
    #expect(data.measured(on: "b") == [1])
    try Data("ops,a\n421211,1\n42121,2\n".utf8).write(to: URL(fileURLWithPath: path))
    #expect { try LatencyDataset(contentsOf: path, space: space) } throws: {
      "\($0)".contains("\(path):3: ops '42121'")
    }
    try Data("ops,a\n421211,fast\n".utf8).write(to: URL(fileURLWithPath: path))
    #expect { try LatencyDataset(contentsOf: path, space: space) } throws: {
      "\($0)".contains("\(path):2: a is 'fast'")
    }
  }

  @Test func intervalsFollowWhatWasLearned() {
    var calibration = IntervalCalibration()
    #expect(abs(calibration.factor(confidence: 0.9, samples: 10) - 1.6449) < 1e-3)
    calibration.learn(samples: 10, ratios: (0...1000).map { Double($0) / 100 })
    calibration.learn(samples: 40, ratios: (0...1000).map { Double($0) / 500 })
    #expect(abs(calibration.factor(confidence: 0.9, samples: 5) - 9) < 1e-9)
    #expect(abs(calibration.factor(confidence: 0.9, samples: 20) - 5.4) < 1e-9)
    #expect(abs(calibration.factor(confidence: 0.925, samples: 40) - 1.85) < 1e-9)
    // Below the first quantile it falls to nothing.
    #expect(calibration.factor(confidence: 0, samples: 10) < 1e-12)
    let quarter = calibration.factor(confidence: 0.25, samples: 10)
    #expect(quarter > 2 && quarter < 3)
    #expect(abs(calibration.factor(confidence: 0.5, samples: 10) - 5) < 1e-9)
  }
}

/// The learned baselines learn something: linear devices of a few features.
@Suite struct LearnedBaselineTests {
  private static func problem() -> (features: [[Float]], device: (UInt64) -> [Float]) {
    var random = RandomStream(seed: 3)
    let features = (0..<200).map { _ in (0..<5).map { _ in random.uniform(-1..<1) } }
    return (
      features,
      { seed in
        var own = RandomStream(seed: seed)
        let prices = (0..<5).map { _ in own.uniform(0.5..<1.5) }
        return features.map { row in zip(row, prices).reduce(10) { $0 + $1.0 * $1.1 } }
      }
    )
  }

  @Test func theyOrderNetworksOfANewDevice() throws {
    let (features, device) = Self.problem()
    let sources = (1...4).map { device(UInt64($0)) }
    let target = device(77)
    let (seen, asked) = (Array(features[..<10]), Array(features[10...]))
    let truth = target[10...].map(Double.init)
    let help = try HELPBaseline(
      features: features, latencies: sources, references: seen,
      referenceLatencies: sources.map { Array($0[..<10]) }, seed: 1)
    #expect(
      RankStatistics.spearman(try help.scores(asked, references: Array(target[..<10])), truth) > 0.7
    )
    let nasflat = try NASFLATBaseline(features: features, latencies: sources, seed: 1)
    let scores = try nasflat.scores(asked, features: seen, latencies: Array(target[..<10]))
    #expect(RankStatistics.spearman(scores, truth) > 0.7)
  }
}
