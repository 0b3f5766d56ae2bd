import Foundation
internal import Tensors

/// Trains one multilayer perceptron by AdamW (Loshchilov and Hutter 2017, arXiv 1711.05101) on the
/// mean squared error. Deterministic by its stream.
struct PerceptronTrainer {
  let candidate: AccuracyRecipe.Candidate
  let batch: Int
  let engine: Engine

  /// - Parameters:
  ///   - features: `[samples, columns]`, rows of zeros and ones.
  ///   - targets: one for each sample, of mean 0 and deviation 1.
  func train(
    features: [[Int]], columns: Int, targets: [Float], random: RandomStream
  ) throws -> MultilayerPerceptron {
    var initial = random.derived("weights")
    let widths = [columns] + candidate.hidden + [1]
    let meanActive = Double(features.reduce(0) { $0 + $1.count }) / Double(max(features.count, 1))
    var parameters: [(weight: Parameter, bias: Parameter)] = []
    for (layer, (input, output)) in zip(widths, widths.dropFirst()).enumerated() {
      // He et al. 2015 with the inputs that are on; the last layer starts small.
      let fan = layer == 0 ? max(meanActive, 1) : Double(input)
      let scale = layer == widths.count - 2 ? 0.1 : 1
      parameters.append(
        (
          Parameter(
            initial.normal([input, output], deviation: Float(scale * (2 / fan).squareRoot()))),
          Parameter(Tensor(zeros: [output]))
        ))
    }
    let decay = Float(candidate.weightDecay)
    var optimizer = AdamW(
      parameters.map { ($0.weight, decay) } + parameters.map { ($0.bias, 0) })
    var order = random.derived("order")
    let batches = (features.count + batch - 1) / batch
    let steps = candidate.epochs * batches
    for epoch in 0..<candidate.epochs {
      let shuffled = order.permutation(features.count)
      for index in 0..<batches {
        let chosen = shuffled[index * batch..<min((index + 1) * batch, shuffled.count)]
        var input = Tensor(zeros: [chosen.count, columns], engine: engine)
        input.update { span in
          for (row, sample) in chosen.enumerated() {
            for column in features[sample] { span[row * columns + column] = 1 }
          }
        }
        let tape = Tape(engine)
        var value = tape.constant(input)
        for (layer, parameter) in parameters.enumerated() {
          value = try value.linear(
            tape.parameter(parameter.weight), bias: tape.parameter(parameter.bias))
          if layer < parameters.count - 1 { value = value.relu() }
        }
        let target = try Tensor(chosen.map { targets[$0] }, shape: [chosen.count, 1])
        try value.meanSquaredError(tape.constant(target)).backward()
        let progress = Double(epoch * batches + index + 1) / Double(steps)
        try optimizer.step(rate: candidate.learningRate * (1 + cos(Double.pi * progress)) / 2)
      }
    }
    return MultilayerPerceptron(
      parameters.map { .init(weight: $0.weight.value, bias: $0.bias.value) })
  }
}
