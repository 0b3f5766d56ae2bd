public import Architectures

/// The part of a space that a phase of training samples from: progressive shrinking opens one
/// dimension after the other.
public struct ElasticChoices: Sendable, Equatable {
  /// Values allowed for the genes of a role; all of them where nothing is said.
  public var values: [Gene.Role: [Double]]
  /// CompOFA's coupling: expansion by depth, and one kernel a stage (Sahni et al. 2021,
  /// arXiv 2104.12642).
  public var tie: Tie?

  public struct Tie: Sendable, Equatable {
    /// Expansion of all blocks of a stage by its depth.
    public var expandOfDepth: [Int: Double]
    /// Kernel of each stage that has a depth, in order.
    public var kernels: [Int]

    public init(expandOfDepth: [Int: Double], kernels: [Int]) {
      self.expandOfDepth = expandOfDepth
      self.kernels = kernels
    }
  }

  public init(values: [Gene.Role: [Double]] = [:], tie: Tie? = nil) {
    self.values = values
    self.tie = tie
  }
}

/// The genotypes of a space that a phase allows.
public struct ChoiceSet: Sendable {
  public let space: SearchSpace
  /// Allowed choices of each gene, by ascending value.
  public let allowed: [[UInt8]]
  /// Genes that follow the depth of their stage.
  public let tied: [Int: Follower]

  /// The choice of a tied gene by the choice of its depth gene.
  public struct Follower: Sendable, Equatable {
    public var depthGene: Int
    public var choices: [UInt8]
  }

  /// - Throws: `recipe` if a value is no choice of the space.
  public init(_ space: SearchSpace, _ choices: ElasticChoices = ElasticChoices()) throws {
    self.space = space
    func fail(_ what: String) -> SupernetsError {
      SupernetsError(.recipe, "space '\(space.name)': \(what)")
    }
    allowed = try space.genes.map { gene in
      let ascending = gene.values.indices.sorted { gene.values[$0] < gene.values[$1] }
      guard let wanted = choices.values[gene.role] else { return ascending.map { UInt8($0) } }
      let found = ascending.filter { wanted.contains(gene.values[$0]) }
      guard !found.isEmpty else {
        throw fail("\(gene.name) has none of the values \(wanted); it has \(gene.values)")
      }
      return found.map { UInt8($0) }
    }
    for (role, wanted) in choices.values {
      let known = Set(space.genes.filter { $0.role == role }.flatMap(\.values))
      if let value = wanted.first(where: { !known.contains($0) }) {
        throw fail("no \(role.rawValue) is \(value); there are \(known.sorted())")
      }
    }
    tied = try choices.tie.map { try Self.followers(space, $0, fail) } ?? [:]
  }

  /// The choices that some phase of a recipe trains: all that a supernet knows. Genes are tied where
  /// all phases that draw subnets tie them alike.
  /// - Throws: `recipe` if a value is no choice of the space.
  public init(_ space: SearchSpace, trainedBy recipe: TrainingRecipe) throws {
    self.space = space
    var trained = space.genes.map { _ in Set<UInt8>() }
    var ties: [[Int: Follower]] = []
    for phase in recipe.phases {
      let part = try ChoiceSet(space, phase.choices)
      if phase.sampling == .largest {
        for (gene, choice) in part.largest.genes.enumerated() { trained[gene].insert(choice) }
        continue
      }
      ties.append(part.tied)
      for (gene, choices) in part.allowed.enumerated() {
        trained[gene].formUnion(part.tied[gene]?.choices ?? choices)
      }
    }
    allowed = try ChoiceSet(space).allowed.enumerated().map { gene, all in
      all.filter(trained[gene].contains)
    }
    tied = ties.first.flatMap { first in ties.allSatisfy { $0 == first } ? first : nil } ?? [:]
  }

  /// Whether every choice of the space is allowed.
  public var isWholeSpace: Bool {
    tied.isEmpty && zip(allowed, space.genes).allSatisfy { $0.count == $1.count }
  }

  /// How many genes of an architecture have choices that are not allowed.
  public func strangers(in genotype: Genotype) -> Int {
    allowed.indices.count { gene in
      guard space.isActive(gene, in: genotype) else { return false }
      let choice = genotype.genes[gene]
      if let follower = tied[gene] {
        return choice != follower.choices[genotype[follower.depthGene]]
      }
      return !allowed[gene].contains(choice)
    }
  }

  private static func followers(
    _ space: SearchSpace, _ tie: ElasticChoices.Tie, _ fail: (String) -> SupernetsError
  ) throws -> [Int: Follower] {
    var result: [Int: Follower] = [:]
    let depthGenes = space.genes.indices.filter { space.genes[$0].role == .depth }
    guard tie.kernels.isEmpty || tie.kernels.count == depthGenes.count else {
      throw fail("\(tie.kernels.count) tied kernels, \(depthGenes.count) stages of elastic depth")
    }
    for (stage, depthGene) in depthGenes.enumerated() {
      let next = stage + 1 < depthGenes.count ? depthGenes[stage + 1] : space.genes.count
      let depths = space.genes[depthGene].values
      for gene in depthGene + 1..<next {
        let values = space.genes[gene].values
        func choice(_ value: Double?) throws -> UInt8 {
          guard let value, let choice = values.firstIndex(of: value) else {
            let wanted = value.map { "\($0)" } ?? "nothing"
            throw fail("\(space.genes[gene].name) cannot be tied to \(wanted)")
          }
          return UInt8(choice)
        }
        switch space.genes[gene].role {
        case .expand:
          result[gene] = Follower(
            depthGene: depthGene, choices: try depths.map { try choice(tie.expandOfDepth[Int($0)]) }
          )
        case .kernel where !tie.kernels.isEmpty:
          let fixed = try choice(Double(tie.kernels[stage]))
          result[gene] = Follower(depthGene: depthGene, choices: depths.map { _ in fixed })
        default: break
        }
      }
    }
    return result
  }

  /// The genotype with tied genes set and genes of layers that do not exist cleared.
  func completed(_ genotype: Genotype) -> Genotype {
    var genotype = genotype
    for (gene, follower) in tied {
      genotype.genes[gene] = follower.choices[genotype[follower.depthGene]]
    }
    return space.canonical(genotype)
  }

  public var smallest: Genotype { completed(Genotype(allowed.map { $0[0] })) }
  public var largest: Genotype { completed(Genotype(allowed.map { $0[$0.count - 1] })) }

  /// Every gene drawn uniformly from its allowed choices (once-for-all's rule; not uniform among
  /// networks).
  public func uniform(_ random: inout SeededGenerator) -> Genotype {
    completed(Genotype(allowed.map { $0[random.next(below: $0.count)] }))
  }

  /// One gene that is not tied drawn anew.
  func mutated(_ genotype: Genotype, _ random: inout SeededGenerator) -> Genotype {
    let free = allowed.indices.filter { allowed[$0].count > 1 && tied[$0] == nil }
    guard !free.isEmpty else { return genotype }
    var genotype = genotype
    // Layers that a greater depth brings in must be of this part of the space too.
    for index in allowed.indices where !space.isActive(index, in: genotype) {
      genotype.genes[index] = allowed[index][random.next(below: allowed[index].count)]
    }
    let gene = free[random.next(below: free.count)]
    genotype.genes[gene] = allowed[gene][random.next(below: allowed[gene].count)]
    return completed(genotype)
  }
}
