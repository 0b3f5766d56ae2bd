import Architectures
import Foundation
import ONNXFormat
import Testing

/// Damaged and hostile files: each is read or refused in one line, and never crashes.
@Suite struct FuzzTests {
  /// Reads and describes; a refusal must be one line.
  private func survive(_ bytes: [UInt8], _ what: @autoclosure () -> String) {
    do {
      let model = try ONNXFile.decode(bytes)
      #expect(model.graph.text.utf8.count < 10_000_000)
      _ = GraphCost(model.graph)
      _ = try? model.graph.withBatch(3)
      _ = try? ONNXFile.encode(model.graph, weights: NoWeights())
    } catch let error as ONNXFormatError {
      #expect(!error.message.contains { $0.isNewline }, "\(what()): \(error.message)")
      #expect(error.message.utf8.count < 5000 && error.exitCode == 65)
    } catch {
      Issue.record("\(what()): \(error)")
    }
  }

  /// Refuses, so that hostile shapes allocate nothing.
  private struct NoWeights: WeightSource {
    var provenance: String { "" }
    func write(_ weight: Weight, into bytes: inout MutableRawSpan) throws {
      throw ONNXFormatError(.missingWeights, "none")
    }
  }

  /// Node cases with subgraphs, sequences, quantisation, strings and shapes as values.
  private static let cases = [
    "test_loop11", "test_if_seq", "test_scan9_sum", "test_lstm_with_peepholes", "test_qlinearconv",
    "test_resize_upsample_scales_nearest", "test_string_concat", "test_constant_pad",
    "test_sequence_map_add_2_sequences_expanded", "test_center_crop_pad_crop_and_pad_expanded",
  ]

  private static func samples() throws -> [(String, [UInt8])] {
    var samples = [
      ("mobile", try ONNXFile.encode(SampleGraphs.mobile(), weights: HeInitialization())),
      ("branches", try ONNXFile.encode(SampleGraphs.branches(), weights: HeInitialization())),
    ]
    try Peer.withFolder { folder in
      _ = try Peer.run("onnx_corpus.py", [folder.path] + cases)
      for file in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      where file.hasSuffix(".onnx") {
        samples.append((file, [UInt8](try Data(contentsOf: folder.appending(path: file)))))
      }
    }
    return samples
  }

  @Test func mutations() throws {
    for (name, original) in try Self.samples() {
      var generator = SeededGenerator(seed: 1)
      // Weights are most of a file and none of its structure.
      let structure = min(original.count, 4000)
      for round in 0..<300 {
        var bytes = original
        switch round % 4 {
        case 0:
          bytes.removeLast(generator.next(below: original.count) + 1)
        case 1:
          bytes[generator.next(below: structure)] ^= 1 << UInt8(generator.next(below: 8))
        case 2:
          for _ in 0...generator.next(below: 8) {
            bytes[generator.next(below: structure)] = UInt8(generator.next(below: 256))
          }
        default:
          let start = generator.next(below: structure)
          let count = min(generator.next(below: 40), original.count - start)
          if round % 8 == 3 {
            bytes.removeSubrange(start..<start + count)
          } else {
            bytes.insert(contentsOf: original[start..<start + count], at: start)
          }
        }
        survive(bytes, "\(name) round \(round)")
      }
    }
  }

  @Test func noise() {
    var generator = SeededGenerator(seed: 9)
    for round in 0..<500 {
      let bytes = (0..<generator.next(below: 200)).map { _ in UInt8(generator.next(below: 256)) }
      survive(bytes, "round \(round)")
    }
    survive([], "nothing")
  }

  /// A message field: tag, length, content.
  private func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
    varint(UInt64(number << 3 | 2)) + varint(UInt64(content.count)) + content
  }
  private func field(_ number: Int, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }
  private func number(_ number: Int, _ value: Int) -> [UInt8] {
    varint(UInt64(number << 3)) + varint(UInt64(bitPattern: Int64(value)))
  }
  private func varint(_ value: UInt64) -> [UInt8] {
    var (rest, bytes) = (value, [UInt8]())
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
  private func model(_ graph: [UInt8]) -> [UInt8] {
    number(1, 8) + field(8, number(2, 17)) + field(7, graph)
  }
  private func refusal(_ bytes: [UInt8]) -> ONNXFormatError.Code? {
    do {
      _ = try ONNXFile.decode(bytes)
      return nil
    } catch {
      return (error as? ONNXFormatError)?.code
    }
  }

  @Test func sizesAreCheckedBeforeAllocating() {
    // A tensor that announces 2^40 elements and has none; one whose size overflows.
    for shape in [[1 << 40], [1 << 62, 4], [-1]] {
      let tensor = shape.map { number(1, $0) }.joined() + number(2, 1) + field(8, "w")
      #expect(refusal(model(field(5, Array(tensor)))) == .malformed)
    }
    // A length that is larger than the file.
    #expect(refusal([0x3a] + varint(1 << 60)) == .malformed)
    #expect(refusal([0x3a] + varint(.max)) == .malformed)
  }

  @Test func hostileShapesAreRefused() throws {
    let huge = Int.max
    let axes = [1, huge, huge, huge].flatMap { field(1, number(1, $0)) }
    let input = field(11, field(1, "x") + field(2, field(1, number(1, 1) + field(2, axes))))
    for (op, attributes) in [
      ("Flatten", []), ("GlobalAveragePool", []),
      ("MaxPool", [("kernel_shape", [huge, huge]), ("pads", [huge, huge, huge, huge])]),
      (
        "AveragePool", [("kernel_shape", [1, 1]), ("pads", [Int.min, Int.min, Int.min, Int.min])]
      ),
      ("Transpose", [("perm", [0, 0, 0, 0])]),
      ("Squeeze", [("axes", [Int.min])]), ("Unsqueeze", [("axes", [huge, Int.min])]),
      ("Slice", [("starts", [Int.min]), ("ends", [huge]), ("axes", [Int.min])]),
      ("Pad", [("pads", Array(repeating: huge, count: 8))]),
      ("ReduceMean", [("axes", [Int.min, huge])]), ("Concat", [("axis", [1])]),
      ("Split", [("split", [huge, huge])]), ("Tile", []), ("Upsample", []),
    ] as [(String, [(String, [Int])])] {
      let node =
        field(1, "x") + field(1, op == "Concat" ? "x" : "") + field(2, "y") + field(4, op)
        + attributes.flatMap { name, values in
          field(5, field(1, name) + values.flatMap { number(8, $0) } + number(20, 7))
        }
      survive(model(field(1, node) + input + field(12, field(1, "y"))), op)
    }
  }

  @Test func deepNestingIsRefused() {
    var graph: [UInt8] = []
    for _ in 0..<60 {
      graph = field(
        1,
        field(2, "y") + field(4, "If")
          + field(5, field(1, "then_branch") + field(6, graph) + number(20, 5)))
    }
    #expect(refusal(model(graph)) == .tooLarge)
    // Nesting that only the generated code sees: types of types.
    var type: [UInt8] = field(1, number(1, 1))
    for _ in 0..<5000 { type = field(4, field(1, type)) }
    #expect(refusal(model(field(11, field(1, "x") + field(2, type)))) == .malformed)
  }

  @Test func manySmallThingsAreBounded() {
    // Ten million empty names in 20 MB.
    let names = repeatElement([0x0a, 0x00] as [UInt8], count: 10_000_000)
    let node = field(4, "Sum") + Array(names.joined())
    #expect(refusal(model(field(1, node))) == .tooLarge)
  }

  @Test func longShapesAreRefused() {
    for axes in [[field(2, String(repeating: "n", count: 1001))], Array(repeating: [], count: 65)] {
      let shape = axes.flatMap { field(1, $0) }
      let type = field(2, field(1, number(1, 1) + field(2, shape)))
      #expect(refusal(model(field(11, field(1, "x") + type))) == .tooLarge)
    }
  }

  @Test(arguments: [false, true]) func longChainsNeedNoStack(backwards: Bool) throws {
    let count = 200_000
    var nodes: [UInt8] = []
    for position in 0..<count {
      let index = backwards ? count - 1 - position : position
      nodes += field(
        1,
        field(1, index == 0 ? "x" : "v\(index - 1)") + field(2, "v\(index)") + field(4, "Relu"))
    }
    let type = field(2, field(1, number(1, 1) + field(2, field(1, number(1, 4)))))
    let graph = nodes + field(11, field(1, "x") + type) + field(12, field(1, "v\(count - 1)"))
    let read = try ONNXFile.decode(model(graph))
    #expect(read.graph.nodes.count == count)
    #expect(read.graph.nodes[count - 1].outputs == [TensorType([4])])
    #expect(read.graph.canonical().nodes.count == count)
  }

  /// One node with operands and results of one axis, and a graph of such nodes.
  private func node(
    _ op: String, _ inputs: [String], _ output: String, subgraph: [UInt8]? = nil
  ) -> [UInt8] {
    var content: [UInt8] = field(2, output) + field(4, op)
    for input in inputs { content += field(1, input) }
    if let subgraph {
      for name in ["then_branch", "else_branch"] {
        content += field(5, field(1, name) + field(6, subgraph) + number(20, 5))
      }
    }
    return field(1, content)
  }
  private func graph(_ nodes: [[UInt8]], output: String) -> [UInt8] {
    let type = field(2, field(1, number(1, 1) + field(2, field(1, number(1, 4)))))
    return Array(nodes.joined()) + field(11, field(1, "x") + type) + field(12, field(1, output))
  }

  /// ONNX Runtime's float16 converter appends nodes that earlier ones read.
  @Test func nodesAreReadInOrder() throws {
    let chain = [node("Relu", ["x"], "a"), node("Tanh", ["a"], "b"), node("Neg", ["b"], "c")]
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
      let read = try ONNXFile.decode(model(graph(order.map { chain[$0] }, output: "c"))).graph
      #expect(read.nodes.map(\.op) == ["Relu", "Tanh", "Neg"])
      #expect(read.nodes.map(\.outputs) == Array(repeating: [TensorType([4])], count: 3))
    }
    // What nobody waits for stays where it is.
    let late = graph(
      [
        node("Relu", ["late"], "a"), node("Tanh", ["x"], "b"), node("Neg", ["x"], "late"),
        node("Add", ["a", "b"], "c"),
      ], output: "c")
    let read = try ONNXFile.decode(model(late)).graph
    #expect(read.nodes.map(\.op) == ["Neg", "Relu", "Tanh", "Add"])
  }

  @Test func subgraphsReadWhatComesLater() throws {
    let branch =
      node("Neg", ["inner"], "y") + node("Relu", ["late"], "inner") + field(12, field(1, "y"))
    let condition = field(
      11, field(1, "condition") + field(2, field(1, number(1, 9) + field(2, []))))
    let nodes = [node("If", ["condition"], "z", subgraph: branch), node("Tanh", ["x"], "late")]
    let read = try ONNXFile.decode(model(graph(nodes, output: "z") + condition)).graph
    #expect(read.nodes.map(\.op) == ["Tanh", "If"])
    #expect(read.nodes.last?.captures == [.node(0)])
    guard case .graph(let inner)? = read.nodes.last?.attributes["then_branch"] else {
      Issue.record("no subgraph")
      return
    }
    #expect(inner.nodes.map(\.op) == ["Relu", "Neg"])
  }

  @Test func cyclesAndMissingValuesAreNamed() {
    for (nodes, message) in [
      (
        [node("Relu", ["b"], "a"), node("Tanh", ["a"], "b")],
        "'Tanh' node 'b' reads 'a', which is computed from its own result"
      ),
      ([node("Relu", ["a"], "a")], "'Relu' node 'a' reads 'a', which is computed from"),
      ([node("Relu", ["b"], "a")], "'Relu' node 'a' reads 'b', which nothing makes"),
    ] as [([[UInt8]], String)] {
      let error = #expect(throws: ONNXFormatError.self) {
        try ONNXFile.decode(model(graph(nodes, output: "a")))
      }
      #expect(error?.code == .invalidGraph)
      #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
    }
  }

  @Test func externalDataStaysInTheFolder() throws {
    func file(_ location: String) -> [UInt8] {
      let tensor =
        number(1, 2) + number(2, 1) + field(8, "w") + number(14, 1)
        + field(13, field(1, "location") + field(2, location))
      let node = field(1, "w") + field(2, "y") + field(4, "Relu")
      return model(field(5, tensor) + field(1, node) + field(12, field(1, "y")))
    }
    for location in ["../w.bin", "/etc/passwd", "a/../../b", ""] {
      #expect(refusal(file(location)) == .malformed)
    }
    try Peer.withFolder { folder in
      let path = folder.appending(path: "model.onnx")
      try Data(file("w.bin")).write(to: path)
      // The graph needs no payload; weights do.
      let bare = try ONNXFile.read(path)
      #expect(bare.graph.parameters.map(\.type) == [TensorType([2])])
      #expect(throws: ONNXFormatError.self) { try bare.weights.bytes("w") }
      try Data([0, 0, 128, 63, 0, 0, 0, 64]).write(to: folder.appending(path: "w.bin"))
      #expect(try ONNXFile.read(path).weights.floats("w") == [1, 2])
      // A link out of the folder is no way out either.
      try FileManager.default.removeItem(at: folder.appending(path: "w.bin"))
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(path: "w.bin").path, withDestinationPath: "/etc/passwd")
      #expect(throws: ONNXFormatError.self) { try ONNXFile.read(path).weights.bytes("w") }
    }
  }

  @Test func unreadableFilesAreNamed() {
    for path in ["/nowhere.onnx", "/", "/dev/zero"] {
      #expect {
        try ONNXFile.read(URL(filePath: path))
      } throws: {
        ($0 as? ONNXFormatError)?.code == .unreadable
          && ($0 as? ONNXFormatError)?.message.hasPrefix("\(path): can't read it") == true
      }
    }
  }
}
