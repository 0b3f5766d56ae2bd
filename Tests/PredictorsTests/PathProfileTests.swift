import Architectures
import Foundation
import Testing

@testable import Predictors

@Suite struct PathProfileTests {
  private static func value(_ name: String, _ graph: OperatorGraph) throws -> Double {
    let column = try #require(ArchitectureEncoding.names.firstIndex(of: name))
    return ArchitectureEncoder().encode(graph).values[column]
  }

  /// Three ways: a shortcut, a 3x3 after a 1x1, and a pool.
  @Test func waysOfABlock() throws {
    var builder = GraphBuilder()
    let stem = try builder.convolution(builder.input([1, 3, 16, 16]), out: 8, kernel: 3)
    var value = try builder.activate(builder.convolution(stem, out: 8), .relu)
    value = try builder.convolution(value, out: 8, kernel: 3)
    let pooled = try builder.pool(stem, "AveragePool", kernel: 3)
    value = try builder.add("Add", [try builder.add("Add", [value, pooled]), stem])
    builder.output(try builder.convolution(value, out: 4))
    let graph = builder.graph
    let expected: [(String, Double)] = [
      ("log ways 0", Foundation.log(3.0)), ("longest convolutions", 4),
      ("shortest convolutions", 2),
      // 0, 0 and 2 convolutions in the block, one before and one behind it.
      ("mean convolutions", 2 + 2.0 / 3), ("variance of convolutions", 8.0 / 9),
      ("longest pools", 1), ("shortest pools", 0), ("segments with ways", 1),
      ("with an empty way", 1), ("with ways two convolutions apart", 1),
      // The two sums are one of three operands.
      ("boundary to sum", 1), ("averagePool to sum", 1), ("spatial to sum", 1), ("sum to sum", 0),
      ("pointwise to spatial", 1),
    ]
    for (name, number) in expected {
      #expect(abs(try Self.value(name, graph) - number) < 1e-6, "\(name)")
    }
  }

  /// Squeeze-and-excite and swish gate a way; they are none.
  @Test func gatesAreNoWays() throws {
    var builder = GraphBuilder()
    var value = try builder.convolution(builder.input([1, 3, 16, 16]), out: 8, kernel: 3)
    value = try builder.activate(value, .swish)
    value = try builder.squeezeExcite(value, mid: 2)
    builder.output(try builder.convolution(value, out: 4))
    #expect(try Self.value("log ways 0", builder.graph) == 0)
    #expect(try Self.value("longest convolutions", builder.graph) == 2)
  }

  /// Nodes that read the same value twice give two ways; dead branches give none.
  @Test func cellsOfASpace() throws {
    let space = try catalog.space("nasbench201")
    func ways(_ cell: String) throws -> Double {
      try Self.value("log ways 0", space.graph(space.genotype(id: "nasbench201:\(cell)")))
    }
    let two = Foundation.log(2.0)
    let reductions = 2 * two
    #expect(abs(try ways("skip-none_skip-skip_none_none") - reductions) < 1e-5)
    #expect(abs(try ways("skip-none_none-skip_skip_none") - reductions - 15 * two) < 1e-5)
    #expect(abs(try ways("c3-none_none-skip_none_c1") - reductions) < 1e-5)
    #expect(try ways("none-none_none-none_none_none") == 0)
  }
}
