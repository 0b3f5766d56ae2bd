/// A link of the chain that an architecture is: one block, or all edges of one cell. It reads one
/// value and gives one.
public struct NetworkUnit: Hashable, Sendable {
  /// One block, or a cell's edges in the order (1,0) (2,0) (2,1) (3,0) ...
  public let blocks: [Block]
  /// Nodes of the cell; 0 for a block.
  let cellNodes: Int

  init(_ blocks: [Block], cellNodes: Int = 0) {
    self.blocks = blocks
    self.cellNodes = cellNodes
  }

  /// The unit alone as a network.
  /// - Throws: `invalidGraph` naming the block when it does not fit its operand.
  public func graph(batch: Int = 1) throws -> OperatorGraph {
    var builder = GraphBuilder()
    let value = builder.input([batch] + blocks[0].input)
    builder.output(try append(to: &builder, input: value))
    return builder.graph
  }

  /// Units one behind the other as a network of their own, and the operators of each.
  /// - Throws: `invalidGraph` naming a block that does not fit its operand.
  public static func chain(_ units: [NetworkUnit]) throws -> (
    graph: OperatorGraph, operators: [Range<Int>]
  ) {
    var builder = GraphBuilder()
    var operators: [Range<Int>] = []
    guard let first = units.first else { return (builder.graph, operators) }
    var value = builder.input([1] + first.blocks[0].input)
    for unit in units {
      let start = builder.graph.nodes.count
      value = try unit.append(to: &builder, input: value)
      operators.append(start..<builder.graph.nodes.count)
    }
    builder.output(value)
    return (builder.graph, operators)
  }

  /// Appends the unit's operators.
  /// - Throws: `invalidGraph` naming the block when it does not fit its operand.
  func append(to builder: inout GraphBuilder, input: ValueReference) throws -> ValueReference {
    guard cellNodes > 0 else { return try blocks[0].append(to: &builder, input: input) }
    var nodes = [input]
    var edge = 0
    for _ in 1..<cellNodes {
      var incoming: [ValueReference] = []
      for source in nodes {
        if blocks[edge].kind != .zero {
          incoming.append(try blocks[edge].append(to: &builder, input: source))
        }
        edge += 1
      }
      var sum = incoming.first
      for other in incoming.dropFirst() { sum = try builder.add("Add", [sum!, other]) }
      try nodes.append(
        sum
          ?? Block(kind: .zero, name: "", input: blocks[0].input, out: blocks[0].out)
          .append(to: &builder, input: input))
    }
    return nodes.last!
  }
}

extension Block {
  /// The block as a unit of its own.
  public var unit: NetworkUnit { NetworkUnit([self]) }
}

extension SearchSpace {
  /// Whether architectures are chains of blocks, without cells.
  public var isStaged: Bool { cell == nil }

  /// The units of an architecture in order.
  public func units(_ genotype: Genotype) -> [NetworkUnit] {
    var units: [NetworkUnit] = []
    var edges: [Block] = []
    for (index, block) in blocks(genotype) {
      guard slots[index].isEdge, let cell else {
        units.append(NetworkUnit([block]))
        continue
      }
      edges.append(block)
      if edges.count == cell.edgeGenes.count {
        units.append(NetworkUnit(edges, cellNodes: cell.nodes))
        edges = []
      }
    }
    return units
  }
}
