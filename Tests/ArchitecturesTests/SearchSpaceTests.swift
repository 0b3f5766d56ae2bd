import Testing

@testable import Architectures

/// What every space must hold, whoever wrote it.
struct SearchSpaceTests {
  static let names = catalog.names

  @Test func bundledSpacesAreThere() {
    #expect(
      Set(Self.names).isSuperset(of: [
        "fbnet", "nasbench201", "ofa-mobilenetv3", "ofa-mobilenetv3-w1.2", "ofa-proxylessnas",
        "ofa-resnet50", "proxylessnas",
      ]))
  }

  @Test(arguments: names)
  func idsRoundTripAndTextsAreLossless(name: String) throws {
    let space = try catalog.space(name)
    for seed in 0..<60 {
      var generator = SeededGenerator(seed: UInt64(seed), stream: name)
      let genotype = space.sample(using: &generator)
      let canonical = space.canonical(genotype)
      let id = space.id(genotype)
      #expect(try space.genotype(id: id) == canonical, "seed \(seed)")
      #expect(space.canonical(canonical) == canonical)
      let graph = try space.graph(genotype)
      let text = graph.text
      // Genes without effect build the same network.
      #expect(try space.graph(canonical).text == text, "seed \(seed)")
      let parsed = try ArchitectureText.parse(text)
      #expect(parsed == graph.canonical(), "seed \(seed)")
      #expect(parsed.text == text, "seed \(seed)")
      #expect(parsed.cost == graph.cost, "seed \(seed)")
    }
  }

  @Test(arguments: names)
  func differentIDsAreDifferentGenotypes(name: String) throws {
    let space = try catalog.space(name)
    var generator = SeededGenerator(seed: 1)
    var byID: [String: Genotype] = [:]
    for _ in 0..<500 {
      let genotype = space.canonical(space.sample(using: &generator))
      let id = space.id(genotype)
      #expect(byID[id, default: genotype] == genotype)
      byID[id] = genotype
    }
  }

  @Test(arguments: names)
  func separableCostsEqualTheGraphs(name: String) throws {
    let space = try catalog.space(name)
    for cost in [StaticCost.macs, .parameters, .weightBytes] {
      let table = try cost.table(for: space)
      #expect(table.missing.isEmpty)
      var generator = SeededGenerator(seed: 3, stream: name)
      for _ in 0..<40 {
        let genotype = space.sample(using: &generator)
        #expect(Int(table(genotype)) == cost.value(try space.graph(genotype).cost))
      }
    }
  }

  /// Pools, norms and identities stand only where they can keep or make the shape.
  @Test func separableCostsEqualTheGraphsWithAnyOperations() throws {
    let space = try SearchSpace(
      yaml: """
        schema: 1
        name: mixed
        resolution: [24, 32]
        classes: 10
        layers:
          - conv: {name: stem, out: 16, kernel: 3, width: [0.5, 1]}
          - stage:
              depth: [0, 1, 2]
              choice: &operations
                - {id: skip, identity: }
                - {id: none, zero: }
                - {id: norm, norm: {activation: relu}}
                - {id: max, max_pool: {kernel: 3}}
                - {id: avg, avg_pool: {kernel: 5}}
                - {id: c3, conv: {kernel: 3}}
                - {id: e6, mbconv: {kernel: 5, expand: 6}}
          - stage: {depth: [1, 2], out: 32, stride: 2, choice: *operations}
          - stage: {depth: [1, 2], out: 48, width: [0.5, 1], choice: *operations}
          - stage: {depth: 2, stride: 2, choice: *operations}
          - stage: {depth: 1, stride: 2, block: {max_pool: {kernel: 3}}}
          - conv: {name: head, out: 64}
          - global_pool:
          - linear: {name: classifier}
        """)
    #expect(
      space.genes.filter { $0.role == .operation }.map(\.count)
        == [7, 7, 2, 7, 2, 7, 4, 7])
    for cost in [StaticCost.macs, .parameters, .weightBytes] {
      let table = try cost.table(for: space)
      var generator = SeededGenerator(seed: 4)
      for _ in 0..<200 {
        let genotype = space.sample(using: &generator)
        let id = space.id(genotype)
        #expect(Int(table(genotype)) == cost.value(try space.graph(genotype).cost), "\(id)")
        #expect(try space.genotype(id: id) == space.canonical(genotype), "\(id)")
      }
    }
  }

  @Test(arguments: [
    ("ofa-mobilenetv3", "r128-k3e3", "ofa-mobilenetv3 has 6 parts joined by '-', got 2"),
    (
      "ofa-mobilenetv3", "r130-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3",
      "'r130' is no choice of resolution"
    ),
    (
      "ofa-mobilenetv3", "r128-k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3",
      "part 2 has 1 blocks; possible: 2, 3, 4"
    ),
    ("nasbench201", "fbnet:skip", "belongs to the space 'fbnet'"),
    ("nasbench201", "c1-c1_c1-c1_c1_c9", "'c9' is no choice of node3.from2.operation"),
    ("nasbench201", "c1-c1_c1-c1_c1_c11", "'1' is left over in part 3"),
  ])
  func wrongIDsAreNamed(name: String, id: String, message: String) throws {
    let space = try catalog.space(name)
    let error = #expect(throws: ArchitecturesError.self) { try space.genotype(id: id) }
    #expect(error?.code == .invalidArchitecture)
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test func aSingleArchitectureHasAnID() throws {
    let space = try SearchSpace(
      yaml: "schema: 1\nname: one\nresolution: 8\nlayers:\n  - conv: {name: a, out: 8}\n")
    let only = Genotype([])
    #expect(space.id(only) == "one:")
    #expect(try space.genotype(id: "one:") == only)
    let error = #expect(throws: ArchitecturesError.self) { try space.genotype(id: "one:c3") }
    #expect(error?.message.contains("one has 0 parts") == true)
  }

  @Test func countsAreExact() throws {
    // 25 resolutions, five stages of two to four blocks with nine choices each.
    let stage: UInt128 = 81 + 729 + 6561
    #expect(
      try catalog.space("ofa-mobilenetv3").architectureCount == 25 * stage * stage * stage * stage
        * stage)
    // Nine operations at 22 positions.
    var fbnet: UInt128 = 1
    for _ in 0..<22 { fbnet *= 9 }
    #expect(try catalog.space("fbnet").architectureCount == fbnet)
  }

  /// SESR's block: 3x3 to 256 channels, pointwise back, the operand added, then the activation.
  @Test func linearBlocksExpandAndComeBack() throws {
    let space = try SearchSpace(
      yaml: """
        schema: 1
        name: x
        resolution: 8
        input_channels: 16
        layers:
          - linear_block: {name: a, out: 16, expand: [4, 16], norm: false, activation: relu}
          - linear_block: {name: b, out: 24, expand: 2, stride: 2}
        """)
    let graph = try space.graph(space.genotype(id: "x:e16"))
    #expect(
      graph.nodes.map(\.op) == [
        "Conv", "Conv", "Add", "Relu", "Conv", "BatchNormalization", "Conv", "BatchNormalization",
      ])
    #expect(
      graph.parameters.prefix(2).map(\.type) == [
        TensorType([256, 16, 3, 3]), TensorType([16, 256, 1, 1]),
      ])
    let first = 64 * (9 * 16 * 256 + 256 * 16)
    #expect(graph.cost.macs == first + 16 * (9 * 16 * 32 + 32 * 24))
  }

  @Test(arguments: [
    ("kernal: 3", "space.yaml:5: unknown key 'kernal' in conv; did you mean 'kernel'?"),
    ("kernel: [3, x]", "space.yaml:5: kernel: must be numbers"),
    ("activation: gelo", "space.yaml:5: activation: must be one of"),
    ("out: 9, out: 8", "space.yaml:5: key 'out' stands twice"),
    ("kernel: 2", "space.yaml:5: kernel: must be odd whole numbers in 1...63"),
    ("width: [1, 1e300]", "space.yaml:5: width: must be in 0.001...64.0"),
    ("width: [1, 0]", "space.yaml:5: width: must be in 0.001...64.0"),
    ("width: [1, 1e-5]", "space.yaml:5: width: must be in 0.001...64.0"),
    ("out: 8, groups: 2", "space.yaml: a.conv: 3 channels can't be split into 2 groups"),
  ])
  func mistakesAreNamedByFileLineAndKey(text: String, message: String) {
    let yaml = """
      schema: 1
      name: x
      resolution: 32
      layers:
        - conv: {name: a, \(text)\(text.contains("out") ? "" : ", out: 8")}
      """
    let error = #expect(throws: ArchitecturesError.self) { try SearchSpace(yaml: yaml) }
    #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
  }

  /// Layers that say what can't be, or what would have no effect.
  @Test(arguments: [
    ("stage: {depth: 2, out: 8, block: {conv: {stride: 2}}}", "stride: has no effect here"),
    ("stage: {depth: 2, out: 8, block: {conv: {out: 9}}}", "out: has no effect here"),
    (
      "stage: {depth: 2, out: 8, choice: [{id: a, mbconv: {name: b}}, {id: c, conv: {}}]}",
      "name: has no effect here"
    ),
    ("stage: {depth: 2, width: [1, 2], block: {conv: {}}}", "width: multiplies 'out'"),
    (
      "stage: {depth: [1, 2], out: 8, stride: 2, choice: [{id: a, identity: }, {id: b, zero: }]}",
      "space.yaml: 'blocks.0': none of the stage's blocks can change the shape "
        + "(channels 3 to 8, stride 2)"
    ),
    ("stage: {depth: 1, out: 8, block: {identity: }}", "none of the stage's blocks can change"),
    ("stage: {depth: 1, out: 8, block: {max_pool: {}}}", "none of the stage's blocks can change"),
    ("stage: {depth: 1, stride: 2, block: {norm: }}", "none of the stage's blocks can change"),
    (
      "stage: {depth: 2, out: 3, choice: [{id: a, conv: {}}, {id: b, global_pool: }]}",
      "space.yaml:6: global_pool is a layer of its own"
    ),
    (
      "cells: {nodes: 2, count: 1, out: 3, operations: [{id: a, conv: {}}, {id: b, linear: {}}]}",
      "space.yaml:6: linear is a layer of its own"
    ),
    (
      "stage: {depth: [0, 1], choice: [{id: d0, conv: {}}, {id: d, identity: }]}",
      "space.yaml:6: id: 'd0' reads as the depth of a stage"
    ),
    (
      "stage: {depth: 1, out: 8, block: {mbconv: {expand: [0.00001, 1]}}}",
      "space.yaml:6: expand: must be in 0.001...64.0"
    ),
    ("stage: {depth: 1, out: 8, choice: [{id: a, identity: {projection: {out: 9}}}]}", "out: has"),
    (
      "cells: {nodes: 2, count: 1, out: 8, operations: [{id: a, conv: {}}]}",
      "cells 'cells' have 8 channels, their operand has 3"
    ),
    (
      "cells: {nodes: 2, count: 1, out: 3, operations: [{id: a, mbconv: {kernel: [3, 5]}}]}",
      "candidates of a choice have fixed kernel and expand"
    ),
    // The first and the last choice are fine.
    (
      "stage: {depth: 1, out: 8, choice: [{id: a, conv: {}}, {id: b, conv: {groups: 2}}, "
        + "{id: c, conv: {}}]}", "blocks.0.conv: 3 channels can't be split into 2 groups"
    ),
    (
      "cells: {nodes: 16, count: 64, out: 3, operations: [{id: a, identity: {}}]}",
      "space.yaml: more than 4096 blocks"
    ),
  ])
  func wrongLayersAreRefused(layer: String, message: String) {
    let yaml = "schema: 1\nname: x\nresolution: 8\ndivisor: 1\nlayers:\n  - \(layer)\n"
    let error = #expect(throws: ArchitecturesError.self) { try SearchSpace(yaml: yaml) }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test(arguments: ["0", "-1", "1e300", "1e-60"])
  func epsilonsThatCannotBeAreRefused(epsilon: String) {
    let error = #expect(throws: ArchitecturesError.self) {
      try SearchSpace(
        yaml: "schema: 1\nname: x\nepsilon: \(epsilon)\nlayers:\n  - conv: {out: 8}\n")
    }
    #expect(error?.message.hasPrefix("space.yaml:3: epsilon: must be above 0") == true)
  }
}
