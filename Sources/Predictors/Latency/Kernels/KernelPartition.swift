public import Architectures

/// Splits a network into the kernels that a device computes.
public struct KernelPartition: Sendable {
  /// In the order of their last operators.
  public let kernels: [Kernel]

  /// - Parameters:
  ///   - batch: images at once; the graph's own first axis is taken as one image.
  ///   - isInputBlocked: whether the input comes in a blocked layout, as in the middle of a network.
  public init(
    _ graph: OperatorGraph, rules: FusionRules, batch: Int = 1, isInputBlocked: Bool = false
  ) {
    var partitioner = Partitioner(
      graph: graph, rules: rules, batch: Double(batch), isInputBlocked: isInputBlocked)
    kernels = partitioner.kernels()
  }
}

private struct Partitioner {
  let graph: OperatorGraph
  let rules: FusionRules
  let batch: Double
  let isInputBlocked: Bool
  /// Readers of each node's results, outputs of the graph among them.
  private var readers: [Int]
  private var isOutput: [Bool]
  /// The gates of `x * gate(x)`, which count as one operator with the product.
  private var gates: [Int: Int] = [:]
  private var names: [String] = []

  init(graph: OperatorGraph, rules: FusionRules, batch: Double, isInputBlocked: Bool) {
    self.graph = graph
    self.rules = rules
    self.batch = batch
    self.isInputBlocked = isInputBlocked
    readers = [Int](repeating: 0, count: graph.nodes.count)
    isOutput = [Bool](repeating: false, count: graph.nodes.count)
    for node in graph.nodes {
      for case .node(let index, _)? in node.inputs { readers[index] += 1 }
    }
    for case .node(let index, _) in graph.outputs {
      readers[index] += 1
      isOutput[index] = true
    }
    names = graph.nodes.map { Self.name($0, graph) }
    findGates()
  }

  mutating func kernels() -> [Kernel] {
    let absorbed = Set(gates.values)
    var chains: [(chain: String, nodes: [Int])] = []
    var owner = [Int](repeating: -1, count: graph.nodes.count)
    for index in graph.nodes.indices where !absorbed.contains(index) {
      let members = [gates[index], index].compactMap { $0 }
      let host = producers(of: index).filter { producer in
        owner[producer] >= 0 && chains[owner[producer]].nodes.last == producer
          && readers[producer] == (gates[index] == nil ? 1 : 2)
          && rules.fuses(chains[owner[producer]].chain, names[index])
      }.max()
      let chain: Int
      if let host {
        chain = owner[host]
        chains[chain].chain = FusionRules.chain(chains[chain].chain, names[index])
        chains[chain].nodes += members
      } else {
        chain = chains.count
        chains.append((names[index], members))
      }
      for member in members { owner[member] = chain }
    }
    return describe(chains, owner)
  }

  /// Finds swish and hard swish that are spelled out.
  private mutating func findGates() {
    for (index, node) in graph.nodes.enumerated() where node.op == "Mul" && node.inputs.count == 2 {
      for (gate, value) in [(node.inputs[1], node.inputs[0]), (node.inputs[0], node.inputs[1])] {
        guard case .node(let position, _)? = gate, readers[position] == 1,
          ["Sigmoid", "HardSigmoid"].contains(graph.nodes[position].op),
          graph.nodes[position].inputs.first == value
        else { continue }
        gates[index] = position
        names[index] = graph.nodes[position].op == "Sigmoid" ? "Swish" : "HardSwish"
        break
      }
    }
  }

  private static func name(_ node: Node, _ graph: OperatorGraph) -> String {
    switch KernelKind(node, in: graph) {
    case .depthwise: "DepthwiseConv"
    case .grouped: "GroupedConv"
    case .pointwise: "PointwiseConv"
    default: node.op
    }
  }

  private func producers(of index: Int) -> [Int] {
    graph.nodes[index].inputs.compactMap {
      if case .node(let producer, _)? = $0 { return producer }
      return nil
    }
  }

  private func describe(_ chains: [(chain: String, nodes: [Int])], _ owner: [Int]) -> [Kernel] {
    let costs = GraphCost(graph)
    let kinds = chains.map { chain in
      kind(chain.nodes[0] == gates[chain.nodes.last!] ? chain.nodes.last! : chain.nodes[0])
    }
    var kernels = chains.enumerated().map { index, chain in
      kernel(index, chain, kinds: kinds, owner: owner, costs: costs)
    }
    for index in kernels.indices {
      kernels[index].writesOutput = chains[index].nodes.contains { isOutput[$0] }
    }
    KernelLayout.mark(
      &kernels, operands: operands(chains, owner), isOutsideBlocked: isInputBlocked)
    let weights = Double(costs.total.weightBytes)
    let activations = Double(costs.total.activationBytes) * batch
    for index in kernels.indices {
      kernels[index].networkWeightBytes = weights
      kernels[index].networkActivationBytes = activations
    }
    return kernels
  }

  /// What each kernel reads: a kernel's result, or nothing where it comes from outside.
  private func operands(_ chains: [(chain: String, nodes: [Int])], _ owner: [Int])
    -> [[(kernel: Int?, bytes: Double)]]
  {
    chains.enumerated().map { index, chain in
      var operands: [(kernel: Int?, bytes: Double)] = []
      for member in chain.nodes {
        for input in graph.nodes[member].inputs.compactMap({ $0 }) {
          switch input {
          case .input: operands.append((nil, bytes(input)))
          case .node(let producer, _) where owner[producer] != index:
            operands.append((owner[producer], bytes(input)))
          default: continue
          }
        }
      }
      return operands
    }
  }

  private func kind(_ index: Int) -> KernelKind {
    gates[index] == nil ? KernelKind(graph.nodes[index], in: graph) : .activation
  }

  private func kernel(
    _ index: Int, _ chain: (chain: String, nodes: [Int]), kinds: [KernelKind], owner: [Int],
    costs: GraphCost
  ) -> Kernel {
    var kernel = Kernel(kind: kinds[index], chain: chain.chain, nodes: chain.nodes)
    let names = chain.chain.split(separator: "+").map(String.init)
    kernel.op = names[0]
    kernel.activation = names.dropFirst().last { $0 != "Add" } ?? ""
    kernel.fusesAddition = names.dropFirst().contains("Add")
    for (position, member) in chain.nodes.enumerated() {
      let cost = costs.operators[member]
      kernel.macs += Double(cost.macs) * batch
      kernel.weightBytes += Double(cost.weightBytes)
      var seen = Set<ValueReference>()
      for input in graph.nodes[member].inputs.compactMap({ $0 }) where seen.insert(input).inserted {
        switch input {
        case .parameter, .captured: continue
        case .input:
          kernel.readsInput = true
          kernel.inputBytes += bytes(input)
        case .node(let producer, _):
          guard owner[producer] != index else { continue }
          if position > 0, gates[member] == chain.nodes[position - 1] { continue }
          kernel.inputBytes += bytes(input)
        }
      }
    }
    shape(&kernel, first: chain.nodes[0], last: chain.nodes.last!)
    return kernel
  }

  private func shape(_ kernel: inout Kernel, first: Int, last: Int) {
    let node = graph.nodes[first]
    let input = node.inputs.first.flatMap { $0 }.map { axes(graph.type(of: $0)) } ?? []
    let output = graph.nodes[last].outputs.first.map(axes) ?? []
    kernel.outputBytes = graph.nodes[last].outputs.reduce(0) { $0 + bytes($1) }
    kernel.inputChannels = Double(input.dropFirst().first ?? 1)
    kernel.outputChannels = Double(output.dropFirst().first ?? 1)
    kernel.pixels = output.dropFirst(2).reduce(batch) { $0 * Double($1) }
    kernel.width = Double(output.count > 2 ? output.last! : 1)
    if kernel.kind == .globalPool {
      kernel.pixels = input.dropFirst(2).reduce(batch) { $0 * Double($1) }
    }
    let attributes = node.attributes
    kernel.kernel = Double(attributes.ints("kernel_shape")?.max() ?? 1)
    kernel.stride = Double(attributes.ints("strides")?.max() ?? 1)
    kernel.groups = Double(attributes.int("group") ?? 1)
  }

  private func bytes(_ reference: ValueReference) -> Double { bytes(graph.type(of: reference)) }

  private func bytes(_ type: TensorType) -> Double {
    axes(type).reduce(batch * Double(type.elementType.byteCount ?? 0)) { $0 * Double($1) }
  }

  /// Lengths of a value's axes; an unknown one, such as a dynamic batch, counts as one.
  private func axes(_ type: TensorType) -> [Int] { (type.shape ?? []).map { $0.value ?? 1 } }
}
