import Architectures
import Foundation
import Searchers
import Testing

/// What every registered searcher must hold.
struct SearcherConformanceTests {
  static let names = SearcherRegistry.standard.names

  /// A small run: 40 evaluations, then 40 for each generation.
  static func run(
    _ name: String, limit: Double?, generations: Int = 100, seed: UInt64 = 1,
    scorer: FormulaScorer = FormulaScorer(Toy.score)
  ) throws -> SearchRun {
    // Three times the usual mutation: the toy has few genes, and better ones lie three apart.
    let evaluations = 40 + 40 * generations
    let searcher = [
      "{\"population\": 40, \"generations\": \(generations), \"mutationRate\": 0.3}",
      "{\"population\": 40, \"evaluations\": \(evaluations), \"mutationRate\": 0.3}",
      "{\"evaluations\": \(evaluations)}",
    ].lazy.compactMap {
      try? SearcherRegistry.standard.searcher(name, options: Data($0.utf8), seed: seed)
    }.first
    return try SearchRun(try #require(searcher), try Toy.problem(limit: limit, scorer: scorer))
  }

  @Test(arguments: names)
  func isBoundedAndCountsHonestly(name: String) throws {
    let scorer = FormulaScorer(Toy.score)
    var run = try Self.run(name, limit: 14, scorer: scorer)
    var steps = 0
    let outcome = try run.run(onStep: { _ in steps += 1 })
    #expect(outcome == .finished)
    #expect(steps == run.searcher.steps && run.isFinished)
    #expect(run.evaluations == 4_040)
    #expect(run.history.evaluations.last == 4_040)
    #expect(scorer.asked == run.computed && scorer.asked == scorer.distinct)
    let best = run.best
    try run.step()
    #expect(run.best == best && run.evaluations == 4_040)
  }

  @Test(arguments: names, [UInt64(1), 2, 3])
  func findsTheOptimum(name: String, seed: UInt64) throws {
    // Random search must see most of the 4,096.
    var run = try Self.run(name, limit: 14, generations: 500, seed: seed)
    _ = try run.run()
    #expect(try #require(run.best).score == Toy.optimum(limit: 14), "\(name), seed \(seed)")
  }

  @Test(arguments: names)
  func keepsLimitsAndFrontIsConsistent(name: String) throws {
    // One architecture of the 4,096 keeps the tightest limit.
    for limit in [1.0, 2, 8, 20] {
      var run = try Self.run(name, limit: limit)
      _ = try run.run()
      #expect(!run.front.isEmpty)
      for entry in run.front {
        #expect(entry.costs == [Toy.cost(entry.genotype)] && entry.costs[0] <= limit)
        #expect(entry.score == Toy.score(entry.genotype))
      }
      #expect(run.best == run.front.last)
    }
    var run = try Self.run(name, limit: 0.5)
    #expect(throws: SearchersError.self) { try run.step() }
  }

  @Test(arguments: names)
  func sameSeedSameResultAndResumes(name: String) throws {
    var whole = try Self.run(name, limit: 14, seed: 5)
    _ = try whole.run()
    var other = try Self.run(name, limit: 14, seed: 6)
    _ = try other.run()
    #expect(try other.checkpoint() != whole.checkpoint())

    var resumed = try Self.run(name, limit: 14, seed: 5)
    let steps = resumed.searcher.steps
    for stop in [0, 1, steps / 2, steps - 1] {
      while resumed.searcher.step < stop { try resumed.step() }
      resumed = try SearchRun(checkpoint: resumed.checkpoint(), resumed.context.problem)
    }
    _ = try resumed.run()
    #expect(resumed.front == whole.front)
    #expect(try resumed.checkpoint() == whole.checkpoint())
  }

  @Test(arguments: names)
  func everyOptionIsKnownAndDefaultsAreValid(name: String) throws {
    let searcher = try SearcherRegistry.standard.searcher(name, options: Data("{}".utf8), seed: 1)
    try searcher.options.validate()
    #expect(throws: SearchersError.self) {
      try SearcherRegistry.standard.searcher(name, options: Data("{\"colour\": 1}".utf8), seed: 1)
    }
    #expect(searcher.steps > 0)
  }

  @Test func unknownSearchersAreNamed() {
    let error = #expect(throws: SearchersError.self) {
      try SearcherRegistry.standard.searcher("annealing", seed: 1)
    }
    #expect(
      error?.message == "no searcher 'annealing'; known: evolution, nsga2, aging, random")
    #expect(error?.exitCode == 64)
  }
}
