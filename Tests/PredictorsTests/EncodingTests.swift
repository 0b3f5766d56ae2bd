import Architectures
import ONNXFormat
import Tensors
import Testing

@testable import Predictors

@Suite struct EncodingTests {
  static let spaces = [
    "nasbench201", "fbnet", "fbnet-cifar100", "ofa-mobilenetv3", "ofa-resnet50", "proxylessnas",
  ]

  /// One network, four ways: units of a space, graph, text, ONNX file.
  @Test(arguments: spaces) func sameNetworkSameEncoding(name: String) throws {
    let space = try catalog.space(name)
    let encoder = ArchitectureEncoder()
    let fast = SpaceEncoder(space, encoder: ArchitectureEncoder())
    let sample = genotypes(6, of: space, seed: 3)
    let matrix = try fast.encode(sample, engine: Engine(threads: 2))
    for (index, genotype) in sample.enumerated() {
      let graph = try space.graph(genotype)
      let encoding = encoder.encode(graph)
      let row = index * ArchitectureEncoding.count
      let unitsAgree =
        Array(matrix[row..<row + ArchitectureEncoding.count]) == encoding.values
      #expect(unitsAgree)
      let textAgrees = try encoder.encode(text: graph.text) == encoding
      #expect(textAgrees)
      let file = try ONNXFile.encode(graph, weights: HeInitialization(seed: 1))
      let fileAgrees = try encoder.encode(ONNXFile.decode(file).graph) == encoding
      #expect(fileAgrees)
      #expect(abs(encoding.total(1, dead: true) * 0x1p20 - Double(graph.cost.macs)) < 0.5)
    }
  }

  /// Genotypes whose network ignores its input have no live operator, in every way.
  @Test func disconnectedCells() throws {
    let space = try catalog.space("nasbench201")
    let genotype = try space.genotype(id: "nasbench201:c3-none_c3-none_none_none")
    let encoding = ArchitectureEncoder().encode(try space.graph(genotype))
    #expect(encoding.total(0) == 0)
    #expect(encoding.total(0, dead: true) > 0)
    let unitsAgree = try SpaceEncoder(space).encode(genotype) == encoding
    #expect(unitsAgree)
    let alive = try space.genotype(id: "nasbench201:c3-none_c3-skip_none_none")
    let live = try SpaceEncoder(space).encode(alive)
    #expect(live.total(0) > 0)
    // The edge into node 2 leads nowhere.
    #expect(live.total(1, dead: true) > live.total(1))
  }

  @Test func attributesReachTheEncoding() throws {
    func network(kernel: Int = 3, stride: Int = 1, groups: Int = 1, _ op: String) throws
      -> ArchitectureEncoding
    {
      var builder = GraphBuilder()
      let input = builder.input([1, 8, 16, 16])
      let value = try builder.convolution(
        input, out: 8, kernel: kernel, stride: stride, groups: groups)
      builder.output(try builder.add(op, [value]))
      return ArchitectureEncoder().encode(builder.graph)
    }
    let variants = try [
      network("Relu"), network("Sigmoid"), network(kernel: 5, "Relu"), network(stride: 2, "Relu"),
      network(groups: 2, "Relu"), network(groups: 8, "Relu"),
    ]
    #expect(Set(variants.map { "\($0.values)" }).count == variants.count)
    #expect(variants[5].total(0, of: [.depthwise]) == 1)
    #expect(variants[4].total(0, of: [.grouped]) == 1)
  }

  @Test func topologyOfBranches() throws {
    var builder = GraphBuilder()
    let input = builder.input([1, 8, 16, 16])
    let a = try builder.convolution(input, out: 8, kernel: 3)
    let b = try builder.convolution(a, out: 8, kernel: 5)
    let c = try builder.convolution(a, out: 8)
    _ = try builder.convolution(a, out: 4)
    builder.output(try builder.add("Add", [try builder.add("Add", [b, c]), a]))
    let encoding = ArchitectureEncoder().encode(builder.graph)
    let topology = Dictionary(
      uniqueKeysWithValues: zip(
        Topology.names, encoding.values[ArchitectureEncoding.topology]))
    #expect(topology["operators"] == 5)
    #expect(topology["dead operators"] == 1)
    #expect(topology["joins"] == 2)
    #expect(topology["branches"] == 1)
    #expect(topology["longest path"] == 2)
    #expect(topology["shortest path"] == 1)
    #expect(topology["longest path reach"] == 6)
  }

  @Test func smallCachesOnlyCostTime() throws {
    let space = try catalog.space("ofa-mobilenetv3")
    let small = ArchitectureEncoder(capacity: 5)
    let large = ArchitectureEncoder()
    for genotype in genotypes(10, of: space, seed: 9) {
      let graph = try space.graph(genotype)
      let agrees = small.encode(graph) == large.encode(graph)
      #expect(agrees)
    }
    #expect(small.cached.lines <= 5)
  }
}
