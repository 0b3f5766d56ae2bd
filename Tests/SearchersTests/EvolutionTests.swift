import Architectures
import Foundation
import Searchers
import Testing

struct EvolutionTests {
  static let ofa = Result {
    let space = try catalog.space("ofa-mobilenetv3-w1.2")
    return (space, try StaticCost.macs.table(for: space))
  }

  /// Once-for-All's space with a score and costs that resemble the real ones.
  static func problem(
    limit: Double?, scorer: FormulaScorer? = nil, macs: Double? = nil, resolution: Double? = nil
  ) throws -> SearchProblem {
    let (space, macsTable) = try ofa.get()
    var metrics = [
      Metric("latency", unit: "ms", limit: limit, model: FormulaCost { macsTable($0) / 2e7 })
    ]
    if let macs {
      metrics.append(
        Metric("macs", unit: "M", limit: macs, model: FormulaCost { macsTable($0) / 1e6 }))
    }
    if let resolution {
      metrics.append(
        Metric(
          "resolution", unit: "px", limit: resolution,
          model: FormulaCost { Double(space.resolution($0)) }))
    }
    return try SearchProblem(
      domain: SearchDomain(space),
      scorer: scorer
        ?? FormulaScorer { 0.7 + 0.1 * (1 - 1 / (1 + macsTable($0) / 3e8)) },
      metrics: metrics)
  }

  /// A search in a part of a space draws from nothing else, and finds what is there however small the
  /// part is; tied genes follow their depth.
  @Test(arguments: [3.0, 30]) func aPartOfASpaceIsSearchedAlone(limit: Double) throws {
    let (space, macs) = try Self.ofa.get()
    let allowed = space.genes.map { gene in
      gene.role == .resolution || gene.role == .expand
        ? Array(0..<UInt8(gene.count)) : [UInt8(gene.count - 1)]
    }
    let first = try #require(space.genes.firstIndex { $0.role == .depth })
    let follower = try #require(
      space.genes.indices.first { $0 > first && space.genes[$0].role == .expand })
    let problem = try SearchProblem(
      domain: SearchDomain(
        space, allowed: allowed, tied: [follower: (depthGene: first, choices: [0, 1, 0])]),
      scorer: FormulaScorer { macs($0) / 1e10 },
      metrics: [Metric("latency", unit: "ms", limit: limit, model: FormulaCost { macs($0) / 2e7 })])
    var options = EvolutionOptions()
    (options.population, options.generations) = (20, 5)
    var run = try SearchRun(EvolutionSearcher(options: options, seed: 1), problem)
    guard limit > 10 else {
      #expect(throws: SearchersError.self) { try run.run() }
      return
    }
    #expect(try run.run() == .finished)
    #expect(!run.front.isEmpty)
    for entry in run.front {
      for gene in space.genes.indices where space.isActive(gene, in: entry.genotype) {
        #expect(allowed[gene].contains(entry.genotype.genes[gene]))
      }
      #expect(entry.genotype.genes[follower] == 0)
    }
  }

  @Test func evaluationsAreThoseOfOnceForAll() throws {
    let scorer = FormulaScorer(Toy.score)
    let problem = try Toy.problem(limit: nil, scorer: scorer)
    var run = try SearchRun(EvolutionSearcher(options: EvolutionOptions(), seed: 1), problem)
    #expect(try run.run() == .finished)
    #expect(run.evaluations == 50_100)
    // The scorer is asked once a step at most, and never twice for the same.
    #expect(scorer.batches <= 501)
    #expect(scorer.asked == scorer.distinct)
    #expect(scorer.asked == run.computed)
    #expect(run.best?.score == 1)
    #expect(run.history.evaluations.count == 501)
    #expect(zip(run.history.bestScores, run.history.bestScores.dropFirst()).allSatisfy { $0 <= $1 })
  }

  @Test func canonicalFormsAreThoseOfTheSpace() throws {
    for name in catalog.names {
      let space = try catalog.space(name)
      let scorer = FormulaScorer { genotype in
        space.canonical(genotype) == genotype ? 0.5 : .nan
      }
      let problem = try SearchProblem(
        domain: SearchDomain(space), scorer: scorer,
        metrics: [Metric("one", unit: "", model: FormulaCost { _ in 1 })])
      var options = EvolutionOptions()
      options.generations = 3
      var run = try SearchRun(EvolutionSearcher(options: options, seed: 1), problem)
      #expect(try run.run() == .finished, "\(name)")
      #expect(scorer.distinct == scorer.asked, "\(name)")
    }
  }

  @Test func allLimitsHoldTogether() throws {
    let problem = try Self.problem(limit: 20, macs: 350, resolution: 192)
    var options = EvolutionOptions()
    options.generations = 40
    var run = try SearchRun(EvolutionSearcher(options: options, seed: 3), problem)
    _ = try run.run()
    let best = try #require(run.best)
    #expect(best.costs.count == 3)
    for entry in run.front {
      #expect(entry.costs[0] <= 20 && entry.costs[1] <= 350 && entry.costs[2] <= 192)
    }
    #expect(best.costs[1] > 330)
    // The front is strictly increasing in both directions and holds the best.
    #expect(
      zip(run.front, run.front.dropFirst()).allSatisfy {
        $0.costs[0] < $1.costs[0] && $0.score < $1.score
      })
    #expect(run.front.last == best)
  }

  @Test func floorsHoldToo() throws {
    func problem(_ floor: Double) throws -> SearchProblem {
      try SearchProblem(
        domain: Toy.domain, scorer: FormulaScorer(Toy.score),
        metrics: [
          Metric("latency", unit: "ms", limit: 12, model: FormulaCost(Toy.cost)),
          Metric(
            "first", unit: "px", floor: floor, model: FormulaCost { Double($0.genes[0]) }),
        ])
    }
    var run = try SearchRun(
      EvolutionSearcher(options: EvolutionOptions(), seed: 1), try problem(3))
    _ = try run.run()
    #expect(run.front.allSatisfy { $0.genotype.genes[0] == 3 && $0.costs[0] <= 12 })
    run = try SearchRun(EvolutionSearcher(options: EvolutionOptions(), seed: 1), try problem(4))
    let error = #expect(throws: SearchersError.self) { try run.step() }
    #expect(
      error?.message.contains("latency 12 ms, first at least 4 px together") == true,
      "\(error?.message ?? "")")
  }

  /// Budgets that uniform sampling practically never meets.
  @Test(arguments: UInt64(0)..<5)
  func tightBudgetsWork(seed: UInt64) throws {
    let (space, macs) = try Self.ofa.get()
    let smallest = macs(Genotype(Array(repeating: 0, count: space.geneCount))) / 2e7
    var options = EvolutionOptions()
    options.generations = 2
    for limit in [smallest, smallest * 1.001, smallest * 1.05] {
      var run = try SearchRun(
        EvolutionSearcher(options: options, seed: seed), try Self.problem(limit: limit))
      _ = try run.run()
      #expect(try #require(run.best).costs[0] <= limit, "seed \(seed)")
    }
  }

  @Test func impossibleBudgetsNameTheNearestMiss() throws {
    let problem = try Self.problem(limit: 2)
    var run = try SearchRun(EvolutionSearcher(options: EvolutionOptions(), seed: 1), problem)
    let error = #expect(throws: SearchersError.self) { try run.step() }
    #expect(error?.code == .infeasible && error?.exitCode == 65)
    #expect(abs((error?.nearest?[0] ?? 0) - 5.016) < 5e-4)
    let message = try #require(error?.message)
    let within = #/no architecture within 2 ms in [0-9]{2},[0-9]{3} tries;/#
    #expect(message.prefixMatch(of: within) != nil, "\(message)")
    let found = "the fastest found takes 5.016 ms: ofa-mobilenetv3-w1.2:r160-k3e3_k3e3-"
    #expect(message.contains(found), "\(message)")

    let both = try Self.problem(limit: 5, resolution: 128)
    run = try SearchRun(EvolutionSearcher(options: EvolutionOptions(), seed: 1), both)
    let second = #expect(throws: SearchersError.self) { try run.step() }
    #expect(
      second?.message.hasPrefix("no architecture within latency 5 ms, resolution 128 px together")
        == true)
  }

  @Test func fortyGenerationsAreTwentyAndACheckpointAndTwenty() throws {
    let problem = try Self.problem(limit: 15)
    var options = EvolutionOptions()
    options.generations = 40
    var whole = try SearchRun(EvolutionSearcher(options: options, seed: 7), problem)
    _ = try whole.run()

    var first = try SearchRun(EvolutionSearcher(options: options, seed: 7), problem)
    #expect(try first.run(shouldStop: { false }, onStep: { _ in }) == .finished)
    #expect(try first.checkpoint() == whole.checkpoint())

    first = try SearchRun(EvolutionSearcher(options: options, seed: 7), problem)
    var steps = 0
    #expect(try first.run(shouldStop: { steps == 20 }, onStep: { _ in steps += 1 }) == .stopped)
    var second = try SearchRun(checkpoint: try first.checkpoint(), problem)
    #expect(try second.run() == .finished)
    #expect(second.best == whole.best)
    #expect(second.front == whole.front)
    #expect(second.history == whole.history)
    #expect(try second.checkpoint() == whole.checkpoint())
  }

  @Test func checkpointsOfOtherSearchesAreRefused() throws {
    var options = EvolutionOptions()
    options.generations = 2
    var run = try SearchRun(
      EvolutionSearcher(options: options, seed: 1), try Self.problem(limit: 15))
    try run.step()
    let data = try run.checkpoint()
    let error = #expect(throws: SearchersError.self) {
      try SearchRun(checkpoint: data, try Self.problem(limit: 16))
    }
    #expect(
      error?.message
        == "the checkpoint is of another search: limits latency to 15, now latency to 16")
    #expect(throws: SearchersError.self) { try SearchRun(checkpoint: data, Toy.problem(limit: 9)) }
    #expect(throws: SearchersError.self) {
      try SearchRun(checkpoint: data.dropLast(20), try Self.problem(limit: 15))
    }
  }

  /// Damage never crashes: it is refused, or it does not matter.
  @Test func damagedCheckpointsAreRefused() throws {
    var options = EvolutionOptions()
    options.population = 6
    options.generations = 3
    let problem = try Toy.problem(limit: 20)
    var run = try SearchRun(EvolutionSearcher(options: options, seed: 1), problem)
    try run.step()
    let data = [UInt8](try run.checkpoint())
    for seed in 0..<1_000 {
      var generator = SeededGenerator(seed: UInt64(seed))
      var bytes = data
      bytes[generator.next(below: bytes.count)] = UInt8(32 + generator.next(below: 95))
      do {
        var damaged = try SearchRun(checkpoint: Data(bytes), problem)
        if damaged.searcher.steps < 100 { _ = try damaged.run() }
      } catch let error as SearchersError {
        #expect(
          [.badCheckpoint, .unknownSearcher, .invalidOptions].contains(error.code), "seed \(seed)")
      }
    }
  }

  @Test func optionsAreChecked() throws {
    let registry = SearcherRegistry.standard
    func message(_ json: String) -> String? {
      do {
        _ = try registry.searcher("evolution", options: Data(json.utf8), seed: 1)
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(message(#"{"generations": 20, "resolutionMutationRate": 0.5}"#) == nil)
    #expect(
      message(#"{"mutationRate": 1.5}"#) == "mutationRate must be between 0.0 and 1.0, got 1.5")
    let unknown = message(#"{"generation": 3}"#)
    #expect(unknown?.hasPrefix("evolution has no option 'generation'; it has gen") == true)
    let wrong = message(#"{"generations": "x"}"#)
    #expect(wrong == "options of evolution: key 'generations' must be a whole number")
    // Numbers that don't fit, which the decoder calls no JSON.
    for (number, limit) in [("2.5", "must be whole: 2.5"), ("1e30", "is too large: ")] {
      let misfit = message("{\"generations\": \(number), \"mutationRate\": 0.25}")
      #expect(
        misfit?.hasPrefix("options of evolution: key 'generations' \(limit)") == true,
        "\(misfit ?? "")")
    }
    #expect(message("[]") == "options of evolution must be a JSON object")
  }

  @Test func scorersThatBreakTheirPromiseAreNamed() throws {
    let problem = try Toy.problem(limit: nil, scorer: FormulaScorer { _ in .nan })
    var run = try SearchRun(EvolutionSearcher(options: EvolutionOptions(), seed: 1), problem)
    let error = #expect(throws: SearchersError.self) { try run.step() }
    #expect(error?.code == .badScore)
  }
}
