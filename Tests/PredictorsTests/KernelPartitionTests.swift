import Architectures
import Testing

@testable import Predictors

struct KernelPartitionTests {
  /// Rules of a runtime that folds normalisations and takes additions and activations along.
  static let rules: FusionRules = {
    var rules = FusionRules()
    for conv in ["Conv", "PointwiseConv", "DepthwiseConv", "GroupedConv"] {
      for op in ["BatchNormalization", "Relu", "Clip", "Add"] { rules.insert(conv, op) }
      rules.insert("\(conv)+Add", "Relu")
    }
    return rules
  }()

  func chains(_ graph: OperatorGraph, _ rules: FusionRules = rules) -> [String] {
    KernelPartition(graph, rules: rules).kernels.map(\.chain)
  }

  @Test func aResidualBlockIsTwoKernels() throws {
    var net = NetworkSketch([16, 8, 8])
    let input = net.value
    try net.convolution(16, kernel: 3)
    try net.convolution(16, kernel: 3, .none)
    try net.add(input)
    try net.activate(.relu)
    #expect(chains(net.graph()) == ["Conv+Relu", "Conv+Add+Relu"])
    #expect(
      chains(net.graph(), FusionRules()) == [
        "Conv", "BatchNormalization", "Relu", "Conv", "BatchNormalization", "Add", "Relu",
      ])
  }

  /// A result that two operators read has to be written: nothing joins it.
  @Test func whatIsReadTwiceIsNotFused() throws {
    var net = NetworkSketch([16, 8, 8])
    try net.convolution(16, norm: false, .none)
    let read = net.value
    try net.activate(.relu)
    try net.add(read)
    #expect(chains(net.graph()) == ["PointwiseConv", "Relu", "Add"])
  }

  /// x * sigmoid(x) is one operator, whichever operand is the gate.
  @Test(arguments: [false, true]) func spelledOutSwishIsOneOperator(isSwapped: Bool) throws {
    var builder = GraphBuilder()
    let value = try builder.convolution(builder.input([1, 8, 4, 4]), out: 8)
    let gate = try builder.add("Sigmoid", [value])
    builder.output(try builder.add("Mul", isSwapped ? [gate, value] : [value, gate]))
    #expect(chains(builder.graph) == ["PointwiseConv", "Swish"])
    var rules = Self.rules
    rules.insert("PointwiseConv", "Swish")
    #expect(chains(builder.graph, rules) == ["PointwiseConv+Swish"])
    let kernel = KernelPartition(builder.graph, rules: rules).kernels[0]
    #expect(kernel.inputBytes == 512 && kernel.outputBytes == 512)
  }

  /// Every operator is in exactly one kernel, and no multiply-accumulate or weight is lost, in
  /// every family and in probes, fused or not.
  @Test func kernelsCoverTheNetwork() throws {
    var graphs = try NetworkFamily.allCases.map { try $0.network(1) }
    graphs += try (0..<60).map { try ProbeNetworks(seed: 3).network($0) }
    for (number, graph) in graphs.enumerated() {
      for rules in [Self.rules, FusionRules()] {
        let kernels = KernelPartition(graph, rules: rules, batch: 2).kernels
        #expect(
          kernels.flatMap(\.nodes).sorted() == Array(graph.nodes.indices), "network \(number)")
        let cost = graph.cost
        #expect(kernels.reduce(0) { $0 + $1.macs } == 2 * Double(cost.macs))
        #expect(kernels.reduce(0) { $0 + $1.weightBytes } == Double(cost.weightBytes))
        #expect(!kernels.contains { $0.kind == .other }, "network \(number)")
        for kernel in kernels {
          let features = KernelFeatures.vector(kernel)
          #expect(features.count == KernelFeatures.names.count)
          #expect(features.allSatisfy { $0.isFinite })
          #expect(KernelFeatures.terms(kernel).allSatisfy { $0 >= 0 && $0.isFinite })
        }
      }
    }
  }

  /// An axis of unknown length counts as one, here as in costs.
  @Test func aDynamicBatchGivesTheSameKernels() throws {
    let fixed = try NetworkFamily.mobilenetv2.network(0)
    var dynamic = fixed
    dynamic.inputs[0].type.shape?[0] = .symbolic("N")
    for node in dynamic.nodes.indices where !dynamic.nodes[node].outputs[0].shape!.isEmpty {
      dynamic.nodes[node].outputs[0].shape?[0] = .symbolic("N")
    }
    func described(_ graph: OperatorGraph) -> [String] {
      KernelPartition(graph, rules: Self.rules, batch: 2).kernels.map { "\($0)" }
    }
    #expect(described(dynamic) == described(fixed))
  }

  /// A device whose fused pairs are known is found out by its timings alone.
  @Test func fusionIsFoundByTiming() throws {
    let truth = Self.rules
    var asked = 0
    var test = FusionTest { graph in
      asked += 1
      // One millisecond a kernel, a little more the larger it is.
      return Milliseconds(
        KernelPartition(graph, rules: truth).kernels.reduce(0) { $0 + 1 + $1.macs * 1e-9 })
    }
    let found = try test.rules()
    for conv in ["Conv", "PointwiseConv", "DepthwiseConv", "GroupedConv"] {
      #expect(found.joins[conv] == ["BatchNormalization", "Relu", "Clip", "Add"])
      #expect(found.joins["\(conv)+Add"] == ["Relu"])
    }
    #expect(found.joins["Add"] == nil && found.joins["MaxPool"] == nil)
    #expect(asked < 250)
  }

  @Test func probesAreReproducibleAndBounded() throws {
    let probes = ProbeNetworks(seed: 7)
    var texts = Set<String>()
    for number in 0..<80 {
      let graph = try probes.network(number)
      let text = NetworkID.text(graph)
      #expect(try NetworkID.text(ProbeNetworks(seed: 7).network(number)) == text)
      #expect(try #require(try NetworkID.free(text)).text == graph.text)
      #expect(graph.cost.macs <= ProbeNetworks.maxMACs)
      texts.insert(text)
    }
    #expect(texts.count > 75)
    #expect(
      try NetworkID.text(ProbeNetworks(seed: 8).network(3)) != NetworkID.text(probes.network(3)))
  }

  @Test func familiesAreWhatTheyAreCalled() throws {
    // MACs and parameters of the published networks; VGG and DenseNet are smaller ones here.
    let resnet = try NetworkFamily.resnet50.network(0).cost
    #expect(resnet.parameters == 25_557_032)
    #expect(try NetworkFamily.resnet18.network(0).cost.parameters == 11_689_512)
    #expect(try NetworkFamily.mobilenetv1.network(0).cost.parameters == 4_231_976)
    #expect(try NetworkFamily.mobilenetv2.network(0).cost.parameters == 3_504_872)
    #expect(try NetworkFamily.squeezenet.network(0).cost.parameters == 1_235_496)
    #expect(try NetworkFamily.shufflenet.network(0).cost.parameters == 2_278_604)
    #expect(throws: PredictorsError.self) { try NetworkFamily.graph(id: "family:lenet-1") }
    #expect(throws: PredictorsError.self) { try NetworkFamily.graph(id: "family:vgg-x") }
  }
}
