internal import Architectures

/// Numbers about all ways from a network's input to its result: how many there are, how long they
/// are, and what follows what along them.
///
/// The live flow is cut where every way passes (behind a residual sum, between two cells, after
/// each operator of a chain); numbers are taken for each segment and added up, so that a network's
/// profile is the exact sum of its parts'. A gate's way leads through its largest operand:
/// squeeze-and-excite is no way of its own.
struct PathProfile: Sendable {
  private(set) var values = [Double](repeating: 0, count: Self.names.count)

  static let names: [String] =
    PathWays.weights.indices.map { "log ways \($0)" }
    + ["longest", "shortest", "mean", "variance of"].flatMap { what in
      PathWays.costs.map { "\(what) \($0)" }
    }
    + [
      "segments with ways", "with a way without convolution", "with an empty way",
      "with a pooled way", "pooled on all ways", "without convolutions", "with three ways",
      "with ways two convolutions apart",
    ]
    + PathRole.allCases.flatMap { from in PathRole.allCases.map { "\(from) to \($0)" } }

  /// - Parameter lines: of all nodes, as the encoder has them.
  init(_ graph: OperatorGraph, _ flow: GraphFlow, _ lines: [OperatorLine]) {
    let route = Route(graph, flow, lines)
    var ways = [PathWays](repeating: PathWays(), count: lines.count)
    var roles = [PathRole](repeating: .boundary, count: lines.count)
    var horizon = route.lastReaderOfInput
    for index in graph.nodes.indices where route.contains[index] {
      let sources = route.sources[index]
      var here = PathWays(joining: sources.map { $0 < 0 ? PathWays() : ways[$0] })
      here.pass(lines[index], height: graph.operandHeight(of: index))
      let role = PathRole(lines[index].kind, joins: sources.count > 1)
      if let role {
        for source in sources {
          // A sum of sums is one sum.
          let isFlattened =
            role == .sum && source >= 0 && roles[source] == .sum && route.readers[source] == 1
          if !isFlattened { count(source < 0 ? .boundary : roles[source], role) }
        }
      }
      roles[index] = role ?? sources.first.map { $0 < 0 ? .boundary : roles[$0] } ?? .boundary
      if horizon <= index {
        if roles[index] != .boundary { count(roles[index], .boundary) }
        for (column, value) in here.values.enumerated() { values[column] += exactly(value) }
        here = PathWays()
        roles[index] = .boundary
      }
      ways[index] = here
      horizon = max(horizon, route.lastReader[index])
    }
  }

  private mutating func count(_ from: PathRole, _ to: PathRole) {
    let roles = PathRole.allCases.count
    values[PathWays.count + from.rawValue * roles + to.rawValue] += 1
  }

  /// Which operators ways lead through, and from where.
  private struct Route {
    /// Nodes that ways to a node come from, -1 for the network's input; an operand that is read
    /// twice is two ways.
    var sources: [[Int]]
    var contains: [Bool]
    var readers: [Int]
    var lastReader: [Int]
    var lastReaderOfInput = -1

    init(_ graph: OperatorGraph, _ flow: GraphFlow, _ lines: [OperatorLine]) {
      let nodes = graph.nodes
      sources = nodes.indices.map { index in
        guard flow.isLive[index] else { return [] }
        let operands = nodes[index].inputs.compactMap { input -> (source: Int, size: Int)? in
          switch input {
          case .input?, .captured?: return (-1, graph.elements(input!))
          case .node(let producer, _)? where flow.isLive[producer]:
            return (producer, graph.elements(input!))
          default: return nil
          }
        }
        guard lines[index].kind == .gate,
          let widest = operands.max(by: { ($0.size, -$0.source) < ($1.size, -$1.source) })
        else { return operands.map(\.source) }
        return [widest.source]
      }
      contains = Array(repeating: false, count: nodes.count)
      readers = Array(repeating: 0, count: nodes.count)
      lastReader = Array(repeating: -1, count: nodes.count)
      guard case .node(let end, _)? = graph.outputs.first, flow.isLive[end] else { return }
      contains[end] = true
      for index in nodes.indices.reversed() where contains[index] {
        for source in sources[index] {
          guard source >= 0 else {
            lastReaderOfInput = max(lastReaderOfInput, index)
            continue
          }
          contains[source] = true
          readers[source] += 1
          lastReader[source] = max(lastReader[source], index)
        }
      }
    }
  }
}

/// What an operator is to the ways through it.
enum PathRole: Int, CaseIterable {
  /// Where a segment begins or ends.
  case boundary
  case spatial, pointwise, depthwise, averagePool, maxPool, sum, concatenation

  /// `nil` for operators that ways pass without notice.
  init?(_ kind: OperatorKind, joins: Bool) {
    switch kind {
    case .convolution, .grouped: self = .spatial
    case .pointwise, .product: self = .pointwise
    case .depthwise: self = .depthwise
    case .averagePool: self = .averagePool
    case .maxPool: self = .maxPool
    case .sum where joins: self = .sum
    case .concatenation where joins: self = .concatenation
    default: return nil
    }
  }
}

extension OperatorGraph {
  /// Elements of a value; unknown extents count as one.
  fileprivate func elements(_ value: ValueReference) -> Int {
    (type(of: value).shape ?? []).reduce(1) {
      $0.multipliedReportingOverflow(by: max(1, $1.value ?? 1)).partialValue
    }
  }

  /// Height of a node's first operand; 1 where there is none.
  fileprivate func operandHeight(of node: Int) -> Int {
    guard let operand = nodes[node].inputs.first ?? nil, let shape = type(of: operand).shape,
      shape.count > 2
    else { return 1 }
    return max(1, shape[2].value ?? 1)
  }
}
