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
