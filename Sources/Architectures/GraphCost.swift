/// What one operator, or a whole network, costs. Counts saturate at `Int.max`.
public struct OperatorCost: Hashable, Sendable {
  /// Multiply-accumulates of convolutions, matrix products and recurrent layers (not FLOPs, which
  /// are twice that).
  public var macs = 0
  /// Trained parameters, quantised ones too; the running statistics of batch normalisation and the
  /// scales of quantisation are not among them.
  public var parameters = 0
  /// Bytes of the results.
  public var activationBytes = 0
  /// Bytes of the weights, running statistics and scales included, structural constants not.
  public var weightBytes = 0
  /// Bytes of the operands that other operators computed.
  public var inputBytes = 0
  /// Additions of global pooling, which some publications count among the MACs (FBNet does).
  public var poolingAdditions = 0

  public init() {}

  /// Bytes that pass between memory and the processor if nothing stays in a cache.
  public var bytesMoved: Int {
    activationBytes.saturatingAdd(weightBytes).saturatingAdd(inputBytes)
  }

  static func += (a: inout Self, b: Self) {
    a.macs = a.macs.saturatingAdd(b.macs)
    a.parameters = a.parameters.saturatingAdd(b.parameters)
    a.activationBytes = a.activationBytes.saturatingAdd(b.activationBytes)
    a.weightBytes = a.weightBytes.saturatingAdd(b.weightBytes)
    a.inputBytes = a.inputBytes.saturatingAdd(b.inputBytes)
    a.poolingAdditions = a.poolingAdditions.saturatingAdd(b.poolingAdditions)
  }

  /// Arithmetic computation effort: sum over MACs of weight bits times activation bits
  /// (PokeBNN, Zhang et al. 2022, arXiv 2112.00133).
  public func ace(weightBits: Int, activationBits: Int) -> Double {
    Double(macs) * Double(weightBits) * Double(activationBits)
  }
}

/// Costs of a network, operator by operator. An axis of unknown length counts as one, so a
/// symbolic batch axis gives the cost of one image. Subgraphs are not counted: how often they
/// run is not known.
public struct GraphCost: Sendable {
  public let operators: [OperatorCost]
  public let total: OperatorCost
  /// Whether some axis was unknown and counted as one.
  public let assumesUnknownAxes: Bool
  /// Operators whose arithmetic is not among the MACs as it is not known: those without a rule, and
  /// those that run subgraphs. Sorted.
  public let uncounted: [String]

  public init(_ graph: OperatorGraph) {
    var counter = Counter(graph)
    operators = graph.nodes.map { counter.cost(of: $0) }
    total = operators.reduce(into: OperatorCost()) { $0 += $1 }
    assumesUnknownAxes = counter.sawUnknownAxis
    uncounted = Set(
      graph.nodes.filter { node in
        !ShapeInference.hasRule(for: node)
          || node.attributes.values.contains { !$0.subgraphs.isEmpty }
      }.map { $0.domain.isEmpty ? $0.op : "\($0.domain)::\($0.op)" }
    ).sorted()
  }
}

extension OperatorGraph {
  public var cost: OperatorCost { GraphCost(self).total }
}

private struct Counter {
  let graph: OperatorGraph
  var counted: [Bool]
  /// Quantised weights that are counted.
  var quantised: Set<Parameter> = []
  var sawUnknownAxis = false

  init(_ graph: OperatorGraph) {
    self.graph = graph
    counted = Array(repeating: false, count: graph.parameters.count)
  }

  mutating func cost(of node: Node) -> OperatorCost {
    var cost = OperatorCost()
    for (position, input) in node.inputs.enumerated() {
      guard let input else { continue }
      let type = graph.type(of: input)
      guard case .parameter(let index) = input else {
        cost.inputBytes = cost.inputBytes.saturatingAdd(bytes(type))
        continue
      }
      if graph.parameters[index].constant == nil {
        guard !counted[index] else { continue }
        counted[index] = true
      } else {
        // Graphs keep integers as constants. Equal ones count once, as texts write no more of them
        // than their content; a single number is a constant in networks of floats too.
        guard Self.quantisedWeights[node.op]?.contains(position) == true, type.shape != [],
          quantised.insert(graph.parameters[index]).inserted
        else { continue }
      }
      cost.weightBytes = cost.weightBytes.saturatingAdd(bytes(type))
      if Self.statistics[node.op]?.contains(position) != true {
        cost.parameters = cost.parameters.saturatingAdd(elements(type))
      }
    }
    for output in node.outputs {
      cost.activationBytes = cost.activationBytes.saturatingAdd(bytes(output))
    }
    cost.macs = macs(of: node)
    if node.op == "GlobalAveragePool", let input = node.inputs.first ?? nil {
      cost.poolingAdditions = elements(graph.type(of: input))
    }
    return cost
  }

  /// Operands that are the integers of a quantised network, if those are stored.
  private static let quantisedWeights: [String: Set<Int>] = [
    "DequantizeLinear": [0], "ConvInteger": [0, 1], "MatMulInteger": [0, 1],
    "QLinearConv": [0, 3, 8], "QLinearMatMul": [0, 3],
  ]

  /// Weights that are not trained: running statistics and scales of quantisation.
  private static let statistics: [String: Set<Int>] = [
    "BatchNormalization": [3, 4], "QuantizeLinear": [1], "DequantizeLinear": [1],
    "QLinearConv": [1, 4, 6], "QLinearMatMul": [1, 4, 6],
  ]

  private mutating func macs(of node: Node) -> Int {
    func type(_ position: Int) -> TensorType? {
      node.inputs.indices.contains(position)
        ? node.inputs[position].map { graph.type(of: $0) } : nil
    }
    guard node.domain.isEmpty, let output = node.outputs.first else { return 0 }
    switch node.op {
    case "Conv", "ConvInteger", "QLinearConv":
      guard let weight = type(node.op == "QLinearConv" ? 3 : 1)?.fixedShape, weight.count >= 3
      else { return 0 }
      return weight.dropFirst().reduce(elements(output)) { $0.saturatingMultiply($1) }
    case "ConvTranspose":
      guard let weight = type(1)?.fixedShape, weight.count >= 3, let input = type(0) else {
        return 0
      }
      return weight.dropFirst().reduce(elements(input)) { $0.saturatingMultiply($1) }
    case "Gemm", "MatMul", "MatMulInteger", "QLinearMatMul":
      let a = type(0)?.shape
      let b = type(node.op == "QLinearMatMul" ? 3 : 1)?.shape
      // Either operand tells how long the sums are.
      let inner = [
        node.attributes.int("transA") == 1 ? a?.first : a?.last,
        node.attributes.int("transB") == 1 ? b?.last : b?.suffix(2).first,
      ].compactMap { $0 }
      guard let length = inner.first(where: { $0.value != nil }) ?? inner.first else { return 0 }
      return elements(output).saturatingMultiply(elements(TensorType([length])))
    case "LSTM", "GRU", "RNN":
      // Every step of every sequence multiplies by both weights, of operand and state.
      guard let input = type(0)?.shape, input.count == 3, let weight = type(1),
        let recurrence = type(2)
      else { return 0 }
      return elements(TensorType(Array(input[..<2])))
        .saturatingMultiply(elements(weight).saturatingAdd(elements(recurrence)))
    default:
      return 0
    }
  }

  private mutating func elements(_ type: TensorType) -> Int {
    guard let shape = type.shape else {
      sawUnknownAxis = true
      return 1
    }
    return shape.reduce(1) { product, dimension in
      if dimension.value == nil { sawUnknownAxis = true }
      return product.saturatingMultiply(max(0, dimension.value ?? 1))
    }
  }

  private mutating func bytes(_ type: TensorType) -> Int {
    // Elements may be smaller than a byte.
    let (eights, rest) = elements(type).quotientAndRemainder(dividingBy: 8)
    let bits = type.elementType.rawBits ?? 0
    return eights.saturatingMultiply(bits).saturatingAdd((rest * bits + 7) / 8)
  }
}

extension Int {
  func saturatingAdd(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
  func saturatingMultiply(_ other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
