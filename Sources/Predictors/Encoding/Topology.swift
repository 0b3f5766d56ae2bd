internal import Architectures

/// Numbers about how live operators hang together. All of them add up along a chain of parts that
/// each have one input and one output.
struct Topology: Sendable {
  static let names = [
    "operators", "dead operators", "joins", "branches", "longest path", "shortest path",
    "longest path MMACs", "shortest path MMACs", "longest path reach",
  ]
  var values: [Double]

  static let zero = Topology(values: Array(repeating: 0, count: names.count))

  private init(values: [Double]) { self.values = values }

  init(_ graph: OperatorGraph, _ flow: GraphFlow, _ lines: [OperatorLine]) {
    let live = flow.isLive
    var readers: [ValueReference: Int] = [:]
    var joins = 0
    /// Steps, MACs and reach of the longest and shortest way from the input up to a node.
    var ways = [Way](repeating: Way(), count: live.count)
    func sources(_ node: Node) -> Set<ValueReference> {
      Set(
        node.inputs.compactMap { input in
          switch input {
          case .input?: input
          case .node(let index, _)? where live[index]: input
          default: nil
          }
        })
    }
    func way(_ reference: ValueReference) -> Way {
      if case .node(let index, _) = reference { return ways[index] }
      return Way()
    }
    for (index, node) in graph.nodes.enumerated() where live[index] {
      let sources = sources(node)
      if sources.count > 1 { joins += 1 }
      for source in sources { readers[source, default: 0] += 1 }
      ways[index] = Way(joining: sources.map(way)).extended(by: lines[index])
    }
    let end = Way(joining: graph.outputs.map(way))
    let liveCount = live.count { $0 }
    values = [
      Double(liveCount), Double(live.count - liveCount), Double(joins),
      Double(readers.values.count { $0 > 1 }),
      Double(end.longest), Double(end.shortest), end.longestMacs, end.shortestMacs,
      Double(end.reach),
    ]
  }

  static func += (a: inout Topology, b: Topology) {
    for index in a.values.indices { a.values[index] += b.values[index] }
  }

  private struct Way {
    var longest = 0
    var shortest = 0
    /// Millions (2^20) of multiply-accumulates.
    var longestMacs = 0.0
    var shortestMacs = 0.0
    /// Sum of (kernel - 1): how far a result sees.
    var reach = 0

    init() {}

    init(joining ways: [Way]) {
      guard let first = ways.first else { return }
      self = first
      for way in ways.dropFirst() {
        longest = max(longest, way.longest)
        shortest = min(shortest, way.shortest)
        longestMacs = max(longestMacs, way.longestMacs)
        shortestMacs = min(shortestMacs, way.shortestMacs)
        reach = max(reach, way.reach)
      }
    }

    func extended(by line: OperatorLine) -> Way {
      var way = self
      guard line.kind.isStep else { return way }
      way.longest += 1
      way.shortest += 1
      way.longestMacs += Double(line.macs) * 0x1p-20
      way.shortestMacs += Double(line.macs) * 0x1p-20
      way.reach += Int(Double(line.kernelArea).squareRoot()) - 1
      return way
    }
  }
}
