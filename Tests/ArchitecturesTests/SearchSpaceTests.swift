import Architectures
import Testing

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

  @Test(arguments: [
    ("ofa-mobilenetv3", "r999-k3e3", "10 parts"),
  ])
  func wrongPartCount(name: String, id: String, message: String) throws {
    let space = try catalog.space(name)
    let error = #expect(throws: ArchitecturesError.self) { try space.genotype(id: id) }
    #expect(error?.code == .invalidArchitecture)
    _ = message
  }

  @Test func countsAreExact() throws {
    // 25 resolutions, five stages of two to four blocks with nine choices each.
    let stage: UInt128 = 81 + 729 + 6561
    #expect(
      try catalog.space("ofa-mobilenetv3").architectureCount == 25 * stage * stage * stage * stage * stage)
    // Nine operations at 22 positions.
    var fbnet: UInt128 = 1
    for _ in 0..<22 { fbnet *= 9 }
    #expect(try catalog.space("fbnet").architectureCount == fbnet)
  }

  @Test(arguments: [
    ("kernal: 3", "space.yaml:5: unknown key 'kernal' in conv; did you mean 'kernel'?"),
    ("kernel: [3, x]", "space.yaml:5: kernel: must be numbers"),
    ("activation: gelo", "space.yaml:5: activation: must be one of"),
    ("out: 9, out: 8", "space.yaml:5: key 'out' stands twice"),
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
}
