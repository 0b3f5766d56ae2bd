import Architectures

/// Rewrites that never change what a network computes, so that the same network has the same
/// graph whoever wrote the file. `Docs/onnx.md` lists them.
enum Normalisation {
  /// Operators whose floating-point operands are weights even with a single element.
  static let takesWeights: Set<String> = [
    "Conv", "ConvTranspose", "DeformConv", "Gemm", "MatMul", "BatchNormalization",
    "InstanceNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization",
    "LSTM", "GRU", "RNN", "PRelu",
  ]

  /// The operand that `node` passes on unchanged: of an `Identity`, or of a `Dropout` outside of
  /// training.
  static func bypassed(
    _ node: StoredNode, _ attributes: [String: Attribute], _ operands: [GraphScope.Found?],
    opset: Int
  ) -> GraphScope.Found? {
    guard node.domain.isEmpty, node.outputs.count == 1, let operand = operands.first ?? nil else {
      return nil
    }
    switch node.op {
    case "Identity":
      return operands.count == 1 ? operand : nil
    case "Dropout":
      if opset < 7 { return attributes.int("is_test") == 1 ? operand : nil }
      guard operands.count > 2, let training = operands[2] else { return operand }
      return training.constant == .ints([0]) ? operand : nil
    default:
      return nil
    }
  }
}
