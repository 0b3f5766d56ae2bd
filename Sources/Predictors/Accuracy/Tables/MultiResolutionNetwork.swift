public import Architectures

/// A network of NAS-Bench-MR (Ding et al. 2021): branches of four resolutions side by side, joined
/// after each block, as in HRNet (Wang et al. 2019).
///
/// - Note: the table's parameters and multiply-accumulates are met within a few per cent: the
///   published code's fusions and head are not described to the last layer.
public struct MultiResolutionNetwork: Hashable, Sendable {
  public struct Stage: Hashable, Sendable {
    public var blocks: Int
    /// Residual units and channels a branch.
    public var units: [Int]
    public var channels: [Int]
  }
  public let stem: [Int]
  public let stages: [Stage]
  public let last: Int

  /// - Parameter code: two stem widths; for each of four stages blocks, units a branch, channels a
  ///   branch; the last width.
  /// - Throws: `badSamples` for a code of another form.
  public init(_ code: String) throws {
    let numbers = code.split(separator: " ").compactMap { Int($0) }
    guard numbers.count == 27, numbers.allSatisfy({ (1...4096).contains($0) }) else {
      throw PredictorsError(.badSamples, "code '\(code)': 27 numbers above 0 are meant")
    }
    stem = Array(numbers[0..<2])
    var at = 2
    var stages: [Stage] = []
    for branches in 1...4 {
      stages.append(
        Stage(
          blocks: numbers[at], units: Array(numbers[at + 1...at + branches]),
          channels: Array(numbers[at + 1 + branches...at + 2 * branches])))
      at += 1 + 2 * branches
    }
    self.stages = stages
    last = numbers[26]
  }

  /// At 128 pixels, with 50 classes.
  public func network() throws -> OperatorGraph {
    var builder = GraphBuilder()
    let image = builder.input([1, 3, 128, 128])
    let first = try builder.activated(image, out: stem[0], kernel: 3, stride: 2)
    var branches = [try builder.activated(first, out: stem[1], kernel: 3, stride: 2)]
    for (index, stage) in stages.enumerated() {
      if index > 0 {
        branches.append(
          try builder.activated(
            branches[index - 1], out: stage.channels[index], kernel: 3, stride: 2))
      }
      for _ in 0..<stage.blocks {
        for branch in 0...index {
          for _ in 0..<stage.units[branch] {
            branches[branch] = try unit(&builder, branches[branch], stage.channels[branch])
          }
        }
        if index > 0 { branches = try fuse(&builder, branches, stage.channels) }
      }
    }
    var value = branches[0]
    for branch in branches.dropFirst() {
      let half = try builder.activated(value, out: builder.channels(branch), kernel: 3, stride: 2)
      value = try builder.add("Add", [half, branch])
    }
    value = try builder.activated(value, out: last)
    builder.output(try builder.classifier(value, classes: 50))
    return builder.graph
  }

  /// Two 3x3 convolutions and a shortcut.
  private func unit(_ builder: inout GraphBuilder, _ input: ValueReference, _ out: Int) throws
    -> ValueReference
  {
    var value = try builder.activated(input, out: out, kernel: 3)
    value = try builder.activated(value, out: out, kernel: 3, .none)
    let shortcut =
      builder.channels(input) == out ? input : try builder.activated(input, out: out, .none)
    return try builder.activate(try builder.add("Add", [value, shortcut]), .relu)
  }

  private func fuse(
    _ builder: inout GraphBuilder, _ branches: [ValueReference], _ channels: [Int]
  ) throws -> [ValueReference] {
    try branches.indices.map { target in
      var operands: [ValueReference] = []
      for source in branches.indices {
        var value = branches[source]
        if source > target {
          value = try builder.activated(value, out: channels[target], .none)
          let scale = Float(1 << (source - target))
          value = try builder.add("Resize", [value], ["scales": .floats([1, 1, scale, scale])])
        }
        for step in stride(from: source, to: target, by: 1) {
          let isLast = step == target - 1
          value = try builder.activated(
            value, out: isLast ? channels[target] : channels[source], kernel: 3, stride: 2,
            isLast ? .none : .relu)
        }
        operands.append(value)
      }
      let sum = try builder.sum(operands) ?? branches[target]
      return try builder.activate(sum, .relu)
    }
  }
}
