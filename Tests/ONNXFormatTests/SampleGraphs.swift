import Architectures

/// Small networks that tests write and read.
enum SampleGraphs {
  /// Appends nodes whose result types are inferred.
  struct Builder {
    var graph: OperatorGraph

    init(input: TensorType) {
      graph = OperatorGraph(inputs: [GraphInput(name: "input", type: input)])
    }

    mutating func parameter(
      _ name: String, _ type: TensorType, constant: ConstantContent? = nil
    ) -> ValueReference {
      graph.parameters.append(Parameter(name: name, type: type, constant: constant))
      return .parameter(graph.parameters.count - 1)
    }

    mutating func node(
      _ op: String, _ name: String, _ inputs: [ValueReference?],
      _ attributes: [String: Attribute] = [:], captures: [ValueReference] = []
    ) throws -> ValueReference {
      var node = Node(op, name: name, inputs: inputs, attributes: attributes, captures: captures)
      node.outputs = try ShapeInference.outputs(of: node, in: graph) ?? [.unknown]
      graph.nodes.append(node)
      return .node(graph.nodes.count - 1)
    }

    /// Convolution, batch normalisation and an activation.
    mutating func block(
      _ name: String, _ input: ValueReference, _ channels: (Int, Int), kernel: Int, stride: Int = 1,
      group: Int = 1, activation: String? = "HardSwish"
    ) throws -> ValueReference {
      let weight = parameter(
        "\(name).conv.weight", TensorType([channels.1, channels.0 / group, kernel, kernel]))
      var value = try node(
        "Conv", "\(name).conv", [input, weight],
        [
          "kernel_shape": .ints([kernel, kernel]), "strides": .ints([stride, stride]),
          "pads": .ints(Array(repeating: kernel / 2, count: 4)), "group": .int(group),
        ])
      let statistics = ["scale", "bias", "mean", "var"].map {
        parameter("\(name).bn.\($0)", TensorType([channels.1]))
      }
      value = try node("BatchNormalization", "\(name).bn", [value] + statistics)
      guard let activation else { return value }
      return try node(activation, "\(name).act", [value])
    }
  }

  /// An inverted residual block between a stem and a classifier, as MobileNetV3 has them.
  static func mobile(input: TensorType = TensorType([1, 3, 32, 32])) throws -> OperatorGraph {
    var builder = Builder(input: input)
    let stem = try builder.block("stem", .input(0), (3, 16), kernel: 3, stride: 2)
    var value = try builder.block("block.expand", stem, (16, 64), kernel: 1)
    value = try builder.block("block.depth", value, (64, 64), kernel: 5, group: 64)
    let pooled = try builder.node("GlobalAveragePool", "block.se.pool", [value])
    let weight = builder.parameter("block.se.weight", TensorType([64, 64, 1, 1]))
    let bias = builder.parameter("block.se.bias", TensorType([64]))
    let gate = try builder.node("Conv", "block.se.fc", [pooled, weight, bias])
    let sigmoid = try builder.node("HardSigmoid", "block.se.gate", [gate], ["alpha": .float(1 / 6)])
    value = try builder.node("Mul", "block.se.scale", [value, sigmoid])
    value = try builder.block("block.project", value, (64, 16), kernel: 1, activation: nil)
    value = try builder.node("Add", "block.add", [value, stem])
    let low = builder.parameter("six.min", TensorType([Int]()), constant: .floats([0]))
    let high = builder.parameter("six.max", TensorType([Int]()), constant: .floats([6]))
    value = try builder.node("Clip", "relu6", [value, low, high])
    value = try builder.node("GlobalAveragePool", "pool", [value])
    value = try builder.node("Flatten", "flatten", [value])
    let classifier = builder.parameter("classifier.weight", TensorType([10, 16]))
    let shift = builder.parameter("classifier.bias", TensorType([10]))
    value = try builder.node("Gemm", "classifier", [value, classifier, shift], ["transB": 1])
    builder.graph.outputs = [value]
    return builder.graph
  }

  /// A branch on a constant; both sides read an outer value and have weights.
  static func branches() throws -> OperatorGraph {
    var builder = Builder(input: TensorType([2, 3]))
    let condition = builder.parameter(
      "condition", TensorType([Int](), .bool), constant: .ints([1]))
    let outer = try builder.node("Relu", "outer", [.input(0)])
    func branch(_ op: String) -> OperatorGraph {
      let type = TensorType([2, 3])
      return OperatorGraph(
        parameters: [Parameter(name: "weight", type: TensorType([3, 3]))],
        nodes: [
          Node(op, inputs: [.captured(0, type: type)], outputs: [type]),
          Node("MatMul", inputs: [.node(0), .parameter(0)], outputs: [type]),
        ], outputs: [.node(1)])
    }
    let choice = try builder.node(
      "If", "choice", [condition],
      ["then_branch": .graph(branch("Sigmoid")), "else_branch": .graph(branch("Tanh"))],
      captures: [outer])
    builder.graph.outputs = [choice]
    return builder.graph
  }
}
