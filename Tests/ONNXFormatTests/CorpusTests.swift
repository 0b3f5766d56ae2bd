import Architectures
import Foundation
import ONNXFormat
import Testing

/// The models and node cases that the onnx package carries: each is described in agreement with
/// the package's own shape inference, or refused with a line that names the operator.
@Suite struct CorpusTests {
  struct Entry: Decodable {
    var file: String
    var name: String
    var nodes: Int
    var values: [String: KnownType]
    var bare: Bool
  }

  /// `[element type, shape]`; an axis is a number, a name or nothing.
  struct KnownType: Decodable {
    var element: String
    var shape: [Int?]?

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      element = try values.decode(String.self)
      if try values.decodeNil() { return }
      var axes = try values.nestedUnkeyedContainer()
      var shape: [Int?] = []
      while !axes.isAtEnd {
        if try axes.decodeNil() {
          shape.append(nil)
        } else if let value = try? axes.decode(Int.self) {
          shape.append(value)
        } else {
          _ = try axes.decode(String.self)
          shape.append(nil)
        }
      }
      self.shape = shape
    }

    static let names = [
      "float": "float32", "double": "float64", "bfloat16": "bfloat16",
    ]

    func agrees(with type: TensorType) -> Bool {
      let element = Self.names[element] ?? element
      if type.elementType.name != element, type.elementType != .other("unknown") { return false }
      guard let shape, let found = type.shape else { return true }
      return shape.count == found.count
        && zip(shape, found).allSatisfy { $0 == nil || $1.value == nil || $0 == $1.value }
    }

    /// Whether `type` says everything that is known.
    func isCovered(by type: TensorType) -> Bool {
      guard let shape else { return true }
      guard let found = type.shape, found.count == shape.count else { return false }
      return zip(shape, found).allSatisfy { $0 == nil || $1.value != nil }
    }
  }

  private struct Tally {
    var described = 0
    var refused: [String] = []
    var unwritable: [String] = []
    var known = 0
    var covered = 0

    /// Writes a model that was read, to be run beside the original.
    mutating func writeAgain(_ model: ONNXModel, _ entry: Entry, _ folder: URL) {
      do {
        try ONNXFile.write(
          model.graph, weights: model.weights, metadata: model.metadata,
          to: folder.appending(path: entry.file.replacing(".onnx", with: ".again.onnx")))
      } catch {
        unwritable.append("\(entry.name): \(error)")
      }
    }

    mutating func check(_ model: ONNXModel, _ entry: Entry) {
      described += 1
      #expect(model.nodeCounts.total == entry.nodes, "\(entry.name)")
      for node in model.graph.nodes {
        guard let expected = entry.values[node.name.text], let type = node.outputs.first else {
          continue
        }
        let agrees = expected.agrees(with: type)
        #expect(
          agrees,
          "\(entry.name) \(entry.bare ? "bare" : ""): \(node.op): \(expected) or \(type)")
        guard entry.bare else { continue }
        known += 1
        if expected.isCovered(by: type) { covered += 1 }
      }
    }
  }

  private func describe(_ file: URL) -> Result<ONNXModel, ONNXFormatError> {
    do {
      return .success(try ONNXFile.read(file))
    } catch let error as ONNXFormatError {
      return .failure(error)
    } catch {
      return .failure(ONNXFormatError(.malformed, "unexpected: \(error)"))
    }
  }

  @Test func agreesWithThePeer() throws {
    try Peer.withFolder { folder in
      _ = try Peer.run("onnx_corpus.py", [folder.path])
      try check(folder)
    }
  }

  private func check(_ folder: URL) throws {
    let index = try JSONDecoder().decode(
      [Entry].self, from: Data(contentsOf: folder.appending(path: "index.json")))
    #expect(index.count > 2 * (149 + 1500))
    var tally = Tally()
    for entry in index {
      switch describe(folder.appending(path: entry.file)) {
      case .success(let model):
        tally.check(model, entry)
        if !entry.bare { tally.writeAgain(model, entry, folder) }
        #expect(!model.graph.text.isEmpty)
      case .failure(let error):
        #expect(!error.message.contains("\n"))
        tally.refused.append("\(entry.name)\(entry.bare ? " bare" : ""): \(error.message)")
      }
    }
    _ = try Peer.run("onnx_compare.py", [folder.path])
    print("described \(tally.described), inferred \(tally.covered) of \(tally.known) results")
    print("refused: \(tally.refused)")
    print("can't be written: \(tally.unwritable)")
    #expect(tally.refused.isEmpty)
    // Sequences, maps and optional values as inputs or outputs.
    #expect(tally.unwritable.count <= 50)
    #expect(10 * tally.covered > 9 * tally.known)
  }
}
