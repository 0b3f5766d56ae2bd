internal import Foundation
internal import Tensors

extension PartNetwork {
  /// Wholes that a step looks at.
  private static let share = 0.35
  private static let hidden = 64
  /// Errors beyond this pull no more than it.
  private static let outlier = 0.1

  /// Learns from wholes alone: the gradient of a whole's error goes to its parts by their shares of
  /// its time.
  /// - Parameters:
  ///   - base: of each part, in milliseconds, whole by whole.
  ///   - offset: milliseconds of a whole beside its parts.
  static func train(
    _ wholes: [(parts: [SumPart], time: Double)], base: [[Double]], offset: Double, kinds: Int,
    categories: [Int: Int], options: SumModel.Options
  ) throws -> PartNetwork {
    let inputs = Inputs(wholes.flatMap(\.parts), kinds: kinds, categories: categories)
    let rows = wholes.map { $0.parts.flatMap(inputs.row) }
    var random = RandomStream(seed: options.seed).derived("part network")
    var network = DensePerceptron(
      widths: [inputs.width, hidden, hidden, 1], random: &random)
    // It begins as no correction.
    network.weights[2] = network.weights[2].map { _ in 0 }
    network.biases[2] = [0]
    let training = PerceptronTraining(
      steps: options.networkSteps, rate: 3e-3, weightDecay: 1e-3, engine: try Engine(threads: 1))
    var chosen: [Int] = []
    try training(&network, &random) { random in
      chosen = Array(random.permutation(wholes.count).prefix(Int(share * Double(wholes.count)) + 1))
      return chosen.flatMap { rows[$0] }
    } gradient: { outputs in
      var slope: [Float] = []
      slope.reserveCapacity(outputs.count)
      for whole in chosen {
        let times = base[whole].indices.map { part in
          let correction = max(-reach, min(reach, outputs[slope.count + part]))
          return base[whole][part] * exp(Double(correction))
        }
        let sum = times.reduce(offset, +)
        let error = log(sum / wholes[whole].time)
        // Of Huber's loss, in tenths, mean over the wholes.
        let pull = 10 * max(-outlier, min(outlier, error)) / Double(chosen.count)
        slope += times.map { Float(pull * $0 / sum) }
      }
      return slope
    }
    return PartNetwork(inputs: inputs, perceptron: network)
  }
}

extension PartNetwork.Inputs {
  fileprivate init(_ parts: [SumPart], kinds: Int, categories: [Int: Int]) {
    let count = Float(max(1, parts.count))
    let columns = parts.first?.features.indices ?? 0..<0
    let means = columns.map { column in parts.reduce(0) { $0 + $1.features[column] } / count }
    let deviations = columns.map { column in
      let square = parts.reduce(Float(0)) { sum, part in
        let distance = part.features[column] - means[column]
        return sum + distance * distance
      }
      return (square / count).squareRoot() + 1e-6
    }
    self.init(kinds: kinds, means: means, deviations: deviations, categories: categories)
  }
}
