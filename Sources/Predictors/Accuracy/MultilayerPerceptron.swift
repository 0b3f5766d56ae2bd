internal import Tensors

/// Linear layers with ReLU between them and one output.
struct MultilayerPerceptron: Sendable {
  struct Layer: Sendable {
    /// `[in, out]`.
    var weight: Tensor
    /// `[out]`.
    var bias: Tensor
  }

  var layers: [Layer]

  init(_ layers: [Layer]) { self.layers = layers }

  var inputs: Int { layers.first?.weight.shape.first ?? 0 }
  /// Widths of the hidden layers.
  var hidden: [Int] { layers.dropLast().map { $0.weight.shape[1] } }

  /// Checks that the shapes fit each other and that all numbers are finite.
  func validate(inputs: Int, name: String) throws {
    var width = inputs
    for (index, layer) in layers.enumerated() {
      let out = index == layers.count - 1 ? 1 : layer.bias.count
      guard layer.weight.shape == [width, out], layer.bias.shape == [out], out > 0 else {
        throw PredictorsError(
          .badPredictor,
          "\(name): layer \(index) has weights \(layer.weight.shape) and a bias \(layer.bias.shape);"
            + " it needs [\(width), \(out)] and [\(out)]")
      }
      guard (layer.weight.array + layer.bias.array).allSatisfy(\.isFinite) else {
        throw PredictorsError(
          .badPredictor, "\(name): layer \(index) has a weight that is no number")
      }
      width = out
    }
    guard layers.count >= 2 else {
      throw PredictorsError(.badPredictor, "\(name): a predictor has two layers or more")
    }
  }
}
