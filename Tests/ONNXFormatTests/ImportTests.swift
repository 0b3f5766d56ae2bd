import Architectures
import Foundation
import ONNXFormat
import Testing

@Suite struct ImportTests {
  @Test func roundTripKeepsTheText() throws {
    let graph = try SampleGraphs.mobile()
    let bytes = try ONNXFile.encode(graph, weights: HeInitialization(seed: 3))
    let model = try ONNXFile.decode(bytes)
    #expect(model.graph.text == graph.text)
    #expect(model.graph.canonical() == graph.canonical())
    #expect(model.nodeCounts.kept == graph.nodes.count)
    #expect(model.nodeCounts.total == graph.nodes.count)
    #expect(model.metadata.properties["weights"] == "he-initialised seed=3")
    #expect(model.metadata.outputNames == ["output"])
    // Weights too: the same file comes out again.
    let again = try ONNXFile.encode(
      model.graph, weights: model.weights, metadata: model.metadata)
    #expect(again == bytes)
  }

  static let spaces: [String] = {
    SpaceCatalog(folders: [folder]).names
  }()
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "searchspaces").path

  @Test(arguments: spaces) func roundTripKeepsEverySpace(_ name: String) throws {
    let space = try SpaceCatalog(folders: [Self.folder]).space(name)
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<5 {
      let genotype = space.sample(using: &generator)
      let graph = try space.graph(genotype)
      let model = try ONNXFile.decode(ONNXFile.encode(graph, weights: HeInitialization()))
      #expect(model.graph.canonical() == graph.canonical(), "\(space.id(genotype))")
      #expect(model.graph.text == graph.text, "\(space.id(genotype))")
    }
  }

  @Test func torchExportsHaveTheSameText() throws {
    let expected = try SampleGraphs.mobile().text
    let kernels = 16 * 27 + 64 * 16 + 64 * 25 + 16 * 64
    let parameters = kernels + 64 * 65 + 2 * (16 + 64 + 64 + 16) + 170
    try Peer.withFolder { folder in
      _ = try Peer.run("onnx_torch.py", [folder.path])
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      #expect(files.count == 28)
      for file in files {
        let model = try ONNXFile.read(folder.appending(path: file))
        #expect(model.graph.text == expected, "\(file)")
        #expect(model.graph.cost.parameters == parameters, "\(file)")
        try ONNXFile.write(
          model.graph, weights: model.weights,
          to: folder.appending(path: file.replacing(".onnx", with: ".again.onnx")))
      }
      _ = try Peer.run("onnx_compare.py", [folder.path])
    }
  }

  /// What is computed or spelled out is no weight, unless an operator takes it as one.
  @Test func constantsAreNoWeights() throws {
    var builder = SampleGraphs.Builder(input: TensorType([2, 3]))
    let shape = builder.parameter("shape", TensorType([2], .int64), constant: .ints([2, 3]))
    let filled = try builder.node("ConstantOfShape", "filled", [shape])
    let list = try builder.node("Constant", "list", [], ["value_floats": .floats([1, 2, 3])])
    let scaled = try builder.node("Mul", "scaled", [.input(0), list])
    let sum = try builder.node("Add", "sum", [scaled, filled])
    let labels = builder.parameter("labels", TensorType([2], .int64), constant: .ints([0, 1]))
    let depth = builder.parameter("depth", TensorType([Int](), .int64), constant: .ints([3]))
    let values = builder.parameter("values", TensorType([2]))
    let hot = try builder.node("OneHot", "hot", [labels, depth, values])
    let weight = try builder.node("ConstantOfShape", "weight", [shape])
    let product = try builder.node("Gemm", "product", [sum, weight], ["transB": 1])
    builder.graph.outputs = [product, hot]
    let weights = NamedWeights(["values": [0, 1]], provenance: "")
    let graph = try ONNXFile.decode(ONNXFile.encode(builder.graph, weights: weights)).graph
    let contents = Dictionary(
      uniqueKeysWithValues: graph.parameters.map { ($0.name.text, $0.constant) })
    #expect(contents["filled"] == .floats([0, 0, 0, 0, 0, 0]))
    #expect(contents["list"] == .floats([1, 2, 3]))
    #expect(contents["values"] == .floats([0, 1]))
    #expect(contents["weight"] == .some(nil))
    #expect(graph.cost.parameters == 6)
  }

  /// A node on constants, and its result as ONNX defines it; `nil` where none is exact and small.
  struct Folding: Sendable, CustomTestStringConvertible {
    struct Tensor: Sendable {
      var shape: [Int]
      var type: ElementType
      var values: [Int]

      static func ints(
        _ values: [Int], _ shape: [Int]? = nil, _ type: ElementType = .int64
      ) -> Tensor {
        Tensor(shape: shape ?? [values.count], type: type, values: values)
      }

      static func bools(_ values: [Int], _ shape: [Int]? = nil) -> Tensor {
        ints(values, shape, .bool)
      }
    }

    var op: String
    var operands: [Tensor]
    var result: Tensor?
    var attributes: [String: Attribute]
    var testDescription: String { "\(op) \(operands.map(\.values))" }

    init(
      _ op: String, _ operands: [Tensor], _ result: Tensor?,
      _ attributes: [String: Attribute] = [:]
    ) {
      self.op = op
      self.operands = operands
      self.result = result
      self.attributes = attributes
    }
  }

  static let foldings: [Folding] = [
    Folding("Mod", [.ints([-7, 7, -7, 7]), .ints([3, -3, -3, 3])], .ints([2, -2, -1, 1])),
    Folding(
      "Mod", [.ints([-7, 7, -7, 7]), .ints([3, -3, -3, 3])], .ints([-1, 1, -1, 1]), ["fmod": 1]),
    Folding("Mod", [.ints([1]), .ints([0])], nil),
    Folding(
      "Equal", [.ints([1, 2], [2, 1]), .ints([1, 2, 3])], .bools([1, 0, 0, 0, 1, 0], [2, 3])),
    Folding(
      "Where", [.bools([1, 0]), .ints([5], []), .ints([1, 2, 3, 4], [2, 2])],
      .ints([5, 2, 5, 4], [2, 2])),
    Folding("Less", [.ints([1, 2, 3]), .ints([2])], .bools([1, 0, 0])),
    Folding("GreaterOrEqual", [.ints([1, 2, 3]), .ints([2], [])], .bools([0, 1, 1])),
    Folding("And", [.bools([1, 1, 0]), .bools([1, 0, 0])], .bools([1, 0, 0])),
    Folding("Or", [.bools([1, 1, 0]), .bools([1, 0, 0])], .bools([1, 1, 0])),
    Folding("Not", [.bools([1, 0], [1, 2])], .bools([0, 1], [1, 2])),
    Folding("Min", [.ints([3, -4]), .ints([1, 2])], .ints([1, -4])),
    Folding("Max", [.ints([3, -4]), .ints([1, 2])], .ints([3, 2])),
    Folding(
      "Expand", [.ints([1, 2], [2, 1]), .ints([1, 3])], .ints([1, 1, 1, 2, 2, 2], [2, 3])),
    Folding("Expand", [.ints([7]), .ints([2, 1, 2])], .ints([7, 7, 7, 7], [2, 1, 2])),
    Folding("Expand", [.ints([7]), .ints([2048])], nil),
    Folding("Expand", [.ints([7]), .ints([2, 0])], .ints([], [2, 0])),
    Folding(
      "Add", [.ints([1, 2], [2, 1]), .ints([10, 20], [1, 2])], .ints([11, 21, 12, 22], [2, 2])),
    Folding("Add", [.ints([.max]), .ints([1])], nil),
    Folding("Add", [.ints([Int(Int32.max)], nil, .int32), .ints([1], nil, .int32)], nil),
    Folding("Cast", [.ints([0, 2, -1])], .bools([0, 1, 1]), ["to": 9]),
  ]

  @Test(arguments: foldings) func smallConstantsAreComputed(_ folding: Folding) throws {
    var builder = SampleGraphs.Builder(input: TensorType([1]))
    let operands = folding.operands.map { tensor in
      builder.parameter(
        "operand", TensorType(tensor.shape, tensor.type), constant: .ints(tensor.values))
    }
    builder.graph.outputs = [
      try builder.node(folding.op, "node", operands, folding.attributes)
    ]
    let model = try ONNXFile.decode(
      ONNXFile.encode(builder.graph, weights: HeInitialization()))
    guard let result = folding.result else {
      #expect(model.nodeCounts.kept == 1)
      return
    }
    #expect(model.nodeCounts.folded == 1)
    #expect(model.graph.outputs == [.parameter(0)])
    #expect(
      model.graph.parameters == [
        Parameter(
          name: "", type: TensorType(result.shape, result.type), constant: .ints(result.values))
      ])
  }

  /// As PyTorch exports the class token's `expand(batch, -1, -1)` and attention's `unflatten`.
  @Test func shapesOfVisionTransformersAreKnown() throws {
    var builder = SampleGraphs.Builder(input: TensorType([1, 16, 8]))
    func ints(_ name: String, _ values: [Int], _ shape: [Int]? = nil) -> ValueReference {
      builder.parameter(
        name, TensorType(shape ?? [values.count], .int64), constant: .ints(values))
    }
    let token = builder.parameter("token", TensorType([1, 1, 8]))
    let (wanted, minus) = (ints("wanted", [1, -1, -1]), ints("minus", [-1], []))
    let ones = try builder.node(
      "ConstantOfShape", "ones", [ints("rank", [3])],
      ["value": .tensor(TensorType([1], .int64), .ints([1]))])
    let kept = try builder.node("Mul", "kept", [ones, minus])
    let isKept = try builder.node("Equal", "isKept", [wanted, kept])
    let target = try builder.node("Where", "target", [isKept, ones, wanted])
    let expanded = try builder.node("Expand", "expanded", [token, target])
    let tokens = try builder.node("Concat", "tokens", [expanded, .input(0)], ["axis": 1])
    let shape = try builder.node("Shape", "shape", [tokens])
    let axis = try builder.node("Mod", "axis", [ints("last", [-1]), ints("axes", [3])])
    let head = try builder.node("Slice", "head", [shape, ints("start", [0]), axis])
    let parts = try builder.node("Concat", "parts", [head, ints("heads", [2, 4])], ["axis": 0])
    builder.graph.outputs = [try builder.node("Reshape", "unflattened", [tokens, parts])]
    let graph = try ONNXFile.decode(
      ONNXFile.encode(builder.graph, weights: HeInitialization())
    ).graph
    #expect(graph.nodes.map(\.op) == ["Expand", "Concat", "Reshape"])
    #expect(graph.type(of: graph.outputs[0]) == TensorType([1, 17, 2, 4]))
  }

  /// Operator set 19 has modes that 17, in which graphs are kept, doesn't have.
  @Test(arguments: [
    ("Pad", "mode", "reflect", 17), ("Pad", "mode", "wrap", 19),
    ("Resize", "coordinate_transformation_mode", "asymmetric", 17),
    ("Resize", "coordinate_transformation_mode", "half_pixel_symmetric", 19),
  ])
  func laterModesKeepTheirOperatorSet(
    op: String, attribute: String, value: String, opset: Int
  ) throws {
    var builder = SampleGraphs.Builder(input: TensorType([1, 2, 4, 4]))
    var operands: [ValueReference?] = [.input(0)]
    if op == "Pad" {
      let pads = [0, 0, 1, 1, 0, 0, 1, 1]
      operands.append(
        builder.parameter("pads", TensorType([8], .int64), constant: .ints(pads)))
    } else {
      let scales = builder.parameter("scales", TensorType([4]), constant: .floats([1, 1, 2, 2]))
      operands += [nil, scales]
    }
    builder.graph.outputs = [try builder.node(op, "node", operands, [attribute: .string(value)])]
    builder.graph.opsets[""] = 19
    let bytes = try ONNXFile.encode(builder.graph, weights: HeInitialization())
    #expect(try ONNXFile.decode(bytes).graph.opsets[""] == opset)
  }

  @Test func longStringsAreDigests() throws {
    var builder = SampleGraphs.Builder(input: TensorType([2], .string))
    for (name, count) in [("short", 10), ("long", 65_536)] {
      let value = builder.parameter(
        name, TensorType([2], .string),
        constant: .strings(["a", String(repeating: "b", count: count)]))
      let joined = try builder.node("StringConcat", "\(name)_", [.input(0), value])
      builder.graph.outputs.append(joined)
    }
    let bytes = try ONNXFile.encode(builder.graph, weights: HeInitialization())
    let contents = try ONNXFile.decode(bytes).graph.parameters.map(\.constant)
    guard contents.count == 2, case .strings? = contents[0], case .digest? = contents[1] else {
      Issue.record("\(contents.count) constants")
      return
    }
  }

  @Test func foldedConstantsAreBudgeted() throws {
    var builder = SampleGraphs.Builder(input: TensorType([1]))
    let shape = builder.parameter("shape", TensorType([1], .int64), constant: .ints([1024]))
    for index in 0..<9800 {
      builder.graph.outputs = [try builder.node("ConstantOfShape", "n\(index)", [shape])]
    }
    let bytes = try ONNXFile.encode(builder.graph, weights: HeInitialization())
    let error = #expect(throws: ONNXFormatError.self) { try ONNXFile.decode(bytes) }
    #expect(error?.code == .tooLarge)
  }

  @Test func namedWeightsAreWritten() throws {
    var builder = SampleGraphs.Builder(input: TensorType([1, 2]))
    let weight = builder.parameter("weight", TensorType([2, 2]))
    builder.graph.outputs = [try builder.node("MatMul", "product", [.input(0), weight])]
    let weights = NamedWeights(["weight": [1, 2, 3, 4]], provenance: "trained here")
    let model = try ONNXFile.decode(ONNXFile.encode(builder.graph, weights: weights))
    #expect(try model.weights.floats("weight") == [1, 2, 3, 4])
    #expect(model.metadata.properties["weights"] == "trained here")
    for wrong in [[:], ["weight": [1]]] as [[String: [Float]]] {
      #expect(throws: ONNXFormatError.self) {
        try ONNXFile.encode(builder.graph, weights: NamedWeights(wrong, provenance: ""))
      }
    }
  }
}
