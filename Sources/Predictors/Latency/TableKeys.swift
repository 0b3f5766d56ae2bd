public import Architectures
public import Devices

/// What a lookup table calls a block: by canonical text in tables measured here, by templates in
/// the published formats.
public enum TableKeys: String, Sendable, CaseIterable {
  case text, ofa, proxylessnas, nsganetv2

  /// The style of a table: the one that its source names, else text.
  /// - Throws: `badPredictor` for a published format whose keys name no blocks of a staged space.
  public init(of table: LookupTable) throws {
    guard let source = table.provenance.source else {
      self = .text
      return
    }
    let format = String(source.prefix { $0 != ":" })
    guard let style = Self(rawValue: format) else {
      throw PredictorsError(
        .badPredictor, "a table in the format '\(format)' can't price blocks of a search space; "
          + "possible: \(Self.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self = style
  }

  /// The key of a block; `nil` for one that the format has no entry for, since it costs nothing
  /// or is part of another's.
  public func key(_ block: Block) throws -> String? {
    if block.kind == .identity { return nil }
    switch self {
    case .text: return try block.tableKey()
    case .ofa: return try published(block, kind: "ofa")
    case .proxylessnas: return try published(block, kind: "proxylessnas")
    case .nsganetv2: return try published(block, kind: "nsganetv2")
    }
  }

  private func published(_ block: Block, kind: String) throws -> String? {
    func size(_ shape: [Int]) -> String { (Array(shape.dropFirst()) + [shape[0]]).map(String.init).joined(separator: "x") }
    let ends = "input:\(size(block.input))-output:\(size(block.output))"
    switch block.kind {
    case .convolution:
      let isFirst = block.kernel > 1
      let isAfterPool = block.input[1] == 1 && !block.hasNorm
      switch self {
      case .nsganetv2:
        let name = isFirst ? "first_conv" : isAfterPool ? "feature_mix_layer" : "final_expand_layer"
        return "\(name)-\(ends)"
      default:
        return "\(isFirst ? "Conv" : isAfterPool ? "Conv_2" : "Conv_1")-\(ends)"
      }
    case .mbconv:
      let ratio = block.expand == block.expand.rounded() ? "\(Int(block.expand))" : "\(block.expand)"
      let rest = "kernel:\(block.kernel)-stride:\(block.stride)-idskip:\(block.addsInput ? 1 : 0)"
      let excite = "se:\(block.squeezeExcite ? 1 : 0)"
      switch self {
      case .ofa:
        let swish = "hs:\(block.activation == .hswish ? 1 : 0)"
        return "expanded_conv-\(ends)-expand:\(block.mid)-\(rest)-\(excite)-\(swish)"
      case .nsganetv2: return "MBConv-\(ends)-expand:\(ratio)-\(rest)-\(excite)"
      default: return "expanded_conv-\(ends)-expand:\(ratio)-\(rest)"
      }
    case .globalPool:
      return self == .ofa ? "AvgPool2D-\(ends)" : nil
    case .linear:
      // The published tables give the classifier its operand before pooling, or after it.
      switch self {
      case .nsganetv2: return "classifier-input:\(block.input[0])-output:\(block.out)"
      case .proxylessnas: return "Logits-input:7x7x\(block.input[0])-output:\(block.out)"
      default: return "Logits-input:\(size(block.input))-output:\(block.out)"
      }
    default:
      throw PredictorsError(
        .badPredictor, "tables in the format '\(kind)' have no entry for a block such as '\(block.name)'")
    }
  }
}
