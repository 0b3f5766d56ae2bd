public import Architectures
public import Devices

/// How a lookup table names the blocks of a space.
public enum BlockKeyFormat: String, CaseIterable, Codable, Sendable {
  /// Tables of this project: the canonical text of the block alone.
  case text
  /// Once-for-All (Cai et al. 2020), one table a resolution; `expand` is the number of middle
  /// channels.
  case ofa
  /// ProxylessNAS (Cai, Zhu and Han 2019); `expand` is the ratio, and `Logits` names the map before
  /// pooling.
  case proxylessnas
  /// NSGANetV2 (Lu et al. 2020); `expand` is the ratio.
  case nsganetv2
  /// Single-Path NAS (Stamoulis et al. 2019), by number of the block in the network.
  case singlepath

  /// What a block costs in such a table.
  public enum Key: Hashable, Sendable {
    case entry(String)
    /// Nothing that the table lists: a known latency, 0 where the format leaves the block out.
    case fixed(Milliseconds)
    /// The format has no name for such blocks.
    case unknown(String)
  }

  /// The format of a table, told from its keys.
  public init(of table: LookupTable) {
    func has(_ part: String) -> Bool { table.entries.keys.contains { $0.contains(part) } }
    if has("-op:") {
      self = .singlepath
    } else if has("MBConv-input:") {
      self = .nsganetv2
    } else if has("expanded_conv-input:") {
      self = has("-se:") ? .ofa : .proxylessnas
    } else {
      self = .text
    }
  }

  /// The name of a block, without a resolution before it.
  /// - Parameter resolution: of the network's input, in pixels.
  public func key(of block: Block, resolution: Int) throws -> Key {
    if block.kind == .identity { return .fixed(Milliseconds(0)) }
    switch self {
    case .text: return .entry(try block.tableKey())
    case .ofa:
      return published(
        block, convolutions: ("Conv", "Conv_1", "Conv_2"), mbconv: "expanded_conv",
        expand: block.mid, tail: flags(block) + "-hs:\(block.activation == .hswish ? 1 : 0)",
        pool: "AvgPool2D", classifier: "Logits-input:1x1x")
    case .proxylessnas:
      let last = (resolution + 31) / 32
      return published(
        block, convolutions: ("Conv", "Conv_1", "Conv_2"), mbconv: "expanded_conv",
        expand: Int(block.expand), pool: nil,
        classifier: "Logits-input:\(last)x\(last)x")
    case .nsganetv2:
      return published(
        block, convolutions: ("first_conv", "final_expand_layer", "feature_mix_layer"),
        mbconv: "MBConv", expand: Int(block.expand), tail: flags(block),
        pool: nil, classifier: "classifier-input:")
    case .singlepath: return singlePath(block)
    }
  }

  private func published(
    _ block: Block, convolutions: (first: String, last: String, mix: String), mbconv: String,
    expand: Int, tail: String = "", pool: String?, classifier: String
  ) -> Key {
    switch block.kind {
    case .convolution:
      let name =
        block.stride > 1
        ? convolutions.first : block.input.last == 1 ? convolutions.mix : convolutions.last
      return .entry("\(name)-\(sizes(block))")
    case .mbconv:
      return .entry(
        "\(mbconv)-\(sizes(block))-expand:\(expand)-kernel:\(block.kernel)-stride:\(block.stride)"
          + "-idskip:\(block.addsInput ? 1 : 0)" + tail)
    case .globalPool: return pool.map { .entry("\($0)-\(sizes(block))") } ?? .fixed(Milliseconds(0))
    case .linear: return .entry("\(classifier)\(block.input[0])-output:\(block.out)")
    default:
      return .unknown("\(block.name): \(block.kind), which \(rawValue) tables have no key for")
    }
  }

  private func sizes(_ block: Block) -> String {
    func text(_ shape: [Int]) -> String { "\(shape[1])x\(shape[2])x\(shape[0])" }
    return "input:\(text(block.input))-output:\(text(block.output))"
  }

  private func flags(_ block: Block) -> String { "-se:\(block.squeezeExcite ? 1 : 0)" }

  /// Stem, head and the first and last block have one fixed operator each; their published sum is
  /// 19.5999 ms, charged here to the classifier.
  private func singlePath(_ block: Block) -> Key {
    switch block.kind {
    case .linear: return .fixed(Milliseconds(19.5999))
    case .convolution, .globalPool: return .fixed(Milliseconds(0))
    case .mbconv:
      guard let number = Int(block.name.text.split(separator: ".").last ?? "") else {
        return .unknown("\(block.name): no number of a block")
      }
      if number == 0 || number == 21 { return .fixed(Milliseconds(0)) }
      return .entry("block:\(number)-op:\(block.kernel)x\(block.kernel)-e\(Int(block.expand))")
    default:
      return .unknown("\(block.name): \(block.kind), which singlepath tables have no key for")
    }
  }
}
