internal import Foundation
internal import Tensors

/// Perceptrons that learn an order: each from all samples but a part of its own, by the likelihood
/// of the whole order (ListMLE, Xia et al. 2008), after all began as one that learned to tell sizes
/// and paths of networks whose accuracy nobody knows (Dai et al. 2021, FBNetV3, arXiv 2006.02049).
///
/// - Note: FBNetV3 pretrains on MACs and parameters only, and fine-tunes by the squared error.
struct RankingEnsemble: Sendable {
  /// How it is trained; chosen by cross-validation on NAS-Bench-201, see `Docs/accuracy-predictor.md`.
  struct Options {
    var members = 8
    var hidden = 128
    var pretraining = 1500
    var batch = 128
    var dropout: Float = 0.1
    /// Steps of the fine-tuning.
    func steps(samples: Int) -> Int { 100 + samples / 2 }
  }

  /// A perceptron, and mean and deviation of its outputs on the samples.
  struct Member: Sendable {
    var network: DensePerceptron
    var centre: Double
    var deviation: Double
  }

  let members: [Member]
  /// Score of each sample by the member that did not see it.
  let leftOut: [Double]

  /// Factor that brings inputs, whose groups have one unit of length each, near one unit a column.
  private static let unit = Float(20).squareRoot()

  init(members: [Member], leftOut: [Double]) {
    self.members = members
    self.leftOut = leftOut
  }

  /// - Parameters:
  ///   - points: of the samples; `population` of networks without accuracies.
  ///   - statistics: `[population, count]`, what pretraining learns to tell.
  init(
    _ points: GroupedFeatures, targets: [Double], population: GroupedFeatures,
    statistics: [Float], seed: UInt64, options: Options = Options()
  ) throws {
    let engine = try Engine(threads: 1)
    var random = RandomStream(seed: seed).derived("ranking")
    let rows = points.values.map { $0 * Self.unit }
    let begin = try Self.pretrained(
      population, statistics, options, engine, random.derived("pretraining"))
    let order = random.permutation(points.count)
    var members: [Member] = []
    var leftOut = [Double](repeating: 0, count: points.count)
    let parts = max(2, min(options.members, points.count / 2))
    for part in 0..<parts {
      let seen = order.indices.filter { $0 % parts != part }.map { order[$0] }
      var stream = random.derived(part)
      var network = begin.replacingOutputs(1, random: &stream)
      let training = PerceptronTraining(
        steps: options.steps(samples: points.count), dropout: options.dropout, engine: engine)
      var chosen: [Int] = []
      try training(&network, &stream) { random in
        chosen = random.permutation(seen.count).prefix(options.batch).map { seen[$0] }
        return chosen.flatMap { rows[$0 * points.width..<($0 + 1) * points.width] }
      } gradient: { outputs in
        Self.slope(outputs, targets: chosen.map { targets[$0] })
      }
      let scores = try network.outputs(rows, engine: engine).map(Double.init)
      let mean = scores.reduce(0, +) / Double(scores.count)
      let square = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(scores.count)
      let member = Member(
        network: network, centre: mean, deviation: max(1e-6, square.squareRoot()))
      members.append(member)
      for place in order.indices where place % parts == part {
        leftOut[order[place]] = (scores[order[place]] - mean) / member.deviation
      }
    }
    self.init(members: members, leftOut: leftOut)
  }

  /// The mean score of the members; mean 0 and deviation 1 on the samples.
  func scores(_ points: GroupedFeatures) throws -> [Double] {
    let engine = try Engine(threads: 1)
    let rows = points.values.map { $0 * Self.unit }
    var sums = [Double](repeating: 0, count: points.count)
    for member in members {
      for (row, output) in try member.network.outputs(rows, engine: engine).enumerated() {
        sums[row] += (Double(output) - member.centre) / member.deviation
      }
    }
    return sums.map { $0 / Double(members.count) }
  }

  private static func pretrained(
    _ population: GroupedFeatures, _ statistics: [Float], _ options: Options, _ engine: Engine,
    _ random: RandomStream
  ) throws -> DensePerceptron {
    var random = random
    let count = statistics.count / population.count
    var network = DensePerceptron(
      widths: [population.width, options.hidden, options.hidden, count], random: &random)
    let training = PerceptronTraining(
      steps: options.pretraining, weightDecay: 1e-4, engine: engine)
    var chosen: [Int] = []
    try training(&network, &random) { random in
      chosen = (0..<2 * options.batch).map { _ in random.integer(below: population.count) }
      return chosen.flatMap { row in
        population.values[row * population.width..<(row + 1) * population.width]
          .map { $0 * Self.unit }
      }
    } gradient: { outputs in
      // Of the mean squared error.
      outputs.indices.map { place in
        let target = statistics[chosen[place / count] * count + place % count]
        return 2 * (outputs[place] - target) / Float(outputs.count)
      }
    }
    return network
  }

  /// Gradient of the negative log likelihood of the order of the targets, best first, a sample.
  static func slope(_ outputs: [Float], targets: [Double]) -> [Float] {
    let order = targets.indices.sorted { (targets[$0], $1) > (targets[$1], $0) }
    let top = Double(outputs.max() ?? 0)
    let heights = order.map { exp(Double(outputs[$0]) - top) }
    // What is left of the sum of heights when a place is filled, from the last place up.
    var rests = heights
    for place in rests.indices.dropLast().reversed() { rests[place] += rests[place + 1] }
    var slope = [Float](repeating: 0, count: outputs.count)
    var chances = 0.0
    for (place, index) in order.enumerated() {
      chances += 1 / rests[place]
      slope[index] = Float((heights[place] * chances - 1) / Double(outputs.count))
    }
    return slope
  }
}
