import Architectures
import Testing

@testable import Predictors

@Suite struct AccuracyTableTests {
  /// Parameters that the benchmarks state for architectures of theirs.
  @Test func publishedParameters() throws {
    for (vertices, adjacency, operations, parameters) in [
      (4, "110101", "22", 1_756_298), (5, "1101111101", "012", 4_342_154),
      (5, "1111101101", "201", 4_779_018), (5, "1110101111", "020", 2_948_277),
    ] {
      let cell = try NASBench101Cell(
        vertices: vertices, adjacency: adjacency, operations: operations)
      #expect(try cell.network().cost.parameters == parameters)
    }
    let mobile = try MobileBlocksNetwork([
      "e": "6 4 6 6 6 1 1", "k": "3 5 3 5 5 3 3", "l": "1 2 3 3 2 2 2", "se": "0 0 0 0 0 0 0",
    ])
    #expect(abs(try mobile.network().cost.parameters - 2_501_160) < 10)
  }

  private static func read(_ text: String, _ format: AccuracyTable.Format) throws -> AccuracyTable {
    try AccuracyTable(
      parsing: text, file: "t.csv", format: format, target: "accuracy", name: "t",
      catalog: catalog, encoder: ArchitectureEncoder())
  }

  @Test func rowsOfOneNetworkAreOne() throws {
    let table = try Self.read(
      "vertices,adjacency,ops,accuracy\n4,110101,22,0.5\n4,110101,22,0.7\n4,110101,02,\n",
      .nasBench101)
    #expect(table.encodings.count == 1)
    #expect(abs(table.accuracies[0] - 0.6) < 1e-12)
    let cells = try Self.read("ops,accuracy\n333333,94\n000000,10\n", .nasBench201)
    #expect(
      cells.keys == ["nasbench201:c3-c3_c3-c3_c3_c3", "nasbench201:none-none_none-none_none_none"])
    #expect(cells.features.isConnected == [true, false])
  }

  @Test(arguments: [
    (
      AccuracyTable.Format.nasBench101, "vertices,adjacency,ops,accuracy\n4,1101,22,0.5",
      "t.csv:2: '1101'"
    ),
    (.nasBench101, "vertices,adjacency,ops,accuracy\n4,110101,27,0.5", "t.csv:2: operations '27'"),
    (
      .nasBench101, "vertices,adjacency,ops,accuracy\n4,110101,22,much",
      "t.csv:2: 'much' is no number"
    ),
    (.nasBench101, "vertices,adjacency,accuracy\n4,110101,0.5", "t.csv:1: no column 'ops'"),
    (.nasBench101, "vertices,adjacency,ops,accuracy\n4,110100,22,0.5", "t.csv:2: nothing leads"),
    (.nasBench201, "ops,accuracy\n333333,1\n33333,90", "t.csv:3: ops '33333'"),
    (.nasBench201, "ops,accuracy\n333339,90", "t.csv:2: ops '333339'"),
    (.mobileBlocks, "e,k,l,se,accuracy\n1 1 1,3,1,0,60", "t.csv:2: 'e' is '1 1 1'"),
    (.macro, "arch,accuracy\n1 | 7 0,0.7", "t.csv:2: layer 2"),
    (.multiResolution, "code,accuracy\n1 2 3,0.7", "t.csv:2: code '1 2 3'"),
  ])
  func mistakesAreNamedByLine(format: AccuracyTable.Format, text: String, message: String) throws {
    let error = #expect(throws: PredictorsError.self) { try Self.read(text, format) }
    #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
  }

  @Test func otherSpacesBuild() throws {
    let macro = try MacroNetwork("1 | 4 0 | 5 0 0 | 0 1 1 1 | 2 1 1 1 1 | 3 0 0 0 0 1").network()
    #expect(macro.nodes.contains { $0.op == "Concat" })
    let code = "16 16 1 1 16 1 1 1 16 16 1 1 1 1 16 16 16 1 1 1 1 1 16 16 16 16 16"
    let multi = try MultiResolutionNetwork(code).network()
    let published = 82_658.0
    #expect(abs(Double(multi.cost.parameters) / published - 1) < 0.3)
    #expect(multi.nodes.count { $0.op == "Resize" } == 1 + 3 + 6)
  }
}
