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
