import Testing

@testable import Architectures

/// Sizes as ONNX Runtime makes them, and refusals where it refuses.
struct ShapeInferenceTests {
  private func shape(
    _ op: String, _ operands: [ShapeInference.Operand], _ attributes: [String: Attribute] = [:]
  ) throws -> [Dimension]? {
    try ShapeInference.outputs(
      of: Node(op, inputs: [], attributes: attributes), operands: operands, outputCount: 1)?
      .first?.shape
  }

  @Test func hugeRangesAreEmpty() throws {
    let scalars = [1e30, 0, 1].map {
      ShapeInference.Operand(type: TensorType([Int]()), constant: .floats([$0]))
    }
    #expect(try shape("Range", scalars) == [0])
  }

  /// One partial window where less than a stride is missing.
  @Test(arguments: [
    (1, 2, 2, 1), (1, 3, 3, 1), (2, 5, 4, 1), (3, 5, 3, 1), (1, 3, 2, nil), (1, 3, 1, nil),
  ])
  func windowsLargerThanTheOperand(size: Int, kernel: Int, stride: Int, result: Int?) throws {
    for op in ["MaxPool", "AveragePool"] {
      func pool(_ ceiling: Attribute) throws -> [Dimension]? {
        try shape(
          op, [.init(type: TensorType([1, 3, size, size]))],
          [
            "kernel_shape": .ints([kernel, kernel]), "strides": .ints([stride, stride]),
            "ceil_mode": ceiling,
          ])
      }
      #expect(throws: ArchitecturesError.self) { try pool(0) }
      if let result {
        #expect(try pool(1) == [1, 3, .fixed(result), .fixed(result)])
      } else {
        #expect(throws: ArchitecturesError.self) { try pool(1) }
      }
    }
  }

  @Test func reshapesKeepTheCount() throws {
    func reshape(_ target: [Int]) throws -> [Dimension]? {
      try shape(
        "Reshape",
        [
          .init(type: TensorType([2, 6])),
          .init(type: TensorType([target.count], .int64), constant: .ints(target)),
        ])
    }
    #expect(try reshape([3, 4]) == [3, 4])
    #expect(try reshape([0, 2, 3]) == [2, 2, 3])
    #expect(throws: ArchitecturesError.self) { try reshape([3, 5]) }
    #expect(throws: ArchitecturesError.self) { try reshape([0, 7]) }
  }
}

struct GraphCostTests {
  private func cost(_ op: String, _ types: [TensorType], result: TensorType) -> GraphCost {
    let inputs = types.enumerated().map { GraphInput(name: "x\($0)", type: $1) }
    return GraphCost(
      OperatorGraph(
        inputs: inputs,
        nodes: [Node(op, inputs: inputs.indices.map { .input($0) }, outputs: [result])],
        outputs: [.node(0)]))
  }

  @Test func matrixProductsCountTheInnerAxisOfEitherOperand() {
    let unknown = TensorType([.fixed(2), .unknown])
    let result = TensorType([2, 5])
    #expect(cost("MatMul", [unknown, TensorType([3, 5])], result: result).total.macs == 30)
    #expect(cost("MatMul", [TensorType([2, 3]), unknown], result: result).total.macs == 30)
    let (byte, scale) = (TensorType([2, 3], .uint8), TensorType([Int]()))
    let other = TensorType([3, 5], .uint8)
    #expect(
      cost("QLinearMatMul", [byte, scale, scale, other], result: result).total.macs == 30)
  }

  /// Each of 7 steps of 2 sequences: 4 gates of 5 from 3 inputs and 5 states.
  @Test func recurrentLayersCountEveryStep() {
    let types = [TensorType([7, 2, 3]), TensorType([1, 20, 3]), TensorType([1, 20, 5])]
    let cost = cost("LSTM", types, result: TensorType([7, 1, 2, 5]))
    #expect(cost.total.macs == 7 * 2 * 20 * (3 + 5))
    #expect(cost.uncounted.isEmpty)
  }

  /// The integers of a quantised network are weights of their own size; its scales are not trained,
  /// its zero points and shapes no weights.
  @Test func quantisedWeightsAreCounted() {
    let parameters: [(TensorType, ConstantContent?)] = [
      (TensorType([Int]()), .floats([0.1])),
      (TensorType([Int](), .uint8), .ints([128])),
      (TensorType([4, 3, 3, 3], .int8), .digest("kernel")),
      (TensorType([4]), nil),
      (TensorType([4], .int8), .ints([0, 0, 0, 0])),
      (TensorType([4], .int32), .ints([1, 2, 3, 4])),
      (TensorType([2], .int64), .ints([1, -1])),
      (TensorType([5, 3], .other("int4")), .digest("packed")),
      (TensorType([144, 2], .uint8), .digest("matrix")),
    ]
    let p = parameters.indices.map { ValueReference.parameter($0) }
    let graph = OperatorGraph(
      inputs: [GraphInput(name: "x", type: TensorType([1, 3, 8, 8], .uint8))],
      parameters: parameters.map { Parameter(name: "", type: $0, constant: $1) },
      nodes: [
        Node(
          "QLinearConv", inputs: [.input(0), p[0], p[1], p[2], p[3], p[4], p[0], p[1], p[5]],
          outputs: [TensorType([1, 4, 6, 6], .uint8)]),
        Node("Reshape", inputs: [.node(0), p[6]], outputs: [TensorType([1, 144], .uint8)]),
        Node(
          "MatMulInteger", inputs: [.node(1), p[8], p[1]],
          outputs: [TensorType([1, 2], .int32)]),
        Node("DequantizeLinear", inputs: [p[7], p[0]], outputs: [TensorType([5, 3])]),
        // What is read twice is there once.
        Node("DequantizeLinear", inputs: [p[7], p[0]], outputs: [TensorType([5, 3])]),
      ], outputs: [.node(2), .node(3), .node(4)])
    let cost = GraphCost(graph)
    #expect(cost.operators.map(\.parameters) == [108 + 4, 0, 288, 15, 0])
    // Kernel, scales and biases; two numbers of four bits share a byte.
    #expect(cost.operators.map(\.weightBytes) == [108 + 16 + 16, 0, 288, 8, 0])
  }

  @Test func operatorsWithoutARuleAreNamed() {
    let type = TensorType([1])
    #expect(cost("DeformConv", [type], result: type).uncounted == ["DeformConv"])
    #expect(cost("Relu", [type], result: type).uncounted.isEmpty)
  }
}
