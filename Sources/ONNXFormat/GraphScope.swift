import Architectures

/// The values of one graph while it is read, with a way to those of the graphs around it.
final class GraphScope {
  var graph = OperatorGraph()
  private var values: [String: ValueReference] = [:]
  /// Parameters that an operator uses as weights, whatever their size.
  private(set) var weights = Set<Int>()
  /// Tensors of the parameters, by position.
  var tensors: [StoredTensor?] = []
  /// Where values of the enclosing graph come in; `nil` for the outermost graph.
  let captures: Captures?

  init(captures: Captures? = nil) { self.captures = captures }

  /// Outer values that the subgraphs of one node read.
  final class Captures {
    let outer: GraphScope
    private(set) var references: [ValueReference] = []
    private var positions: [ValueReference: Int] = [:]

    init(outer: GraphScope) { self.outer = outer }

    func position(of reference: ValueReference) -> Int {
      if let position = positions[reference] { return position }
      positions[reference] = references.count
      references.append(reference)
      return references.count - 1
    }
  }

  /// A value and the graph that holds it.
  struct Found {
    var scope: GraphScope
    var reference: ValueReference

    var type: TensorType { scope.graph.type(of: reference) }
    var constant: ConstantContent? {
      guard case .parameter(let index) = reference else { return nil }
      return scope.graph.parameters[index].constant
    }
    var operand: ShapeInference.Operand {
      ShapeInference.Operand(type: type, constant: constant)
    }
  }

  func define(_ name: String, _ reference: ValueReference) throws {
    guard values.updateValue(reference, forKey: name) == nil else {
      throw ONNXFormatError(.invalidGraph, "two values are named \(quoted(name))")
    }
  }

  func isDefined(_ name: String) -> Bool { values[name] != nil }

  /// The value called `name`, here or in an enclosing graph.
  func find(_ name: String) -> Found? {
    var scope: GraphScope? = self
    while let current = scope {
      if let reference = current.values[name] {
        return Found(scope: current, reference: reference)
      }
      scope = current.captures?.outer
    }
    return nil
  }

  /// How a graph inside or at `found`'s refers to it.
  func reference(to found: Found) -> ValueReference {
    if found.scope === self { return found.reference }
    guard let captures else { return found.reference }
    let outer = captures.outer.reference(to: found)
    return .captured(captures.position(of: outer), type: found.type)
  }

  /// Notes that a parameter is a weight.
  static func markWeight(_ found: Found) {
    if case .parameter(let index) = found.reference { found.scope.weights.insert(index) }
  }

  func addParameter(
    _ name: String, _ tensor: StoredTensor?, _ type: TensorType, _ constant: ConstantContent?
  ) -> ValueReference {
    graph.parameters.append(Parameter(name: name, type: type, constant: constant))
    tensors.append(tensor)
    return .parameter(graph.parameters.count - 1)
  }

  /// Drops the content of what turned out to be weights.
  func dropWeightContents() {
    for index in weights where graph.parameters[index].type.elementType.isFloatingPoint {
      graph.parameters[index].constant = nil
    }
  }
}
