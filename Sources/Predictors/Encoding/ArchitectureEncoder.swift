public import Architectures
import Foundation
import Synchronization

/// Turns networks into vectors. Each distinct operator line is embedded once, each distinct unit of
/// a search space is encoded once; both caches are bounded and shared by all users of an encoder.
public final class ArchitectureEncoder: Sendable {
  private struct Line: Sendable {
    var line: OperatorLine
    var vector: [Double]
  }

  private let embedding = LineEmbedding()
  private let capacity: Int
  private let lines = Mutex<[UInt64: Line]>([:])
  private let units = Mutex<[NetworkUnit: EncodedPart]>([:])

  /// - Parameter capacity: lines and units each that are kept, about 3 kB a piece; a full cache
  ///   starts over.
  public init(capacity: Int = 65_536) { self.capacity = max(1, capacity) }

  /// Lines and units in the caches.
  public var cached: (lines: Int, units: Int) {
    (lines.withLock { $0.count }, units.withLock { $0.count })
  }

  /// The encoding of any network. - Complexity: linear in operators and operands.
  public func encode(_ graph: OperatorGraph) -> ArchitectureEncoding { part(graph).encoding }

  /// The encoding of a network given as text.
  /// - Throws: `ArchitecturesError.invalidText`.
  public func encode(text: String) throws -> ArchitectureEncoding {
    encode(try ArchitectureText.parse(text))
  }

  /// The encoding of a unit of a search space, from the cache where it is known.
  func part(_ unit: NetworkUnit) throws -> EncodedPart {
    if let known = units.withLock({ $0[unit] }) { return known }
    let part = part(try unit.graph())
    units.withLock { cache in
      if cache.count >= capacity { cache.removeAll(keepingCapacity: true) }
      cache[unit] = part
    }
    return part
  }

  func part(_ graph: OperatorGraph) -> EncodedPart {
    let flow = GraphFlow(graph)
    let lines = lines(of: graph)
    var sums = ArchitectureEncoding.zero
    for (index, entry) in lines.enumerated() {
      if flow.isLive[index] {
        for column in 0..<LineEmbedding.count { sums.values[column] += entry.vector[column] }
        sums.raisePeaks(entry.line)
      } else {
        for column in 0..<LineEmbedding.physical {
          sums.values[ArchitectureEncoding.dead.lowerBound + column] += entry.vector[column]
        }
      }
    }
    let topology = Topology(graph, flow, lines.map(\.line))
    sums.values.replaceSubrange(ArchitectureEncoding.topology, with: topology.values)
    let paths = PathProfile(graph, flow, lines.map(\.line))
    sums.values.replaceSubrange(ArchitectureEncoding.paths, with: paths.values)
    return EncodedPart(encoding: sums, passes: flow.passes)
  }

  private func lines(of graph: OperatorGraph) -> [Line] {
    var costs: [OperatorCost]?
    return graph.nodes.indices.map { index in
      let digest = OperatorGraph.digest(ofLine: graph.line(of: index))
      if let known = lines.withLock({ $0[digest] }) { return known }
      if costs == nil { costs = GraphCost(graph).operators }
      let line = OperatorLine(graph.normalisedNode(index), cost: costs![index], in: graph)
      let entry = Line(line: line, vector: embedding(line))
      lines.withLock { cache in
        if cache.count >= capacity { cache.removeAll(keepingCapacity: true) }
        cache[digest] = entry
      }
      return entry
    }
  }
}

extension ArchitectureEncoding {
  fileprivate mutating func raisePeaks(_ line: OperatorLine) {
    let first = Self.peaks.lowerBound
    for (offset, value) in [
      Double(line.macs) * 0x1p-20,
      (Double(line.inputBytes) + Double(line.outputBytes)) * 0x1p-20,
      Double(line.weightBytes) * 0x1p-20, Double(line.outputChannels),
    ].enumerated() { values[first + offset] = max(values[first + offset], value) }
  }
}
