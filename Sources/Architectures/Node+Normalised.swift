extension Node {
  /// The same operator with nothing said twice: default attributes and absent trailing operands
  /// dropped, `kernel_shape` stated, automatic padding spelled out where the shape is known.
  func normalised(in graph: OperatorGraph) -> Node {
    var node = self
    if node.domain == "ai.onnx" { node.domain = "" }
    while let last = node.inputs.last, last == nil { node.inputs.removeLast() }
    node.normaliseSubgraphs()
    guard node.domain.isEmpty else { return node }

    if let rank = node.spatialRank(in: graph) {
      if node.op == "Conv" || node.op == "ConvTranspose", node.attributes["kernel_shape"] == nil,
        node.inputs.count > 1, let weight = node.inputs[1],
        let shape = graph.type(of: weight).fixedShape, shape.count == rank + 2
      {
        node.attributes["kernel_shape"] = .ints(Array(shape[2...]))
      }
      node.spellOutPadding(in: graph, rank: rank)
      for (name, value, count) in [
        ("strides", 1, rank), ("dilations", 1, rank), ("pads", 0, 2 * rank),
        ("output_padding", 0, rank),
      ] where node.attributes[name] == .ints(Array(repeating: value, count: count)) {
        node.attributes[name] = nil
      }
    }
    if let defaults = defaultAttributes[node.op] {
      for (name, value) in defaults where node.attributes[name] == value {
        node.attributes[name] = nil
      }
    }
    if node.op == "BatchNormalization", node.attributes["training_mode"] == nil {
      // Only a training step reads it.
      node.attributes["momentum"] = nil
    }
    if node.op == "Transpose", let permutation = node.attributes.ints("perm"),
      permutation == Array((0..<permutation.count).reversed())
    {
      node.attributes["perm"] = nil
    }
    return node
  }

  /// Spatial axes of a convolution's or pool's operand; `nil` for other operators.
  func spatialRank(in graph: OperatorGraph) -> Int? {
    guard Self.spatialOperators.contains(op), let input = inputs.first ?? nil,
      let shape = graph.type(of: input).shape, shape.count >= 3
    else { return nil }
    return shape.count - 2
  }

  static let spatialOperators: Set<String> = [
    "Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool",
  ]
  /// Attributes that hold one number an axis; written as one number where all are equal.
  static let spatialAttributes: [String: Int] = [
    "kernel_shape": 1, "strides": 1, "dilations": 1, "pads": 2, "output_padding": 1,
  ]

  private mutating func spellOutPadding(in graph: OperatorGraph, rank: Int) {
    guard op != "ConvTranspose", let automatic = attributes.string("auto_pad") else { return }
    switch automatic {
    case "NOTSET":
      attributes["auto_pad"] = nil
    case "VALID":
      attributes["auto_pad"] = nil
      attributes["pads"] = nil
    case "SAME_UPPER", "SAME_LOWER":
      guard let kernel = attributes.ints("kernel_shape"), kernel.count == rank,
        let input = inputs.first ?? nil, let shape = graph.type(of: input).shape
      else { return }
      let strides = attributes.ints("strides") ?? Array(repeating: 1, count: rank)
      let dilations = attributes.ints("dilations") ?? Array(repeating: 1, count: rank)
      guard strides.count == rank, dilations.count == rank else { return }
      var pads = [Int](repeating: 0, count: 2 * rank)
      for axis in 0..<rank {
        guard let size = shape[axis + 2].value, size > 0, strides[axis] > 0, kernel[axis] > 0,
          dilations[axis] > 0, kernel[axis] < 1 << 20, dilations[axis] < 1 << 20,
          strides[axis] < 1 << 40
        else { return }
        let steps = (size - 1) / strides[axis]
        let (reach, overflow) = (steps * strides[axis])
          .addingReportingOverflow((kernel[axis] - 1) * dilations[axis] + 1)
        guard !overflow else { return }
        let total = max(0, reach - size)
        let small = total / 2
        pads[axis] = automatic == "SAME_UPPER" ? small : total - small
        pads[axis + rank] = total - pads[axis]
      }
      attributes["auto_pad"] = nil
      attributes["pads"] = .ints(pads)
    default:
      return
    }
  }

  /// Subgraphs in canonical form, and captures in the order in which those first read them.
  private mutating func normaliseSubgraphs() {
    for (name, attribute) in attributes {
      switch attribute {
      case .graph(let graph): attributes[name] = .graph(graph.canonical())
      case .graphs(let graphs): attributes[name] = .graphs(graphs.map { $0.canonical() })
      default: continue
      }
    }
    guard !captures.isEmpty else { return }
    var order: [Int] = []
    var seen = Set<Int>()
    for name in attributes.keys.sorted() {
      for graph in attributes[name]!.subgraphs {
        for reference in graph.references {
          if case .captured(let index, _) = reference, seen.insert(index).inserted {
            order.append(index)
          }
        }
      }
    }
    var position: [Int: Int] = [:]
    for (new, old) in order.enumerated() { position[old] = new }
    func renumber(_ graph: OperatorGraph) -> OperatorGraph {
      var graph = graph
      func map(_ reference: ValueReference) -> ValueReference {
        guard case .captured(let index, let type) = reference else { return reference }
        return .captured(position[index] ?? index, type: type)
      }
      for index in graph.nodes.indices {
        graph.nodes[index].inputs = graph.nodes[index].inputs.map { $0.map(map) }
        graph.nodes[index].captures = graph.nodes[index].captures.map(map)
      }
      graph.outputs = graph.outputs.map(map)
      return graph
    }
    for (name, attribute) in attributes {
      switch attribute {
      case .graph(let graph): attributes[name] = .graph(renumber(graph))
      case .graphs(let graphs): attributes[name] = .graphs(graphs.map(renumber))
      default: continue
      }
    }
    let old = captures
    captures = order.compactMap { old.indices.contains($0) ? old[$0] : nil }
  }
}

extension Attribute {
  var subgraphs: [OperatorGraph] {
    switch self {
    case .graph(let graph): [graph]
    case .graphs(let graphs): graphs
    default: []
    }
  }
}

extension OperatorGraph {
  /// Every reference in order of reading: operands and captures node by node, then outputs.
  var references: [ValueReference] {
    nodes.flatMap { node in node.inputs.compactMap { $0 } + node.captures } + outputs
  }
}

/// Defaults of scalar attributes, from the operator definitions of ONNX (operator set 13 to 17).
private let defaultAttributes: [String: [String: Attribute]] = [
  "Conv": ["group": 1, "auto_pad": .string("NOTSET")],
  "ConvTranspose": ["group": 1, "auto_pad": .string("NOTSET")],
  "MaxPool": ["ceil_mode": 0, "storage_order": 0, "auto_pad": .string("NOTSET")],
  "AveragePool": ["ceil_mode": 0, "count_include_pad": 0, "auto_pad": .string("NOTSET")],
  "BatchNormalization": ["epsilon": .float(1e-5), "training_mode": 0, "spatial": 1],
  "InstanceNormalization": ["epsilon": .float(1e-5)],
  "LayerNormalization": ["axis": -1, "epsilon": .float(1e-5), "stash_type": 1],
  "Gemm": ["alpha": .float(1), "beta": .float(1), "transA": 0, "transB": 0],
  "HardSigmoid": ["alpha": .float(0.2), "beta": .float(0.5)],
  "LeakyRelu": ["alpha": .float(0.01)],
  "Elu": ["alpha": .float(1)],
  "Flatten": ["axis": 1],
  "Gather": ["axis": 0],
  "Reshape": ["allowzero": 0],
  "ReduceMean": ["keepdims": 1, "noop_with_empty_axes": 0],
  "ReduceSum": ["keepdims": 1, "noop_with_empty_axes": 0],
  "Split": ["axis": 0],
  "Pad": ["mode": .string("constant")],
]
