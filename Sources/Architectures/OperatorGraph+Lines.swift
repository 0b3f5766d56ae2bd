extension OperatorGraph {
  /// One operator as text that stands alone: operands by type instead of by name, so that equal
  /// operators have equal lines wherever they stand.
  /// ```
  /// Conv(1x16x56x56, Param[64,16,1,1])(kernel_shape=1):1x64x56x56
  /// ```
  /// An axis of unknown length is written as 1 (the cost of one image); constants appear by type,
  /// without content. - Complexity: linear in the line's length.
  public func line(of index: Int) -> String {
    let node = normalisedNode(index)
    var operands = node.inputs.map { operand in
      guard let operand else { return "_" }
      let shape = Self.lineShape(type(of: operand))
      if case .parameter(let parameter) = operand {
        return (parameters[parameter].constant == nil ? "Param[" : "Const[") + shape + "]"
      }
      return shape
    }
    if node.isCommutative { operands.sort() }
    var line = node.domain.isEmpty ? node.op : "\(node.domain)::\(node.op)"
    line += "(" + operands.joined(separator: ", ") + ")"
    var writer = TextWriter()
    writer.writeAttributes(of: node, in: self)
    line += writer.result
    line += ":" + node.outputs.map(Self.lineShape).joined(separator: ", ")
    return line
  }

  /// The operator without what only states a default.
  public func normalisedNode(_ index: Int) -> Node { nodes[index].normalised(in: self) }

  private static func lineShape(_ type: TensorType) -> String {
    let shape = type.shape.map { $0.map { String($0.value ?? 1) }.joined(separator: "x") } ?? "?"
    return type.elementType == .float32 ? shape : "\(type.elementType.name) \(shape)"
  }

  /// 64 bits of a line, the same on every machine.
  public static func digest(ofLine line: String) -> UInt64 {
    var hash = StableHash()
    hash.combine(line)
    return hash.value
  }
}
