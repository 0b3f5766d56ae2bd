internal import Foundation
internal import Tensors

/// Trains a perceptron by AdamW at a rate that falls as a cosine, on any loss that tells its own
/// gradient.
struct PerceptronTraining {
  var steps: Int
  var rate = 1e-3
  var weightDecay: Float = 1e-2
  /// Probability with which an input is left out of a step.
  var dropout: Float = 0
  var engine: Engine

  /// - Parameters:
  ///   - batch: the rows of a step, `[rows, inputs]`.
  ///   - gradient: of the loss by the outputs `[rows, outputs]`, asked for after each `batch`.
  func callAsFunction(
    _ network: inout DensePerceptron, _ random: inout RandomStream,
    batch: (inout RandomStream) -> [Float], gradient: (_ outputs: [Float]) -> [Float]
  ) throws {
    let parameters = try network.parameters()
    var optimizer = AdamW(parameters.map { ($0, decay: weightDecay) })
    for step in 0..<steps {
      let rows = batch(&random)
      let tape = Tape(engine)
      var input = tape.constant(
        try Tensor(rows, shape: [rows.count / network.widths[0], network.widths[0]]))
      if dropout > 0 { input = try input.dropout(probability: dropout, random: &random) }
      let output = try network.forward(input, tape, parameters.map { tape.parameter($0) })
      let slope = gradient(output.value.array)
      try output.backward(seed: try Tensor(slope, shape: output.shape))
      try optimizer.step(rate: rate * (1 + cos(Double.pi * Double(step) / Double(steps))) / 2)
    }
    for layer in network.weights.indices {
      network.weights[layer] = parameters[2 * layer].value.array
      network.biases[layer] = parameters[2 * layer + 1].value.array
    }
  }
}
