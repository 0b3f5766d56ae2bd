import Foundation
import Testing

@testable import Architectures

/// One network has one text, different networks have different ones.
struct SameNetworkTests {
  /// Cells with two operands that compute the same, one of which is read elsewhere too.
  @Test(arguments: [
    "c3-c3_skip-none_skip_p3", "c3-c3_skip-p3_skip_none", "c1-c1_skip-none_c3_skip",
    "c3-none_c1-c3_skip_skip",
  ])
  func operandsThatComputeTheSameHaveOneOrder(cell: String) throws {
    let space = try catalog.space("nasbench201")
    let graph = try space.graph(space.genotype(id: cell))
    var other = graph
    for index in other.nodes.indices where other.nodes[index].op == "Add" {
      other.nodes[index].inputs.reverse()
    }
    #expect(other.nodes != graph.nodes)
    #expect(other.text == graph.text)
    #expect(other.canonical() == graph.canonical())
  }

  /// Units tell the same as the texts of whole networks, of cells and of chains.
  @Test func twinsAreFound() throws {
    func expectTexts(_ space: SearchSpace, _ ids: [String]) throws {
      let genotypes = try ids.map { try space.genotype(id: $0) }
      let texts = try genotypes.map { try space.graph($0).text }
      let groups = try space.sameNetworks(genotypes)
      #expect(groups.count == Set(texts).count && groups.count < ids.count)
      for group in groups { #expect(Set(group.map { texts[$0] }).count == 1) }
    }
    func choices(_ codes: [String], _ count: Int) -> [[String]] {
      (0..<count).reduce([[]]) { lists, _ in lists.flatMap { list in codes.map { list + [$0] } } }
    }
    try expectTexts(
      catalog.space("nasbench201"),
      choices(["none", "c3"], 6).map {
        "\($0[0])-\($0[1])_\($0[2])-\($0[3])_\($0[4])_\($0[5])"
      })
    let rest = Array(repeating: "-k3e1_k3e1_k3e1_k3e1", count: 4).joined() + "-k3e1"
    try expectTexts(
      catalog.space("fbnet"),
      choices(["skip", "k3e6"], 4).map { "k3e3-\($0.joined(separator: "_"))\(rest)" })
  }

  /// What the operands of tied operands, or parameters, are read by decides too.
  @Test func tiesAreBrokenByWhatReadsTheOperandsOperands() throws {
    func graph(isSwapped: Bool, sharesConstants: Bool = true) throws -> OperatorGraph {
      var builder = GraphBuilder()
      let input = builder.input([1, 4])
      let weights = [builder.weight("a", [4, 4]), builder.weight("b", [4, 4])]
      let products = try weights.map { try builder.add("MatMul", [input, $0]) }
      let half = builder.constant("half", scalar: 0.5)
      let pair = try products.map { try builder.add("Sub", [$0, half]) }
      let sum = try builder.add("Add", isSwapped ? pair.reversed() : pair)
      let scales = try builder.add("Mul", isSwapped ? weights.reversed() : weights)
      let product = try builder.add("MatMul", [sum, scales])
      builder.output(try builder.add("Concat", [product, products[1]], ["axis": 1]))
      var graph = builder.graph
      if !sharesConstants, case .node(let index, _) = pair[0] {
        graph.parameters.append(graph.parameters[2])
        graph.nodes[index].inputs[1] = .parameter(3)
      }
      return graph
    }
    let text = try graph(isSwapped: false).text
    #expect(try graph(isSwapped: true).text == text)
    #expect(try graph(isSwapped: true, sharesConstants: false).text == text)
    #expect(try graph(isSwapped: false, sharesConstants: false).text == text)
  }

  @Test func sumsOfManyOperandsHaveOneOrder() throws {
    func text(_ order: [Int]) throws -> String {
      var builder = GraphBuilder()
      let input = builder.input([1, 4])
      let values = try ["Relu", "Sigmoid", "Tanh"].map { try builder.add($0, [input]) }
      builder.output(try builder.add("Max", order.map { values[$0] }))
      return builder.graph.text
    }
    #expect(try text([0, 1, 2]) == text([2, 0, 1]))
    #expect(try text([0, 1, 2]) == text([1, 0, 2]))
  }

  @Test func onlyStandardOperatorsCommute() {
    func graph(_ domain: String, _ isSwapped: Bool) -> OperatorGraph {
      let operands: [ValueReference] = [.node(0), .input(0)]
      let type = TensorType([1, 4])
      return OperatorGraph(
        inputs: [GraphInput(name: "x", type: type)],
        nodes: [
          Node("Relu", inputs: [.input(0)], outputs: [type]),
          Node(
            "Add", domain: domain, inputs: isSwapped ? operands.reversed() : operands,
            outputs: [type]),
        ], outputs: [.node(1)], opsets: ["": 17, "mine": 1])
    }
    #expect(graph("", true).text == graph("", false).text)
    #expect(graph("mine", true).text != graph("mine", false).text)
    #expect(graph("", true).line(of: 1) == graph("", false).line(of: 1))
    // In old operator sets the second operand was stretched to the first.
    func stretched(_ isSwapped: Bool) -> String {
      var graph = graph("", isSwapped)
      graph.nodes[1].attributes["broadcast"] = 1
      return graph.text
    }
    #expect(stretched(true) != stretched(false))
  }

  /// Bundled tables are looked up by the text of a block.
  @Test(arguments: ["ofa-mobilenetv3", "ofa-mobilenetv3-cifar"])
  func bundledTablesHaveEveryBlock(name: String) throws {
    struct File: Decodable {
      struct Table: Decodable {
        struct Entry: Decodable {}
        var entries: [String: Entry]
      }
      var table: Table
    }
    let data = try Data(contentsOf: URL(fileURLWithPath: "datasets/\(name)-table.json"))
    let keys = Set(try JSONDecoder().decode(File.self, from: data).table.entries.keys)
    let blocks = try catalog.space(name).distinctBlocks()
    #expect(blocks.count == keys.count)
    #expect(blocks.allSatisfy { keys.contains($0.key) })
  }

  @Test func zerosOfBothSignsStayApart() throws {
    func graph(_ values: [Double]) throws -> OperatorGraph {
      var graph = OperatorGraph(inputs: [GraphInput(name: "x", type: TensorType([4]))])
      var value = ValueReference.input(0)
      for content in values {
        graph.parameters.append(
          Parameter(name: "c", type: TensorType([Int]()), constant: .floats([content])))
        graph.nodes.append(
          Node(
            "Sub", inputs: [value, .parameter(graph.parameters.count - 1)],
            outputs: [TensorType([4])]))
        value = .node(graph.nodes.count - 1)
      }
      graph.outputs = [value]
      return graph
    }
    let (mixed, plain) = (try graph([0, -0.0]), try graph([0, 0]))
    #expect(mixed.text != plain.text)
    #expect(try ArchitectureText.parse(mixed.text).text == mixed.text)
    #expect(mixed.canonical().parameters.count == 2)
    #expect(plain.canonical().parameters.count == 1)
  }

  @Test func versionsOfDomainsInSubgraphsAreKept() throws {
    func graph(_ version: Int) -> OperatorGraph {
      let type = TensorType([1])
      let branch = OperatorGraph(
        nodes: [Node("Made", domain: "mine", inputs: [.captured(0, type: type)], outputs: [type])],
        outputs: [.node(0)])
      return OperatorGraph(
        inputs: [GraphInput(name: "x", type: type)],
        nodes: [
          Node(
            "If", inputs: [.input(0)], outputs: [type],
            attributes: ["then_branch": .graph(branch), "else_branch": .graph(branch)],
            captures: [.input(0)])
        ], outputs: [.node(0)], opsets: ["": 17, "mine": version, "unused": 3])
    }
    #expect(graph(1).text != graph(2).text)
    #expect(graph(2).text.hasPrefix("opset \"mine\" 2\nInput1"))
    #expect(try ArchitectureText.parse(graph(2).text) == graph(2).canonical())
  }

  /// `RoiAlign` of 16 means something else than that of 13.
  @Test func operatorSetsAreToldApart() {
    func text(_ opset: Int) -> String {
      OperatorGraph(
        inputs: [
          GraphInput(name: "x", type: TensorType([1, 1, 4, 4])),
          GraphInput(name: "rois", type: TensorType([1, 4])),
          GraphInput(name: "batch", type: TensorType([1], .int64)),
        ],
        nodes: [
          Node(
            "RoiAlign", inputs: [.input(0), .input(1), .input(2)],
            outputs: [TensorType([1, 1, 1, 1])])
        ], outputs: [.node(0)], opsets: ["": opset]
      ).text
    }
    #expect(text(13) != text(16))
    #expect(text(13).hasPrefix("opset 13\n"))
    #expect(text(17).hasPrefix("Input1:"))
  }

  @Test func longConstantsAreDigests() throws {
    func graph(_ last: Int) -> OperatorGraph {
      let type = TensorType([1024], .int64)
      return OperatorGraph(
        inputs: [GraphInput(name: "x", type: type)],
        parameters: [
          Parameter(name: "c", type: type, constant: .ints(Array(1_000_000..<1_001_023) + [last]))
        ],
        nodes: [Node("Add", inputs: [.input(0), .parameter(0)], outputs: [type])],
        outputs: [.node(0)])
    }
    #expect(graph(1).text.utf8.count < 200)
    #expect(graph(1).text != graph(2).text)
    #expect(try ArchitectureText.parse(graph(1).text) == graph(1).canonical())
  }

  private func text(
    _ op: String, _ attributes: [String: Attribute], shape: [Int] = [1, 4, 8, 8], opset: Int = 17
  ) throws -> String {
    var node = Node(op, inputs: [.input(0)], attributes: attributes)
    let inputs = [GraphInput(name: "x", type: TensorType(shape))]
    node.outputs =
      try ShapeInference.outputs(
        of: node, in: OperatorGraph(inputs: inputs, nodes: [], outputs: [])) ?? [.unknown]
    return OperatorGraph(
      inputs: inputs, nodes: [node], outputs: [.node(0)], opsets: ["": opset]
    ).text
  }

  @Test func defaultsAreDropped() throws {
    let direction = Attribute.string("forward")
    for (op, stated) in [
      ("Softmax", ["axis": -1]), ("Softmax", ["axis": 3]), ("ReduceMax", ["keepdims": 1]),
      ("ArgMax", ["axis": 0, "keepdims": 1, "select_last_index": 0]),
      ("DepthToSpace", ["mode": .string("DCR")]), ("LSTM", ["direction": direction]),
      ("Resize", ["mode": .string("nearest"), "nearest_mode": .string("round_prefer_floor")]),
      ("TopK", ["axis": 3, "largest": 1, "sorted": 1]),
    ] as [(String, [String: Attribute])] {
      var plain: [String: Attribute] = [:]
      if op == "DepthToSpace" { plain["blocksize"] = 2 }
      #expect(
        try text(op, plain.merging(stated) { $1 }) == text(op, plain), "\(op) \(stated)")
    }
    // Before 13 the default was another one.
    #expect(try text("Softmax", ["axis": -1], opset: 11) != text("Softmax", [:], opset: 11))
    #expect(try text("Softmax", ["axis": 1], opset: 11) == text("Softmax", [:], opset: 11))
  }

  @Test func axesInConstantsCountFromTheFront() {
    func text(_ op: String, _ axes: [Int]) -> String {
      OperatorGraph(
        inputs: [GraphInput(name: "x", type: TensorType([1, 4, 1, 1]))],
        parameters: [
          Parameter(
            name: "axes", type: TensorType([axes.count], .int64), constant: .ints(axes))
        ],
        nodes: [
          Node(op, inputs: [.input(0), .parameter(0)], outputs: [.unknown])
        ], outputs: [.node(0)]
      ).text
    }
    #expect(text("Squeeze", [-1, -2]) == text("Squeeze", [2, 3]))
    #expect(text("Unsqueeze", [-1]) == text("Unsqueeze", [4]))
    #expect(text("Squeeze", [-1]) != text("Squeeze", [2]))
  }

  @Test func axesCountFromTheFront() throws {
    #expect(try text("Softmax", ["axis": -3]) == text("Softmax", ["axis": 1]))
    #expect(
      try text("ReduceMean", ["axes": .ints([-1, -2])])
        == text("ReduceMean", ["axes": .ints([2, 3])]))
    #expect(try text("Softmax", ["axis": -3]) != text("Softmax", ["axis": 2]))
  }
}
