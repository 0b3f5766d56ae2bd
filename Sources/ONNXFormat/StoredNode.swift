/// One node as it is in the file.
struct StoredNode {
  var name = ""
  var op = ""
  var domain = ""
  var inputs: [String] = []
  var outputs: [String] = []
  var attributes: [StoredAttribute] = []

  init(_ message: WireMessage, budget: inout ItemBudget) throws {
    try budget.spend()
    var node = StoredNode()
    var isOverloaded = false
    try message.forEachField { field in
      switch field.number {
      case 1:
        try budget.spend()
        node.inputs.append(try message.string(field))
      case 2:
        try budget.spend()
        node.outputs.append(try message.string(field))
      case 3: node.name = try message.string(field)
      case 4: node.op = try message.string(field)
      case 5:
        try budget.spend()
        node.attributes.append(try StoredAttribute(message.message(field), budget: &budget))
      case 7: node.domain = try message.string(field)
      case 8: isOverloaded = !(try message.bytes(field)).isEmpty
      default: break
      }
    }
    if node.domain == "ai.onnx" { node.domain = "" }
    guard !node.op.isEmpty else {
      throw ONNXFormatError(
        .malformed, "the node at byte \(message.range.lowerBound) names no operator")
    }
    guard !isOverloaded else { throw node.error(.unsupported, "is an overload of a function") }
    while node.inputs.last == "" { node.inputs.removeLast() }
    while node.outputs.last == "" { node.outputs.removeLast() }
    self = node
  }

  private init() {}

  /// How messages call this node: operator, and the best name there is.
  var title: String {
    let label = name.isEmpty ? outputs.first ?? "" : name
    return label.isEmpty ? quoted(op) : "\(quoted(op)) node \(quoted(label))"
  }

  func error(_ code: ONNXFormatError.Code, _ why: String) -> ONNXFormatError {
    ONNXFormatError(code, "\(title) \(why)")
  }
}
