public import Architectures
import Foundation

/// Finds fused operators by timing, as nn-Meter does (Zhang et al. 2021, MobiSys): two operators
/// are fused if together they take clearly less time than apart, T1 + T2 - T12 > alpha min(T1, T2).
///
/// - Note: chains are tested up to three operators: convolution and addition may take an
///   activation that an addition alone does not. Shapes are nn-Meter's: 28 x 28 pixels, 16
///   channels in and 256 out, windows of 3.
public struct FusionTest {
  public static let alpha = 0.5
  /// What may come first, and what may follow.
  static let first = [
    "Conv", "PointwiseConv", "DepthwiseConv", "GroupedConv", "Gemm", "Add", "Concat", "MaxPool",
    "BatchNormalization",
  ]
  static let following = [
    "BatchNormalization", "Relu", "Clip", "HardSwish", "Swish", "HardSigmoid", "Sigmoid", "Add",
  ]
  static let third = ["Relu", "Clip", "HardSwish", "Swish", "Add"]

  /// Times one network; asked for each network once.
  let time: (OperatorGraph) throws -> Milliseconds
  private var known: [String: Milliseconds] = [:]

  public init(time: @escaping (OperatorGraph) throws -> Milliseconds) { self.time = time }

  /// The rules of the device that `time` asks.
  public mutating func rules() throws -> FusionRules {
    var rules = FusionRules()
    var fused: [[String]] = []
    for left in Self.first {
      for right in Self.following where try fuses([left], right) {
        rules.insert(left, right)
        if right != "BatchNormalization" { fused.append([left, right]) }
      }
    }
    for chain in fused {
      for right in Self.third where right != chain.last {
        if try fuses(chain, right) { rules.insert(chain.joined(separator: "+"), right) }
      }
    }
    return rules
  }

  private mutating func fuses(_ chain: [String], _ op: String) throws -> Bool {
    guard chain[0] != "Gemm" || !["BatchNormalization", "Add"].contains(op) else { return false }
    let input = try Self.shape(after: chain)
    let apart = (try time(chain, on: Self.shape(before: chain[0])), try time([op], on: input))
    let together = try time(chain + [op], on: Self.shape(before: chain[0]))
    let saved = apart.0.value + apart.1.value - together.value
    return saved > Self.alpha * min(apart.0.value, apart.1.value)
  }

  private mutating func time(_ chain: [String], on shape: [Int]) throws -> Milliseconds {
    let key = "\(chain) \(shape)"
    if let latency = known[key] { return latency }
    let latency = try time(Self.network(chain, on: shape))
    known[key] = latency
    return latency
  }

  private static func shape(before op: String) -> [Int] {
    switch op {
    case "Conv", "PointwiseConv", "GroupedConv": [16, 28, 28]
    case "Gemm": [512]
    case "Concat": [128, 28, 28]
    default: [256, 28, 28]
    }
  }

  private static func shape(after chain: [String]) throws -> [Int] {
    chain[0] == "Gemm" ? [4096] : [256, 28, 28]
  }

  /// The operators of `chain`, one after the other.
  static func network(_ chain: [String], on shape: [Int]) throws -> OperatorGraph {
    var builder = GraphBuilder()
    var value = builder.input([1] + shape)
    for (index, op) in chain.enumerated() {
      builder.path = ["op\(index)"]
      switch op {
      case "Conv": value = try builder.convolution(value, out: 256, kernel: 3, bias: true)
      case "PointwiseConv": value = try builder.convolution(value, out: 256, bias: true)
      case "GroupedConv":
        value = try builder.convolution(value, out: 256, kernel: 3, groups: 4, bias: true)
      case "DepthwiseConv":
        value = try builder.convolution(value, out: 256, kernel: 3, groups: 256, bias: true)
      case "Gemm":
        let operands = [
          value, builder.weight("weight", [4096, 512]), builder.weight("bias", [4096]),
        ]
        value = try builder.add("Gemm", operands, ["transB": 1])
      case "Add":
        let other = builder.graph.type(of: value).fixedShape ?? []
        value = try builder.add("Add", [value, builder.input(other, name: "other\(index)")])
      case "Concat":
        value = try builder.add("Concat", [value, value], ["axis": 1])
      case "MaxPool":
        value = try builder.add(
          op, [value], ["kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1])])
      case "BatchNormalization": value = try builder.batchNorm(value)
      case "Clip": value = try builder.activate(value, .relu6)
      case "Swish": value = try builder.activate(value, .swish)
      case "HardSigmoid": value = try builder.activate(value, .hsigmoid)
      default: value = try builder.add(op, [value])
      }
    }
    builder.output(value)
    return builder.graph
  }
}
