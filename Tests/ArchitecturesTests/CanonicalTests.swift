import Testing

@testable import Architectures

/// What must not matter to a network's text: names, the order of independent nodes and of
/// parameters, and attributes that state a default.
struct CanonicalTests {
  @Test(arguments: catalog.names)
  func orderAndNamesDoNotMatter(name: String) throws {
    let space = try catalog.space(name)
    for seed in 0..<25 {
      var generator = SeededGenerator(seed: UInt64(seed), stream: "canonical \(name)")
      let graph = try space.graph(space.sample(using: &generator))
      let other = shuffled(graph, using: &generator)
      // A chain has one order only; cells have many.
      if name == "nasbench201", graph.nodes.count > 150 {
        #expect(other.nodes.map(\.op) != graph.nodes.map(\.op))
      }
      #expect(other.text == graph.text, "seed \(seed)")
      #expect(other.canonical() == graph.canonical(), "seed \(seed)")
    }
  }

  @Test func defaultsAndAutomaticPaddingDoNotMatter() throws {
    var builder = GraphBuilder()
    let input = builder.input([1, 3, 8, 8])
    let weight = builder.weight("w", [4, 3, 3, 3])
    let plain = try builder.add("Conv", [input, weight], ["pads": .ints([1, 1, 1, 1])])
    builder.output(plain)
    var wordy = GraphBuilder()
    let other = wordy.input([1, 3, 8, 8], name: "x")
    let result = try wordy.add(
      "Conv", [other, wordy.weight("v", [4, 3, 3, 3])],
      [
        "auto_pad": .string("SAME_UPPER"), "group": 1, "dilations": .ints([1, 1]),
        "strides": .ints([1, 1]), "kernel_shape": .ints([3, 3]),
      ])
    wordy.output(result)
    #expect(builder.graph.text == wordy.graph.text)
  }

  @Test func whatDiffersStaysDifferent() throws {
    func text(_ groups: Int, _ alpha: Float) throws -> String {
      var builder = GraphBuilder()
      let value = try builder.convolution(builder.input([1, 4, 8, 8]), out: 4, groups: groups)
      builder.output(try builder.add("LeakyRelu", [value], ["alpha": .float(alpha)]))
      return builder.graph.text
    }
    #expect(
      Set([try text(1, 0.1), try text(2, 0.1), try text(1, 0.2), try text(1, 0.01)]).count == 4)
  }

  @Test(arguments: [
    ("Conv(Input1)", "line 1, column 12"),
    ("Input1:1x3\nRelu(Value1) --> Out1:1x3", "named before"),
    ("Input1:1x3\nRelu(Input1)(a=1,a=2) --> Out1:1x3", "each attribute once"),
    ("Input1:1x3\nRelu(Input1) --> ", "line 2, column 13: expected ' --> '"),
    ("Input2:1x3", "Input1"),
    ("Input1:1x-3", "line 1, column 10: expected an axis of length 0 or more"),
    ("Input1:1x3\nMatMul(Input1, Param[3,-1]) --> Out1:1x1", "an axis of length 0 or more"),
    (String(repeating: "Input1:1\nIf(Input1)(b={", count: 100), "nested"),
    ("Input1:1x3\nRelu(Input1) --> Out1:1x3, Out1:1x3", "a new name"),
  ])
  func wrongTextsAreNamedByPlace(text: String, message: String) {
    let error = #expect(throws: ArchitecturesError.self) { try ArchitectureText.parse(text) }
    #expect(error?.code == .invalidText)
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  /// Damaged texts are refused or read, never a crash.
  @Test func damagedTextsNeverCrash() throws {
    let space = try catalog.space("ofa-mobilenetv3")
    var generator = SeededGenerator(seed: 5)
    let text = Array(try space.graph(space.sample(using: &generator)).text.utf8)
    var refused = 0
    for _ in 0..<3000 {
      var damaged = text
      for _ in 0...generator.next(below: 3) {
        let at = generator.next(below: damaged.count)
        switch generator.next(below: 3) {
        case 0: damaged[at] = UInt8(generator.next(below: 128))
        case 1: damaged.removeSubrange(at..<min(damaged.count, at + generator.next(below: 40)))
        default: damaged.insert(contentsOf: damaged[at..<min(damaged.count, at + 9)], at: at)
        }
      }
      do {
        let graph = try ArchitectureText.parse(String(decoding: damaged, as: UTF8.self))
        _ = graph.cost
        _ = graph.text
      } catch { refused += 1 }
    }
    #expect(refused > 1000)
  }

  /// The same network with nodes in another topological order, parameters in another order,
  /// other names, and operands of sums swapped.
  private func shuffled(_ graph: OperatorGraph, using generator: inout SeededGenerator)
    -> OperatorGraph
  {
    var waiting = graph.nodes.map { node in
      Set(
        node.inputs.compactMap { input -> Int? in
          if case .node(let index, _)? = input { return index }
          return nil
        })
    }
    var order: [Int] = []
    var ready = waiting.indices.filter { waiting[$0].isEmpty }
    while !ready.isEmpty {
      let next = ready.remove(at: generator.next(below: ready.count))
      order.append(next)
      for index in waiting.indices where waiting[index].remove(next) != nil {
        if waiting[index].isEmpty { ready.append(index) }
      }
    }
    var position = [Int](repeating: 0, count: order.count)
    for (new, old) in order.enumerated() { position[old] = new }
    let count = graph.parameters.count
    func map(_ reference: ValueReference) -> ValueReference {
      switch reference {
      case .node(let index, let output): .node(position[index], output: output)
      case .parameter(let index): .parameter(count - 1 - index)
      default: reference
      }
    }
    var result = graph
    result.parameters = graph.parameters.reversed().enumerated().map { index, parameter in
      var parameter = parameter
      parameter.name = Label("p\(index)")
      return parameter
    }
    result.nodes = order.map { old in
      var node = graph.nodes[old]
      node.name = Label("n\(old)")
      node.inputs = node.inputs.map { $0.map(map) }
      if node.op == "Add" { node.inputs.swapAt(0, 1) }
      return node
    }
    result.outputs = graph.outputs.map(map)
    return result
  }
}
