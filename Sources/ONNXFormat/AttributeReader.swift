import Architectures
import Foundation
import ONNXProto

/// One attribute of a node as it is in the file: tensors and graphs are not read yet.
struct StoredAttribute {
  enum Value {
    case plain(Attribute)
    case tensor(WireMessage)
    case graph(WireMessage)
    case graphs([WireMessage])
  }

  var name: String
  var value: Value

  var graphs: [WireMessage] {
    switch value {
    case .graph(let message): [message]
    case .graphs(let messages): messages
    case .plain, .tensor: []
    }
  }

  init(_ message: WireMessage, budget: inout ItemBudget) throws {
    var name = ""
    var tensor: WireMessage?
    var graphs: [WireMessage] = []
    var isList = false
    var present = Set<Int>()
    var kind = 0
    try message.forEachField { field in
      present.insert(field.number)
      switch field.number {
      case 1: name = try message.string(field)
      case 5: tensor = try message.message(field)
      case 6: graphs = [try message.message(field)]
      case 11:
        try budget.spend()
        graphs.append(try message.message(field))
        isList = true
      case 20: kind = try message.int(field)
      case 21:
        throw ONNXFormatError(
          .malformed,
          "attribute \(quoted(try message.string(field))) of a function is read "
            + "outside of one")
      default: break
      }
    }
    self.name = name
    if let tensor, kind == 0 || kind == 4 {
      value = .tensor(tensor)
    } else if !graphs.isEmpty, kind == 0 || kind == 5 || kind == 10 {
      value = isList ? .graphs(graphs) : .graph(graphs[0])
    } else {
      // Numbers can take eight times the bytes they have in the file.
      try budget.spend(message.range.count / 8)
      value = .plain(
        try Self.plain(
          TypeReader.decode(message, "attribute \(quoted(name))"), kind, present, message))
    }
  }

  private static func plain(
    _ stored: Onnx_AttributeProto, _ kind: Int, _ present: Set<Int>, _ message: WireMessage
  ) throws -> Attribute {
    // Files of the first format don't state the kind.
    let kinds = [2: 1, 3: 2, 4: 3, 7: 6, 8: 7, 9: 8]
    switch kind != 0 ? kind : kinds.first(where: { present.contains($0.key) })?.value ?? 0 {
    case 1: return .float(stored.f)
    case 2: return .int(Int(stored.i))
    case 3:
      if let text = String(validating: stored.s, as: UTF8.self) { return .string(text) }
      return .other("bytes " + StoredTensor.digest(stored.s))
    case 6: return .floats(stored.floats)
    case 7: return .ints(stored.ints.map(Int.init))
    case 8:
      let texts = stored.strings.map { String(validating: $0, as: UTF8.self) }
      if !texts.contains(nil) { return .strings(texts.compactMap { $0 }) }
      return .other("bytes " + StoredTensor.digest(message.file.array(message.range)))
    case 10: return .graphs([])
    case let kind:
      let names = [
        9: "tensors", 11: "sparse_tensor", 12: "sparse_tensors", 13: "type", 14: "types",
      ]
      guard let name = names[kind] else {
        throw ONNXFormatError(
          .malformed, "attribute \(quoted(stored.name)) has no value of its kind \(kind)")
      }
      return .other(
        name + " " + StoredTensor.digest(message.file.array(message.range)))
    }
  }
}
