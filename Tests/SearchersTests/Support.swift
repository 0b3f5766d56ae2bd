import Architectures
import Foundation
import Searchers
import Synchronization

/// The spaces of the repository; tests run in its root.
let catalog = SpaceCatalog(folders: ["searchspaces"])

/// A score by formula that counts how often it is asked.
final class FormulaScorer: ArchitectureScorer {
  private let formula: @Sendable (Genotype) -> Double
  private let state = Mutex((asked: 0, batches: 0, seen: Set<Genotype>()))

  init(_ formula: @escaping @Sendable (Genotype) -> Double) { self.formula = formula }

  var asked: Int { state.withLock { $0.asked } }
  var batches: Int { state.withLock { $0.batches } }
  var distinct: Int { state.withLock { $0.seen.count } }

  func scores(_ genotypes: [Genotype]) throws -> [Double] {
    state.withLock {
      $0.asked += genotypes.count
      $0.batches += 1
      $0.seen.formUnion(genotypes)
    }
    return genotypes.map(formula)
  }
}

struct FormulaCost: CostModel {
  let formula: @Sendable (Genotype) -> Double
  init(_ formula: @escaping @Sendable (Genotype) -> Double) { self.formula = formula }
  func cost(_ genotype: Genotype) throws -> Double { formula(genotype) }
}

/// A toy whose answers are known: the score grows with every gene, and so does the cost, but
/// genes differ in what they give for their price.
enum Toy {
  static let genes = 6
  static let domain = SearchDomain(name: "toy", counts: Array(repeating: 4, count: genes))

  static let score: @Sendable (Genotype) -> Double = { genotype in
    genotype.genes.enumerated().reduce(0) { $0 + Double($1.offset + 1) * Double($1.element) } / 63
  }
  static let cost: @Sendable (Genotype) -> Double = { genotype in
    genotype.genes.enumerated().reduce(1) {
      $0 + Double(1 + $1.offset % 3) * Double($1.element)
    }
  }

  static func problem(limit: Double?, scorer: FormulaScorer = FormulaScorer(score)) throws
    -> SearchProblem
  {
    try SearchProblem(
      domain: domain, scorer: scorer,
      metrics: [Metric("latency", unit: "ms", limit: limit, model: FormulaCost(cost))])
  }

  /// The best score within the limit, by trying all 4,096.
  static func optimum(limit: Double) -> Double {
    var best = -Double.infinity
    for index in 0..<(1 << (2 * genes)) {
      let genotype = Genotype((0..<genes).map { UInt8(index >> (2 * $0) & 3) })
      if cost(genotype) <= limit { best = max(best, score(genotype)) }
    }
    return best
  }
}
