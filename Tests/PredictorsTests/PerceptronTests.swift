import Foundation
import Tensors
import Testing

@testable import Predictors

struct PerceptronTests {
  /// The gradient of the likelihood of an order against central differences.
  @Test func orderGradient() {
    let targets = [0.3, -1, 2, 0.1, 0.7]
    let scores: [Float] = [0.2, 0.5, -0.4, 1.1, 0]
    func loss(_ scores: [Double]) -> Double {
      let order = targets.indices.sorted { targets[$0] > targets[$1] }
      var sum = 0.0
      for place in order.indices {
        let rest = order[place...].map { exp(scores[$0]) }.reduce(0, +)
        sum += log(rest) - scores[order[place]]
      }
      return sum / Double(targets.count)
    }
    let slope = RankingEnsemble.slope(scores, targets: targets)
    for index in scores.indices {
      var (above, below) = (scores.map(Double.init), scores.map(Double.init))
      above[index] += 1e-4
      below[index] -= 1e-4
      #expect(abs((loss(above) - loss(below)) / 2e-4 - Double(slope[index])) < 1e-5)
    }
  }

  /// Plain loops and the tape give the same; a trained one fits what it was shown.
  @Test func learnsAndAnswers() throws {
    var random = RandomStream(seed: 4)
    let rows = (0..<300 * 3).map { _ in random.uniform(-1..<1) }
    let targets = (0..<300).map { index -> Float in
      let row = Array(rows[3 * index..<3 * index + 3])
      return row[0] * row[1] + row[2] / 2
    }
    var network = DensePerceptron(widths: [3, 24, 24, 1], random: &random)
    let training = PerceptronTraining(
      steps: 600, rate: 1e-2, weightDecay: 0, engine: try Engine(threads: 1))
    try training(&network, &random) { _ in
      rows
    } gradient: { outputs in
      outputs.indices.map { 2 * (outputs[$0] - targets[$0]) / Float(outputs.count) }
    }
    let outputs = try network.outputs(rows)
    let errors = zip(outputs, targets).map { ($0 - $1) * ($0 - $1) }
    let squares = targets.map { $0 * $0 }
    #expect(errors.reduce(0, +) < 0.02 * squares.reduce(0, +))
    for index in 0..<20 {
      let alone = network.output(Array(rows[3 * index..<3 * index + 3]))
      #expect(abs(alone - outputs[index]) < 1e-4)
      #expect(try network.outputs(Array(rows[3 * index..<3 * index + 3])) == [outputs[index]])
    }
    let tensors = try network.tensors("n")
    #expect(DensePerceptron(tensors, "n", widths: network.widths) == network)
    #expect(DensePerceptron(tensors, "n", widths: [3, 24, 1]) == nil)
  }

  /// Left-out samples decide how much the ranking counts.
  @Test func shareFollowsLeftOutSamples() {
    var random = RandomStream(seed: 6)
    func noise() -> Double { Double(random.uniform(-1..<1)) }
    for (count, isRankGood) in [(400, true), (400, false), (8, true), (8, false)] {
      let targets = (0..<count).map { _ in 2 * noise() }
      let good = targets.map { $0 + 0.1 * noise() }
      let bad = targets.map { 0.2 * $0 + 2 * noise() }
      let mix = ScoreMix(
        isRankGood ? bad : good, isRankGood ? good : bad, targets: targets, expected: 0.4)
      if count == 400 {
        #expect(isRankGood ? mix.share > 0.8 : mix.share < 0.1)
      } else {
        #expect(isRankGood ? mix.share > 0.4 : mix.share < 0.4)
      }
    }
    let alone = ScoreMix([1, 2], nil, targets: [1, 2], expected: 0.4)
    #expect(alone(1.5, nil) == 1.5)
  }
}
