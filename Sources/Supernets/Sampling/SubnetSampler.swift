public import Architectures

/// Draws subnets. Each draw depends on the generator only.
public struct SubnetSampler: Sendable {
  public enum Rule: String, Sendable, CaseIterable, Codable {
    /// Every gene uniformly (Cai et al. 2020, arXiv 1908.09791).
    case uniform
    /// Uniform in cost between the smallest and the largest subnet.
    case uniformCost = "uniform-cost"
    /// Costs as often as uniform draws have them, in bins; of several candidates at a cost the
    /// one that fares best (AttentiveNAS' best-up, Wang et al. 2020, arXiv 2011.09011).
    case bestUp = "best-up"
    /// The same, taking the one that fares worst.
    case worstUp = "worst-up"
  }

  public let choices: ChoiceSet
  private let cost: SeparableCost
  private let bins: CostBins

  /// - Parameter cost: what `uniformCost`, `bestUp` and `worstUp` go by, such as MACs or a latency
  ///   table's sum.
  public init(_ choices: ChoiceSet, cost: SeparableCost) {
    self.choices = choices
    self.cost = cost
    bins = CostBins(choices, cost)
  }

  /// The same with MACs as the cost.
  public init(_ choices: ChoiceSet) throws {
    self.init(choices, cost: try StaticCost.macs.table(for: choices.space))
  }

  /// Largest, smallest and `count` uniform ones: the sandwich (Yu and Huang 2019,
  /// arXiv 1903.05134).
  public func sandwich(random count: Int, _ random: inout SeededGenerator) -> [Genotype] {
    [choices.largest, choices.smallest] + (0..<count).map { _ in choices.uniform(&random) }
  }

  /// One subnet. For `bestUp` and `worstUp` it is the first candidate; see `candidates`.
  public func draw(_ rule: Rule, _ random: inout SeededGenerator) -> Genotype {
    switch rule {
    case .uniform: choices.uniform(&random)
    case .uniformCost:
      near(bins.lowest + random.nextUniform() * (bins.highest - bins.lowest), &random)
    case .bestUp, .worstUp: candidates(1, &random)[0]
    }
  }

  /// Subnets of about one cost, which is drawn as often as uniform subnets have it.
  public func candidates(_ count: Int, _ random: inout SeededGenerator) -> [Genotype] {
    let target = bins.draw(&random)
    return (0..<count).map { _ in near(target, &random) }
  }

  /// A subnet whose cost is within half a bin of `target`, or the nearest of a bounded search: a
  /// small space has gaps wider than that. From a uniform draw, single genes are drawn anew, keeping
  /// what comes closer.
  private func near(_ target: Double, _ random: inout SeededGenerator) -> Genotype {
    var nearest: (genotype: Genotype, distance: Double)?
    for _ in 0..<8 {
      var genotype = choices.uniform(&random)
      var distance = abs(cost(genotype) - target)
      for _ in 0..<400 where distance > bins.width / 2 {
        let next = choices.mutated(genotype, &random)
        let far = abs(cost(next) - target)
        if far <= distance { (genotype, distance) = (next, far) }
      }
      if distance <= bins.width / 2 { return genotype }
      if distance < nearest?.distance ?? .infinity { nearest = (genotype, distance) }
    }
    return nearest?.genotype ?? choices.uniform(&random)
  }
}

/// The costs of uniform draws in 32 bins between the smallest and the largest subnet.
private struct CostBins: Sendable {
  let lowest: Double
  let highest: Double
  let width: Double
  private let costs: [Double]

  init(_ choices: ChoiceSet, _ cost: SeparableCost) {
    lowest = cost(choices.smallest)
    highest = cost(choices.largest)
    width = max((highest - lowest) / 32, .leastNormalMagnitude)
    var random = SeededGenerator(seed: 0, stream: "cost-bins")
    costs = (0..<1024).map { _ in cost(choices.uniform(&random)) }
  }

  /// The middle of the bin of a cost drawn from the prior.
  func draw(_ random: inout SeededGenerator) -> Double {
    let cost = costs[random.next(below: costs.count)]
    let bin = min(31, max(0, ((cost - lowest) / width).rounded(.down)))
    return lowest + (bin + 0.5) * width
  }
}
