import Architectures
import Foundation
import Testing

@testable import Predictors

struct SumModelTests {
  /// Parts of two kinds whose times bend away from a line; wholes of one to six parts.
  static func wholes(_ count: Int, seed: UInt64) -> [(parts: [SumPart], time: Double)] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      var time = 0.3
      let parts = (0..<1 + random.next(below: 6)).map { _ in
        let kind = random.next(below: 2)
        let size = exp2(10 * random.nextUniform())
        let mode = Double(random.next(below: 3))
        time += kind == 0 ? 0.01 * size * (size > 100 ? 1.6 : 1) : 0.02 * size * (1 + mode)
        return SumPart(kind: kind, features: [Float(log2(size)), Float(mode)], terms: [1, size])
      }
      return (parts, time)
    }
  }

  static func errors(_ model: SumModel, _ wholes: [(parts: [SumPart], time: Double)]) -> Double {
    wholes.reduce(0) { $0 + abs(model.time($1.parts) / $1.time - 1) } / Double(wholes.count)
  }

  @Test func partsAreLearnedFromWholes() throws {
    let (seen, unseen) = (Self.wholes(600, seed: 1), Self.wholes(200, seed: 2))
    var options = SumModel.Options()
    let model = try SumModel(fitting: seen, kinds: 2, options: options)
    options.rounds = 0
    let line = try SumModel(fitting: seen, kinds: 2, options: options)
    #expect(Self.errors(model, unseen) < 0.06)
    #expect(Self.errors(model, unseen) < 0.4 * Self.errors(line, unseen))
    // Each part by itself, though none was ever measured alone.
    for size in [20.0, 400] {
      for mode in 0..<3 {
        let part = SumPart(
          kind: 1, features: [Float(log2(size)), Float(mode)], terms: [1, size])
        #expect(abs(model.time(part) / (0.02 * size * Double(1 + mode)) - 1) < 0.2)
      }
    }
  }

  /// The perceptron alone corrects what the base gets wrong, and is half of what corrects with trees.
  @Test func aPerceptronLearnsPartsToo() throws {
    let (seen, unseen) = (Self.wholes(300, seed: 1), Self.wholes(100, seed: 2))
    var options = SumModel.Options()
    (options.rounds, options.networkSteps) = (0, 300)
    var model = try SumModel(fitting: seen, kinds: 2, categories: [1: 3], options: options)
    let network = try #require(model.network)
    model.network = nil
    let line = Self.errors(model, unseen)
    let part = seen[0].parts[0]
    let plain = model.time(part)
    model.network = network
    #expect(abs(model.time(part) / plain - exp(network.correction(part) / 2)) < 1e-9)
    // Half of the correction where trees have none.
    #expect(Self.errors(model, unseen) < 0.8 * line)
    #expect(
      try SumModel(fitting: seen, kinds: 2, categories: [1: 3], options: options).network == network
    )
  }

  @Test func sameSeedSameModel() throws {
    let seen = Self.wholes(100, seed: 3)
    var options = SumModel.Options()
    options.rounds = 20
    let model = try SumModel(fitting: seen, kinds: 2, options: options)
    #expect(try SumModel(fitting: seen, kinds: 2, options: options) == model)
    options.seed = 1
    #expect(try SumModel(fitting: seen, kinds: 2, options: options) != model)
  }

  @Test func badSamplesAreRefused() {
    #expect(throws: PredictorsError.self) {
      try SumModel(fitting: Self.wholes(5, seed: 1), kinds: 2)
    }
    var zero = Self.wholes(30, seed: 1)
    zero[4].time = 0
    #expect(throws: PredictorsError.self) { try SumModel(fitting: zero, kinds: 2) }
  }

  /// Against the optimality conditions: the gradient is zero where a coefficient is above zero,
  /// and not negative where it is zero.
  @Test func nonNegativeLeastSquaresIsOptimal() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<20 {
      var system = NonNegativeLeastSquares(columns: 6)
      var rows: [([Double], Double)] = []
      for _ in 0..<30 {
        let row = (0..<6).map { _ in random.nextUniform() }
        let target = row[0] - 2 * row[1] + 0.5 * row[2] + 0.1 * random.nextUniform()
        rows.append((row, target))
        system.add(row.enumerated().map { ($0.offset, $0.element) }, target: target)
      }
      let solution = system.solve(ridge: 0)
      for column in 0..<6 {
        let gradient = rows.reduce(0.0) { sum, row in
          sum + row.0[column] * (zip(row.0, solution).reduce(0) { $0 + $1.0 * $1.1 } - row.1)
        }
        #expect(solution[column] >= 0)
        #expect(solution[column] > 0 ? abs(gradient) < 1e-6 : gradient > -1e-6)
      }
    }
  }

  /// A step is found where it is, and leaves are weighted means.
  @Test func aTreeFindsSteps() {
    let rows = (0..<200).map { [Float($0 % 7), Float($0)] }
    let targets = rows.map { $0[1] < 120 ? ($0[0] < 3 ? 1 : 2) : Float(5) }
    let grower = TreeGrower(
      data: BinnedFeatures(rows, columns: 2), depth: 2, minRows: 2, columnShare: 1)
    var random = SeededGenerator(seed: 0)
    let tree = grower.grow(
      rows: (0..<200).map { Int32($0) }, targets: targets,
      weights: rows.map { $0[1] < 100 ? 1 : 0.25 }, rate: 1, &random)
    let ensemble = TreeEnsemble(
      depth: 2, features: tree.features, thresholds: tree.thresholds, leaves: tree.leaves)
    for row in [[0, 10], [5, 10], [0, 190], [5, 199]] as [[Float]] {
      let expected = row[1] < 120 ? (row[0] < 3 ? 1.0 : 2) : 5
      // Bins of 64 quantiles put the step within four rows of 120.
      #expect(abs(ensemble(row) - expected) < 0.1)
    }
  }
}
