import Architectures

/// States a graph in operator set 17, where that changes nothing but how things are said.
///
/// All of a graph or none: an operator whose meaning differs, or that 17 doesn't have, leaves the
/// graph in its own operator set.
enum OpsetConversion {
  /// Operator sets that are converted.
  private static let convertible = 7...28

  static func converted(_ graph: OperatorGraph) -> OperatorGraph? {
    guard let opset = graph.opsets[""], opset != OperatorGraph.opset, convertible.contains(opset)
    else { return nil }
    return convert(graph, from: opset)
  }

  private static func convert(_ graph: OperatorGraph, from opset: Int) -> OperatorGraph? {
    if opset > OperatorGraph.opset, !hasPlainTypes(graph) { return nil }
    var result = graph
    result.opsets[""] = OperatorGraph.opset
    for index in graph.nodes.indices where graph.nodes[index].domain.isEmpty {
      let node = graph.nodes[index]
      guard let since = unchangedSince[node.op], since <= opset,
        laterAttributes[node.op]?.allSatisfy({ node.attributes[$0] == nil }) ?? true,
        laterValues[node.op].map({ node.attributes.string($0.attribute) != $0.value }) ?? true,
        node.inputs.count <= laterOperands[node.op] ?? .max,
        let converted = restate(node, from: opset, &result)
      else { return nil }
      result.nodes[index] = converted
      for (name, attribute) in node.attributes {
        switch attribute {
        case .graph(let inner):
          guard var inner = convert(inner, from: opset) else { return nil }
          inner.opsets = [:]
          result.nodes[index].attributes[name] = .graph(inner)
        case .graphs: return nil
        default: break
        }
      }
    }
    return result
  }

  /// Whether every type is one that operators took in 17 already.
  private static func hasPlainTypes(_ graph: OperatorGraph) -> Bool {
    let plain: Set<ElementType> = [
      .float32, .float64, .float16, .int32, .int64, .bool, .int8, .uint8,
    ]
    return graph.inputs.allSatisfy { plain.contains($0.type.elementType) }
      && graph.parameters.allSatisfy { plain.contains($0.type.elementType) }
      && graph.nodes.allSatisfy { node in
        node.outputs.allSatisfy { plain.contains($0.elementType) }
      }
  }

  /// The node as 17 writes it; `nil` where that can't be said.
  private static func restate(
    _ node: Node, from opset: Int, _ graph: inout OperatorGraph
  ) -> Node? {
    var node = node
    switch node.op {
    case "Clip" where opset < 11:
      for name in ["min", "max"] {
        let bound = node.attributes.removeValue(forKey: name)
        guard case .float(let value)? = bound else {
          node.inputs.append(nil)
          continue
        }
        let type = TensorType([Int](), node.outputs.first?.elementType ?? .float32)
        node.inputs.append(
          add(
            Parameter(
              name: "\(node.name.text).\(name)", type: type, constant: .floats([Double(value)])),
            to: &graph))
      }
    case "Squeeze" where opset < 13, "Unsqueeze" where opset < 13, "ReduceSum" where opset < 13:
      move("axes", to: 1, &node, &graph)
    case "Split" where opset < 13:
      move("split", to: 1, &node, &graph)
    case "Slice" where opset < 10:
      for (position, name) in ["starts", "ends", "axes"].enumerated() {
        move(name, to: position + 1, &node, &graph)
      }
    case "Softmax" where opset < 13, "LogSoftmax" where opset < 13, "Hardmax" where opset < 13:
      // The axes from this one on were taken together: the same for the last one alone.
      guard let rank = node.outputs.first?.shape?.count, rank > 0 else { return nil }
      let axis = node.attributes.int("axis") ?? 1
      guard axis == -1 || axis == rank - 1 else { return nil }
      node.attributes["axis"] = -1
    case "MaxPool" where opset > 17, "AveragePool" where opset > 17:
      // Later sets say more exactly which last partial window counts.
      guard node.attributes.int("ceil_mode") ?? 0 == 0 else { return nil }
    case "BatchNormalization":
      guard node.outputs.count == 1, node.attributes.int("spatial") ?? 1 == 1 else { return nil }
      node.attributes["spatial"] = nil
    case let op where op.hasPrefix("Reduce") && op != "ReduceSum" && opset >= 18:
      guard node.inputs.count > 1, let operand = node.inputs[1] else { break }
      guard case .parameter(let index) = operand,
        case .ints(let axes)? = graph.parameters[index].constant, !axes.isEmpty
      else { return nil }
      node.inputs.removeLast()
      node.attributes["axes"] = .ints(axes)
      node.attributes["noop_with_empty_axes"] = nil
    default: break
    }
    return node
  }

  /// Makes an attribute a constant operand.
  private static func move(
    _ attribute: String, to position: Int, _ node: inout Node, _ graph: inout OperatorGraph
  ) {
    guard let values = node.attributes.ints(attribute) else { return }
    node.attributes[attribute] = nil
    while node.inputs.count < position { node.inputs.append(nil) }
    node.inputs.append(
      add(
        Parameter(
          name: "\(node.name.text).\(attribute)", type: TensorType([values.count], .int64),
          constant: .ints(values)), to: &graph))
  }

  private static func add(_ parameter: Parameter, to graph: inout OperatorGraph) -> ValueReference {
    graph.parameters.append(parameter)
    return .parameter(graph.parameters.count - 1)
  }

  /// From which version on an operator has meant what it means in 17, restated where need be.
  private static let unchangedSince: [String: Int] = {
    var since: [String: Int] = [:]
    for (version, names) in [
      (
        7,
        """
        Relu Sigmoid Tanh LeakyRelu Elu Selu HardSigmoid Softplus Softsign Exp Log Sqrt Neg Abs \
        Reciprocal Floor Ceil PRelu Sin Cos Tan Asin Acos Atan Clip Identity Not And Or Xor \
        Add Sub Mul Div Pow Equal Greater Less Conv ConvTranspose MaxPool AveragePool \
        GlobalAveragePool GlobalMaxPool BatchNormalization InstanceNormalization LRN Gemm MatMul \
        Flatten Reshape Transpose Concat Squeeze Unsqueeze Softmax LogSoftmax Hardmax ReduceMean \
        ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ArgMax ArgMin \
        Gather Slice Split Tile DepthToSpace SpaceToDepth Shape Size LSTM GRU RNN LpNormalization \
        If Loop
        """
      ),
      (8, "Max Min Sum Mean Expand"),
      (9, "Erf Sign Cast Where Sinh Cosh Asinh Acosh Atanh IsNaN NonZero ConstantOfShape"),
      (10, "TopK ThresholdedRelu"),
      (11, "Pad Resize Round CumSum GatherElements Constant"),
      (12, "GreaterOrEqual LessOrEqual"),
      (13, "QuantizeLinear DequantizeLinear"),
      (14, "HardSwish Trilu"), (16, "GridSample"), (17, "LayerNormalization"),
    ] {
      for name in names.split(separator: " ") { since[String(name)] = version }
    }
    return since
  }()

  /// Attributes that came after 17.
  private static let laterAttributes: [String: [String]] = [
    "AveragePool": ["dilations"], "Resize": ["antialias", "axes", "keep_aspect_ratio_policy"],
    "Split": ["num_outputs"], "Cast": ["saturate", "round_mode"], "GridSample": ["mode"],
    "QuantizeLinear": ["saturate", "block_size", "output_dtype", "precision"],
    "DequantizeLinear": ["block_size", "output_dtype"], "SpaceToDepth": ["mode"],
  ]

  /// Values of attributes that came after 17.
  private static let laterValues: [String: (attribute: String, value: String)] = [
    "Pad": ("mode", "wrap"),
    "Resize": ("coordinate_transformation_mode", "half_pixel_symmetric"),
  ]

  /// Operands that 17 has, where later sets have more.
  private static let laterOperands: [String: Int] = ["Pad": 3]
}
