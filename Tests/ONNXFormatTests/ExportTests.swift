import Architectures
import Foundation
import ONNXFormat
import Testing

@Suite struct ExportTests {
  private struct Report: Decodable {
    var outputs: [Moments]
    var outputNames: [String]
    var nodes: Int
    var weights: [String: Moments]
    var metadata: [String: String]
    var irVersion: Int
    var producer: String
  }

  /// `[shape, mean, standard deviation]`.
  private struct Moments: Decodable {
    var shape: [Int]
    var mean: Double
    var deviation: Double
    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      shape = try values.decode([Int].self)
      mean = try values.decode(Double.self)
      deviation = try values.decode(Double.self)
    }
  }

  private func check(
    _ graph: OperatorGraph, weights: any WeightSource = HeInitialization(seed: 1),
    batch: Int? = nil
  ) throws -> Report {
    try Peer.withFolder { folder in
      let file = folder.appending(path: "net.onnx")
      try ONNXFile.write(graph, weights: weights, batch: batch, to: file)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["net.onnx"])
      let line = try Peer.run("onnx_check.py", [file.path])
      return try JSONDecoder().decode(Report.self, from: Data(line.utf8))
    }
  }

  @Test func passesTheCheckerAndRuns() throws {
    let graph = try SampleGraphs.mobile()
    let report = try check(graph)
    #expect(report.nodes == graph.nodes.count)
    #expect(report.outputs.map(\.shape) == [[1, 10]])
    #expect(report.outputNames == ["output"])
    #expect(report.outputs[0].deviation > 0)
    #expect(report.metadata["weights"] == "he-initialised seed=1")
    #expect(report.irVersion == 8)
    #expect(report.producer == "swiftlet")
  }

  @Test func weightsAreHeInitialised() throws {
    var builder = SampleGraphs.Builder(input: TensorType([1, 64, 8, 8]))
    builder.graph.outputs = [try builder.block("big", .input(0), (64, 256), kernel: 3)]
    let weights = try check(builder.graph).weights
    let kernel = try #require(weights["big.conv.weight"])
    #expect(kernel.shape == [256, 64, 3, 3])
    // 147,456 draws: five standard errors of mean and deviation.
    let deviation = (2.0 / (256 * 9)).squareRoot()
    let count = 147_456.0
    #expect(abs(kernel.mean) < 5 * deviation / count.squareRoot())
    #expect(abs(kernel.deviation - deviation) < 5 * deviation / (2 * count).squareRoot())
    #expect(weights["big.bn.scale"]?.mean == 1 && weights["big.bn.var"]?.mean == 1)
    #expect(weights["big.bn.bias"]?.mean == 0 && weights["big.bn.mean"]?.mean == 0)
    #expect(weights["big.bn.scale"]?.deviation == 0)
  }

  @Test(arguments: [ElementType.float64, .float16]) func otherPrecisions(_ type: ElementType) throws
  {
    var builder = SampleGraphs.Builder(input: TensorType([4, 128], type))
    let weight = builder.parameter("weight", TensorType([128, 256], type))
    builder.graph.outputs = [try builder.node("MatMul", "product", [.input(0), weight])]
    let kernel = try #require(try check(builder.graph).weights["weight"])
    let deviation = (2.0 / 256).squareRoot()
    #expect(abs(kernel.deviation - deviation) < 5 * deviation / (2 * 32768.0).squareRoot())
  }

  @Test func sameSeedSameBytes() throws {
    let graph = try SampleGraphs.mobile()
    let first = try ONNXFile.encode(graph, weights: HeInitialization(seed: 7))
    #expect(try ONNXFile.encode(graph, weights: HeInitialization(seed: 7)) == first)
    #expect(try ONNXFile.encode(graph, weights: HeInitialization(seed: 8)) != first)
  }

  @Test func fixesTheBatch() throws {
    let graph = try SampleGraphs.mobile(
      input: TensorType([.symbolic("batch"), 3, 32, 32], .float32))
    #expect(try check(graph).outputs.map(\.shape) == [[2, 10]])
    #expect(try check(graph, batch: 5).outputs.map(\.shape) == [[5, 10]])
    #expect(throws: ArchitecturesError.self) {
      try ONNXFile.encode(graph, weights: HeInitialization(), batch: 0)
    }
  }

  @Test func namesAreUniqueAndOutputsDistinct() throws {
    var builder = SampleGraphs.Builder(input: TensorType([2, 3]))
    let first = try builder.node("Relu", "output", [.input(0)])
    let second = try builder.node("Tanh", "output", [first])
    builder.graph.outputs = [second, second, .input(0), first]
    let report = try check(builder.graph)
    #expect(Set(report.outputNames).count == 4)
    #expect(report.nodes == 4)
  }

  @Test func subgraphsSeeOuterValues() throws {
    #expect(try check(SampleGraphs.branches()).outputs.map(\.shape) == [[2, 3]])
  }

  @Test func refusesWhatItCannotWrite() throws {
    var builder = SampleGraphs.Builder(input: TensorType([2, 3]))
    let table = builder.parameter("table", TensorType([2000], .int8), constant: .digest("abc"))
    builder.graph.outputs = [try builder.node("Identity", "same", [table])]
    #expect {
      try ONNXFile.encode(builder.graph, weights: HeInitialization())
    } throws: {
      ($0 as? ONNXFormatError)?.message
        == "weight 'table' is int8: its content can't be made up"
    }
  }

  @Test func namesTheFileItCannotWrite() throws {
    let graph = try SampleGraphs.mobile()
    #expect {
      try ONNXFile.write(
        graph, weights: HeInitialization(), to: URL(filePath: "/nowhere/at/all/net.onnx"))
    } throws: {
      let error = $0 as? ONNXFormatError
      return error?.message
        == "can't write /nowhere/at/all/net.onnx: No such file or directory"
        && error?.exitCode == 1
    }
  }
}
