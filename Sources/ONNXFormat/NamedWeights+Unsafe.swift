import Architectures

/// Weights given by the names that the graph's parameters have.
public struct NamedWeights: WeightSource {
  public var provenance: String
  /// Row-major elements of each weight.
  public var tensors: [String: [Float]]

  public init(_ tensors: [String: [Float]], provenance: String) {
    self.tensors = tensors
    self.provenance = provenance
  }

  public func write(_ weight: Weight, into bytes: inout MutableRawSpan) throws {
    guard let values = tensors[weight.name] else {
      throw ONNXFormatError(.missingWeights, "there is no weight \(quoted(weight.name))")
    }
    guard weight.elementType.isFloatingPoint, values.count == weight.shape.reduce(1, *) else {
      throw ONNXFormatError(
        .missingWeights,
        "weight \(quoted(weight.name)) is \(weight.elementType.name) \(weight.shape), "
          + "\(values.count) floating-point elements are there")
    }
    if weight.elementType == .float32 {
      values.withUnsafeBytes { source in
        bytes.withUnsafeMutableBytes { $0.copyMemory(from: source) }
      }
    } else {
      fill(&bytes, weight.elementType) { values[$0] }
    }
  }
}
