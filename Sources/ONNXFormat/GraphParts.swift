/// The messages that a graph's message is made of, in the file's order.
struct GraphParts {
  var name = ""
  var nodes: [WireMessage] = []
  var initializers: [WireMessage] = []
  var inputs: [WireMessage] = []
  var outputs: [WireMessage] = []
  var valueInfo: [WireMessage] = []

  /// - Parameter depth: how many graphs are around this one.
  init(_ message: WireMessage, depth: Int, budget: inout ItemBudget) throws {
    guard depth <= ONNXLimits.nesting else {
      throw ONNXFormatError(
        .tooLarge, "subgraphs are nested more than \(ONNXLimits.nesting) deep")
    }
    var parts = GraphParts()
    try message.forEachField { field in
      switch field.number {
      case 1: parts.nodes.append(try message.message(field))
      case 2: parts.name = try message.string(field)
      case 5: parts.initializers.append(try message.message(field))
      case 11: parts.inputs.append(try message.message(field))
      case 12: parts.outputs.append(try message.message(field))
      case 13: parts.valueInfo.append(try message.message(field))
      case 15: throw ONNXFormatError(.unsupported, "sparse initializers are not supported")
      default: return
      }
      try budget.spend()
    }
    self = parts
  }

  private init() {}
}
