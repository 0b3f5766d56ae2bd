internal import Foundation
internal import Tensors

/// A multilayer perceptron on dense inputs, with swish between its layers.
struct DensePerceptron: Equatable, Sendable {
  /// Of the inputs, the hidden layers and the outputs.
  let widths: [Int]
  /// `[in, out]` and `[out]` of each layer.
  var weights: [[Float]]
  var biases: [[Float]]

  init(widths: [Int], weights: [[Float]], biases: [[Float]]) {
    self.widths = widths
    self.weights = weights
    self.biases = biases
  }

  /// Weights as PyTorch draws them: uniform, by the root of the number of inputs.
  init(widths: [Int], random: inout RandomStream) {
    self.widths = widths
    (weights, biases) = ([], [])
    for (input, output) in zip(widths, widths.dropFirst()) {
      let reach = 1 / Float(input).squareRoot()
      weights.append((0..<input * output).map { _ in random.uniform(-reach..<reach) })
      biases.append((0..<output).map { _ in random.uniform(-reach..<reach) })
    }
  }

  /// The same but for new outputs, on what this one's hidden layers found.
  func replacingOutputs(_ count: Int, random: inout RandomStream) -> DensePerceptron {
    let fresh = DensePerceptron(widths: widths.dropLast() + [count], random: &random)
    return DensePerceptron(
      widths: fresh.widths, weights: weights.dropLast() + [fresh.weights.last!],
      biases: biases.dropLast() + [fresh.biases.last!])
  }

  /// Outputs of each row, `[rows, outputs]`. A row's bits don't depend on the others.
  /// - Parameter rows: `[rows, inputs]`
  func outputs(_ rows: [Float], engine: Engine? = nil) throws -> [Float] {
    guard !rows.isEmpty else { return [] }
    let tape = Tape(try engine ?? Engine(threads: 1))
    let input = try Tensor(rows, shape: [rows.count / widths[0], widths[0]])
    return try forward(tape.constant(input), tape, parameters().map { tape.constant($0.value) })
      .value.array
  }

  /// The first output of one row; inputs that are 0 cost nothing.
  func output(_ row: [Float]) -> Float {
    var values = row
    for layer in weights.indices {
      let width = widths[layer + 1]
      var sums = biases[layer]
      for (index, value) in values.enumerated() where value != 0 {
        for column in 0..<width { sums[column] += value * weights[layer][index * width + column] }
      }
      if layer < weights.count - 1 {
        for column in 0..<width { sums[column] /= 1 + exp(-sums[column]) }
      }
      values = sums
    }
    return values[0]
  }

  /// Weight and bias of each layer in turn.
  func parameters() throws -> [Parameter] {
    try weights.indices.flatMap { layer in
      [
        Parameter(try Tensor(weights[layer], shape: [widths[layer], widths[layer + 1]])),
        Parameter(Tensor(biases[layer])),
      ]
    }
  }

  func forward(_ input: Variable, _ tape: Tape, _ parameters: [Variable]) throws -> Variable {
    var value = input
    for layer in weights.indices {
      value = try value.linear(parameters[2 * layer], bias: parameters[2 * layer + 1])
      if layer < weights.count - 1 { value = value.activated(.swish) }
    }
    return value
  }

  /// Tensors for a file, and back.
  func tensors(_ name: String) throws -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for layer in weights.indices {
      tensors["\(name).\(layer).weight"] = try Tensor(
        weights[layer], shape: [widths[layer], widths[layer + 1]])
      tensors["\(name).\(layer).bias"] = Tensor(biases[layer])
    }
    return tensors
  }

  /// `nil` where tensors are missing or don't fit.
  init?(_ tensors: [String: Tensor], _ name: String, widths: [Int]) {
    var (weights, biases): ([[Float]], [[Float]]) = ([], [])
    for (layer, (input, output)) in zip(widths, widths.dropFirst()).enumerated() {
      guard let weight = tensors["\(name).\(layer).weight"], weight.shape == [input, output],
        let bias = tensors["\(name).\(layer).bias"], bias.shape == [output],
        (weight.array + bias.array).allSatisfy(\.isFinite)
      else { return nil }
      weights.append(weight.array)
      biases.append(bias.array)
    }
    self.init(widths: widths, weights: weights, biases: biases)
  }
}
