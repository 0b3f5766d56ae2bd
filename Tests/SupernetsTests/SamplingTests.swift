import Architectures
import Testing

@testable import Supernets

@Suite struct SamplingTests {
  let space: SearchSpace

  init() throws { space = try SpaceCatalog.standard.space("ofa-mobilenetv3-cifar") }

  /// Every draw lies in the phase's part of the space.
  @Test func choicesBoundEveryDraw() throws {
    let choices = try ChoiceSet(
      space, ElasticChoices(values: [.kernel: [7], .depth: [3, 4], .expand: [4, 6]]))
    var random = SeededGenerator(seed: 1)
    var depths: Set<Double> = []
    for _ in 0..<200 {
      let genotype = choices.uniform(&random)
      for (index, gene) in space.genes.enumerated() where space.isActive(index, in: genotype) {
        let value = gene.values[genotype[index]]
        switch gene.role {
        case .kernel: #expect(value == 7)
        case .expand: #expect([4, 6].contains(value))
        case .depth:
          #expect([3, 4].contains(value))
          depths.insert(value)
        default: break
        }
      }
    }
    #expect(depths == [3, 4])
    #expect(choices.largest == space.canonical(space.largestGenotype))
    #expect(choices.smallest != space.smallestGenotype)
  }

  /// What no phase trains is no part of what a supernet knows.
  @Test func untrainedChoicesAreKnown() throws {
    let recipe = try TrainingRecipe(
      yaml: """
        schema: 1
        phases:
          - {name: full, epochs: 1, rate: 1}
          - {name: kernel, epochs: 1, rate: 1, sampling: sandwich, kernel: [5, 7], depth: 4, expand: 6}
        """)
    let known = try ChoiceSet(space, trainedBy: recipe)
    #expect(!known.isWholeSpace && known.largest == space.canonical(space.largestGenotype))
    var random = SeededGenerator(seed: 6)
    for _ in 0..<50 {
      let genotype = known.uniform(&random)
      #expect(known.strangers(in: genotype) == 0)
      for (index, gene) in space.genes.enumerated() where gene.role == .kernel {
        #expect(gene.values[genotype[index]] != 3)
      }
    }
    // 10 blocks of kernel 3 and expansion 3, and 5 depths of 2; the resolution is trained.
    #expect(known.strangers(in: space.canonical(space.smallestGenotype)) == 25)
    let all = try TrainingRecipe(
      yaml: "schema: 1\nphases: [{name: all, epochs: 1, rate: 1, sampling: sandwich}]")
    #expect(try ChoiceSet(space, trainedBy: all).isWholeSpace)
  }

  /// CompOFA's space: 3 depths in each of 5 stages, everything else follows.
  @Test func tiedChoicesLeaveOneNetworkADepth() throws {
    let tie = ElasticChoices.Tie(expandOfDepth: [2: 3, 3: 4, 4: 6], kernels: [3, 5, 3, 3, 5])
    let choices = try ChoiceSet(space, ElasticChoices(values: [.resolution: [32]], tie: tie))
    var random = SeededGenerator(seed: 2)
    let found = Set((0..<5000).map { _ in choices.uniform(&random) })
    #expect(found.count == 243)
  }

  /// A supernet whose phases all tie genes alike knows those networks only.
  @Test func tiesAreKnownAsTrained() throws {
    func known(_ more: String) throws -> ChoiceSet {
      let tie = "tie: {depth: [2, 3, 4], expand: [3, 4, 6], kernels: [3, 5, 3, 3, 5]}"
      return try ChoiceSet(
        space,
        trainedBy: TrainingRecipe(
          yaml: """
            schema: 1
            phases:
              - {name: tied, epochs: 1, rate: 1, sampling: sandwich, resolution: 32, \(tie)}
            \(more)
            """))
    }
    let tied = try known("")
    var random = SeededGenerator(seed: 2)
    #expect(Set((0..<5000).map { _ in tied.uniform(&random) }).count == 243)
    #expect(!tied.isWholeSpace && tied.strangers(in: tied.largest) == 0)
    #expect(tied.strangers(in: space.canonical(space.largestGenotype)) > 0)
    let loose = try known(
      "  - {name: free, epochs: 1, rate: 1, sampling: sandwich, expand: [4, 6], kernel: 7}")
    #expect(loose.tied.isEmpty && Set((0..<500).map { _ in loose.uniform(&random) }).count > 243)
  }

  @Test func aValueThatIsNoChoiceIsRefused() throws {
    let error = #expect(throws: SupernetsError.self) {
      try ChoiceSet(space, ElasticChoices(values: [.kernel: [3, 9]]))
    }
    #expect(error?.message.contains("no kernel is 9.0") == true)
  }

  /// Uniform in cost: as many subnets in each quarter between smallest and largest, where uniform
  /// draws gather in the middle.
  @Test func costIsUniformWhenAsked() throws {
    let cost = try StaticCost.macs.table(for: space)
    let sampler = SubnetSampler(try ChoiceSet(space), cost: cost)
    let (low, high) = (cost(sampler.choices.smallest), cost(sampler.choices.largest))
    func quarters(_ rule: SubnetSampler.Rule) throws -> [Int] {
      var random = SeededGenerator(seed: 4)
      var counts = [0, 0, 0, 0]
      for _ in 0..<400 {
        let share = (cost(sampler.draw(rule, &random)) - low) / (high - low)
        counts[min(3, Int(share * 4))] += 1
      }
      return counts
    }
    // 100 expected each, deviation 8.7.
    let uniform = try quarters(.uniformCost)
    #expect(uniform.allSatisfy { (60...140).contains($0) }, "\(uniform)")
    let genes = try quarters(.uniform)
    #expect(genes[3] < 20, "\(genes)")
  }

  /// Where no subnet has the drawn cost, the nearest stands in: a training must not die of a gap.
  @Test func gapsInCostAreBridged() throws {
    let choices = try ChoiceSet(
      space, ElasticChoices(values: [.kernel: [7], .expand: [6], .depth: [2, 4]]))
    let cost = try StaticCost.macs.table(for: space)
    let sampler = SubnetSampler(choices, cost: cost)
    var random = SeededGenerator(seed: 1)
    let drawn = Set((0..<40).map { _ in cost(sampler.draw(.uniformCost, &random)) })
    let known = Set((0..<2000).map { _ in cost(choices.uniform(&random)) })
    #expect(drawn.count > 3 && drawn.isSubset(of: known), "\(drawn.subtracting(known))")
  }

  @Test func candidatesShareTheirCost() throws {
    let cost = try StaticCost.macs.table(for: space)
    let sampler = SubnetSampler(try ChoiceSet(space), cost: cost)
    let width = (cost(sampler.choices.largest) - cost(sampler.choices.smallest)) / 32
    for seed in 0..<20 {
      var random = SeededGenerator(seed: UInt64(seed))
      let costs = sampler.candidates(3, &random).map { cost($0) }
      #expect(costs.max()! - costs.min()! <= width)
    }
  }

  @Test func drawsDependOnTheSeedOnly() throws {
    let sampler = try SubnetSampler(ChoiceSet(space))
    func draws(_ seed: UInt64) throws -> [Genotype] {
      var random = SeededGenerator(seed: seed)
      return SubnetSampler.Rule.allCases.map { sampler.draw($0, &random) }
        + sampler.sandwich(random: 2, &random)
    }
    #expect(try draws(7) == draws(7))
    #expect(try draws(7) != draws(8))
  }
}
