extension Node {
  /// The same operator with nothing said twice: default attributes and absent trailing operands
  /// dropped, `kernel_shape` stated, automatic padding spelled out where the shape is known.
  func normalised(in graph: OperatorGraph) -> Node {
    var node = self
    if node.domain == "ai.onnx" { node.domain = "" }
    while let last = node.inputs.last, last == nil { node.inputs.removeLast() }
    node.normaliseSubgraphs(in: graph)
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
    let rank = (node.inputs.first ?? nil).flatMap { graph.type(of: $0).shape?.count }
    for (name, value) in node.attributes {
      node.attributes[name] = value.countedFromTheFront(name, of: node.op, rank: rank)
    }
    for (name, value) in Node.defaults(of: node.op, opset: graph.opsets[""] ?? OperatorGraph.opset)
    where node.attributes[name] == value.countedFromTheFront(name, of: node.op, rank: rank) {
      node.attributes[name] = nil
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
  private mutating func normaliseSubgraphs(in outer: OperatorGraph) {
    /// In the operator set of the graph around it, which alone states it.
    func canonical(_ graph: OperatorGraph) -> OperatorGraph {
      var graph = graph
      graph.opsets[""] = outer.opsets[""]
      graph = graph.canonical()
      graph.opsets[""] = OperatorGraph.opset
      return graph
    }
    for (name, attribute) in attributes {
      switch attribute {
      case .graph(let graph): attributes[name] = .graph(canonical(graph))
      case .graphs(let graphs): attributes[name] = .graphs(graphs.map(canonical))
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

extension Node {
  /// Where an operator takes the axes of its first operand as a constant.
  static func axesOperand(of op: String) -> Int? {
    switch op {
    case "Slice", "Pad": 3
    case "Squeeze", "Unsqueeze": 1
    default: op.hasPrefix("Reduce") ? 1 : nil
    }
  }
}

extension Attribute {
  /// Axes of an operand of `rank` axes counted from the front, as far as the rank is known; ordered
  /// where their order means nothing.
  func countedFromTheFront(_ name: String, of op: String, rank: Int?) -> Attribute {
    guard let rank else { return self }
    switch self {
    case .int(let axis) where name == "axis" && axis < 0:
      // `OneHot` names an axis of its result.
      let position = axis + rank + (op == "OneHot" ? 1 : 0)
      return position < 0 ? self : .int(position)
    case .ints(let axes) where name == "axes":
      let count = op == "Unsqueeze" ? rank + axes.count : rank
      let positions = axes.map { $0 < 0 ? $0 &+ count : $0 }
      if positions.contains(where: { $0 < 0 }) { return self }
      let isSet = op.hasPrefix("Reduce") || op.hasSuffix("queeze")
      return .ints(isSet ? positions.sorted() : positions)
    default: return self
    }
  }
}

extension Node {
  /// Attributes that an operator has where none are stated.
  fileprivate static func defaults(of op: String, opset: Int) -> [String: Attribute] {
    // Before operator set 13 these took the axes from this one on together.
    if opset < 13, ["Softmax", "LogSoftmax", "Hardmax"].contains(op) { return ["axis": 1] }
    return defaultAttributes[op] ?? [:]
  }

  /// From the operator definitions of ONNX; what later operator sets added is absent from earlier
  /// ones.
  private static let defaultAttributes: [String: [String: Attribute]] = {
    var defaults: [String: [String: Attribute]] = [
      "Conv": ["group": 1, "auto_pad": .string("NOTSET")],
      "ConvTranspose": ["group": 1, "auto_pad": .string("NOTSET")],
      "MaxPool": ["ceil_mode": 0, "storage_order": 0, "auto_pad": .string("NOTSET")],
      "AveragePool": ["ceil_mode": 0, "count_include_pad": 0, "auto_pad": .string("NOTSET")],
      "LpPool": ["ceil_mode": 0, "p": 2, "auto_pad": .string("NOTSET")],
      "BatchNormalization": ["epsilon": .float(1e-5), "training_mode": 0, "spatial": 1],
      "InstanceNormalization": ["epsilon": .float(1e-5)],
      "LayerNormalization": ["axis": -1, "epsilon": .float(1e-5), "stash_type": 1],
      "LRN": ["alpha": .float(1e-4), "beta": .float(0.75), "bias": .float(1)],
      "LpNormalization": ["axis": -1, "p": 2],
      "Gemm": ["alpha": .float(1), "beta": .float(1), "transA": 0, "transB": 0],
      "HardSigmoid": ["alpha": .float(0.2), "beta": .float(0.5)],
      "LeakyRelu": ["alpha": .float(0.01)],
      "ThresholdedRelu": ["alpha": .float(1)],
      "Elu": ["alpha": .float(1)],
      "Celu": ["alpha": .float(1)],
      "Flatten": ["axis": 1],
      "Gather": ["axis": 0],
      "GatherElements": ["axis": 0],
      "GatherND": ["batch_dims": 0],
      "ScatterElements": ["axis": 0, "reduction": .string("none")],
      "ScatterND": ["reduction": .string("none")],
      "OneHot": ["axis": -1],
      "Reshape": ["allowzero": 0],
      "Split": ["axis": 0],
      "Shape": ["start": 0],
      "TopK": ["axis": -1, "largest": 1, "sorted": 1],
      "CumSum": ["exclusive": 0, "reverse": 0],
      "Trilu": ["upper": 1],
      "Pad": ["mode": .string("constant")],
      "DepthToSpace": ["mode": .string("DCR")],
      "Resize": [
        "mode": .string("nearest"), "coordinate_transformation_mode": .string("half_pixel"),
        "nearest_mode": .string("round_prefer_floor"), "cubic_coeff_a": .float(-0.75),
        "exclude_outside": 0, "extrapolation_value": .float(0), "antialias": 0,
        "keep_aspect_ratio_policy": .string("stretch"),
      ],
      "Upsample": ["mode": .string("nearest")],
      "QuantizeLinear": ["axis": 1, "saturate": 1],
      "DequantizeLinear": ["axis": 1],
      "Cast": ["saturate": 1],
      "LSTM": ["direction": .string("forward"), "layout": 0, "input_forget": 0],
      "GRU": ["direction": .string("forward"), "layout": 0, "linear_before_reset": 0],
      "RNN": ["direction": .string("forward"), "layout": 0],
    ]
    for op in ["Softmax", "LogSoftmax", "Hardmax"] { defaults[op] = ["axis": -1] }
    for op in ["ArgMax", "ArgMin"] {
      defaults[op] = ["axis": 0, "keepdims": 1, "select_last_index": 0]
    }
    for op in [
      "Mean", "Sum", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare",
    ] {
      defaults["Reduce\(op)"] = ["keepdims": 1, "noop_with_empty_axes": 0]
    }
    return defaults
  }()
}
