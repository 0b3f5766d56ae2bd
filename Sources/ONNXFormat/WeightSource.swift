public import Architectures

/// Gives weights their values when a network is written.
public protocol WeightSource: Sendable {
  /// Where the values come from, for the file's metadata, such as `he-initialised seed=1`.
  var provenance: String { get }

  /// Writes the little-endian content of `weight`, exactly `bytes.byteCount` bytes.
  ///
  /// - Throws: `ONNXFormatError` (`missingWeights`) when the source has no such weight.
  func write(_ weight: Weight, into bytes: inout MutableRawSpan) throws
}

/// A parameter whose values are asked for.
public struct Weight: Hashable, Sendable {
  /// Name of the graph's parameter.
  public var name: String
  public var elementType: ElementType
  public var shape: [Int]
  public var role: WeightRole
}

/// What a parameter does, told from the operators that read it.
public enum WeightRole: Hashable, Sendable {
  /// Multiplies inputs that are summed; each input feeds `fanOut` outputs.
  case kernel(fanOut: Int)
  /// Factor of a normalisation.
  case scale
  /// Added: bias or shift.
  case bias
  /// Running mean.
  case mean
  /// Running variance.
  case variance
  /// Slope of a PRelu.
  case slope
  /// Read by no operator that says what it is.
  case other
}

extension WeightRole {
  /// Roles of the parameters of `graph`, by position; the first operator that tells decides.
  static func roles(in graph: OperatorGraph) -> [WeightRole] {
    var roles = [WeightRole?](repeating: nil, count: graph.parameters.count)
    for node in graph.nodes {
      for (position, reference) in node.inputs.enumerated() {
        guard case .parameter(let index)? = reference, roles[index] == nil else { continue }
        roles[index] = role(
          of: graph.parameters[index].type.fixedShape ?? [], in: node, position: position)
      }
    }
    return roles.map { $0 ?? .other }
  }

  private static func role(of shape: [Int], in node: Node, position: Int) -> WeightRole? {
    switch (node.op, position) {
    case ("Conv", 1) where shape.count > 2:
      return .kernel(fanOut: product(shape[2...], times: shape[0]))
    case ("ConvTranspose", 1) where shape.count > 2:
      return .kernel(fanOut: product(shape[1...], times: node.attributes.int("group") ?? 1))
    case ("Gemm", 0...1) where shape.count == 2:
      return .kernel(fanOut: node.attributes.int("transB") == 1 ? shape[0] : shape[1])
    case ("MatMul", 0...1), ("Gather", 0):
      return .kernel(fanOut: shape.last ?? 1)
    case ("Conv", 2), ("ConvTranspose", 2), ("Gemm", 2):
      return .bias
    case ("BatchNormalization", 1...4):
      return [.scale, .bias, .mean, .variance][position - 1]
    case ("InstanceNormalization", 1...2), ("LayerNormalization", 1...2),
      ("GroupNormalization", 1...2):
      return [.scale, .bias][position - 1]
    case ("PRelu", 1):
      return .slope
    case ("LSTM", 1...2), ("GRU", 1...2), ("RNN", 1...2):
      return .kernel(fanOut: shape.count == 3 ? shape[1] : 1)
    case ("LSTM", 3), ("GRU", 3), ("RNN", 3), ("Add", _):
      return .bias
    default:
      return nil
    }
  }

  private static func product(_ shape: ArraySlice<Int>, times factor: Int) -> Int {
    shape.reduce(factor) { $0.multipliedReportingOverflow(by: $1).partialValue }
  }
}
