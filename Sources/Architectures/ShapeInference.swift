/// Types of an operator's results from its operands.
///
/// Source: the operator definitions of ONNX. An operator that is not known here has unknown
/// results, which is not an error: the type then comes from the file or the text. Sizes come from
/// files: no arithmetic on them may overflow or make a negative one.
public enum ShapeInference {
  /// Operands as inference sees them: type, and content where it is a constant.
  public struct Operand: Sendable {
    public var type: TensorType
    public var constant: ConstantContent?
    public init(type: TensorType, constant: ConstantContent? = nil) {
      self.type = type
      self.constant = constant
    }
  }

  /// The types of `node`'s results, or `nil` when they can't be told.
  ///
  /// - Throws: `invalidGraph` naming operator and shapes when the operands can't fit.
  public static func outputs(of node: Node, in graph: OperatorGraph) throws -> [TensorType]? {
    try outputs(
      of: node,
      operands: node.inputs.map { reference in
        reference.map { reference in
          if case .parameter(let index) = reference {
            return Operand(
              type: graph.parameters[index].type, constant: graph.parameters[index].constant)
          }
          return Operand(type: graph.type(of: reference))
        }
      }, outputCount: max(1, node.outputs.count))
  }

  /// The types of the first `outputCount` results of `node` on `operands`, or `nil` when they
  /// can't be told; the node's own operands and results are not looked at.
  ///
  /// - Throws: `invalidGraph` naming operator and shapes when the operands can't fit.
  public static func outputs(
    of node: Node, operands: [Operand?], outputCount: Int
  ) throws -> [TensorType]? {
    guard hasRule(for: node), let rule = rules[node.op] else { return nil }
    let types = try rule(
      Application(
        op: node.op, attributes: node.attributes, operands: operands, outputCount: outputCount))
    guard let types, types.count > outputCount else { return types }
    return Array(types[..<outputCount])
  }

  /// Whether the operator is known here.
  static func hasRule(for node: Node) -> Bool {
    (node.domain.isEmpty || node.domain == "ai.onnx") && rules[node.op] != nil
  }

  /// One use of an operator.
  struct Application {
    let op: String
    let attributes: [String: Attribute]
    let operands: [Operand?]
    let outputCount: Int

    func type(_ position: Int) -> TensorType? {
      position < operands.count ? operands[position]?.type : nil
    }

    func shape(_ position: Int) -> [Dimension]? { type(position)?.shape }

    func has(_ position: Int) -> Bool { position < operands.count && operands[position] != nil }

    /// Content of an operand, if it is a constant of integers.
    func ints(_ position: Int) -> [Int]? {
      guard has(position), case .ints(let values)? = operands[position]?.constant else {
        return nil
      }
      return values
    }

    /// Content of an operand, if it is a constant of floating-point numbers.
    func floats(_ position: Int) -> [Double]? {
      guard has(position), case .floats(let values)? = operands[position]?.constant else {
        return nil
      }
      return values
    }

    /// An attribute's or, in later operator sets, an operand's integers.
    func ints(_ attribute: String, or position: Int) -> [Int]? {
      attributes.ints(attribute) ?? ints(position)
    }

    var types: [TensorType] { operands.compactMap { $0?.type } }

    /// The axis that attribute `axis` names, counted from the front; `nil` when there is none.
    func axis(default value: Int?, rank: Int) throws -> Int? {
      guard let axis = attributes.int("axis") ?? value else { return nil }
      let position = axis < 0 ? axis &+ rank : axis
      guard (0..<rank).contains(position) else { throw mismatch("there is no axis \(axis)") }
      return position
    }

    func mismatch(_ why: String) -> ArchitecturesError {
      let shapes = types.map { TextShape.text($0) }.joined(separator: ", ")
      return ArchitecturesError(.invalidGraph, "\(op)(\(shapes)): \(why)")
    }

    func sum(_ a: Int, _ b: Int) throws -> Int {
      let (result, overflow) = a.addingReportingOverflow(b)
      if overflow { throw mismatch("sizes overflow") }
      return result
    }

    func difference(_ a: Int, _ b: Int) throws -> Int {
      let (result, overflow) = a.subtractingReportingOverflow(b)
      if overflow { throw mismatch("sizes overflow") }
      return result
    }

    func product(_ a: Int, _ b: Int) throws -> Int {
      let (result, overflow) = a.multipliedReportingOverflow(by: b)
      if overflow { throw mismatch("sizes overflow") }
      return result
    }
  }

  typealias Rule = @Sendable (Application) throws -> [TensorType]?

  private static let rules: [String: Rule] = {
    var rules: [String: Rule] = [:]
    for (names, rule) in [
      elementwiseRules, windowRules, layoutRules, indexingRules, reductionRules, otherRules,
    ].joined() {
      for name in names.split(separator: " ") { rules[String(name)] = rule }
    }
    return rules
  }()
}

extension [String: Attribute] {
  public func int(_ name: String) -> Int? {
    if case .int(let value)? = self[name] { return value }
    return nil
  }
  public func ints(_ name: String) -> [Int]? {
    if case .ints(let value)? = self[name] { return value }
    return nil
  }
  public func string(_ name: String) -> String? {
    if case .string(let value)? = self[name] { return value }
    return nil
  }
  public func float(_ name: String) -> Float? {
    if case .float(let value)? = self[name] { return value }
    return nil
  }
}
