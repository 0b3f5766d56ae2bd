import Architectures
import Predictors
import Testing

struct NetworkIDTests {
  /// On one line, with strings that hold what separates lines, and operator sets before the inputs.
  @Test func textsOnOneLineAreIDs() throws {
    let type = TensorType([4])
    let graph = OperatorGraph(
      inputs: [GraphInput(name: "x", type: type)],
      nodes: [
        Node(
          "Made", domain: "mine", inputs: [.input(0)], outputs: [type],
          attributes: ["how": .string("a; b")])
      ], outputs: [.node(0)], opsets: ["": 13, "mine": 2])
    let id = NetworkID.text(graph)
    #expect(id.hasPrefix("opset 13; "))
    #expect(try NetworkID.free(id) == graph.canonical())
    #expect(try NetworkID.free("fbnet:skip") == nil)
  }
}
