internal import Architectures

/// What a searcher works with: feasible candidates, their scores, and the record of everything
/// it evaluated.
public struct SearchContext: Sendable {
  public let problem: SearchProblem
  public var sampler: FeasibleSampler
  public private(set) var archive: ParetoArchive
  /// Candidates scored, repeats included.
  public private(set) var evaluations: Int
  /// Candidates that the scorer was asked for; the others were known. Work done by this process:
  /// a resumed search forgets what it knew and may ask again.
  public private(set) var computed = 0
  private var memo: ScoreMemo

  init(_ problem: SearchProblem, archive: ParetoArchive? = nil, evaluations: Int = 0) {
    self.problem = problem
    sampler = FeasibleSampler(problem)
    self.archive = archive ?? ParetoArchive(objectives: problem.objectives)
    self.evaluations = evaluations
    memo = ScoreMemo(words: problem.domain.keyWords)
  }

  /// An empty batch with room for `count` candidates.
  public func batch(_ count: Int) -> CandidateBatch {
    var batch = CandidateBatch()
    batch.reserve(count, metrics: problem.metrics.count, words: problem.domain.keyWords)
    return batch
  }

  /// Scores of the candidates, in order. The scorer is asked once, for those not seen before.
  /// - Throws: `badScore` when the scorer breaks its promise, and whatever it throws.
  public mutating func scores(_ batch: CandidateBatch) throws -> [Double] {
    if memo.count + batch.count > ScoreMemo.capacity { memo.removeAll() }
    let words = problem.domain.keyWords
    let metrics = problem.metrics.count
    var places = [Int](repeating: 0, count: batch.count)
    var asked: [Genotype] = []
    var askedPlaces: [(entry: Int, candidate: Int)] = []
    var canonical = problem.domain.zero
    var key = Array(repeating: UInt64(0), count: words)
    for candidate in 0..<batch.count {
      switch memo.place(batch.keys, candidate * words) {
      case .known(let entry):
        places[candidate] = entry
      case .added(let entry):
        places[candidate] = entry
        problem.domain.canonicalise(batch.genotypes[candidate], into: &canonical, key: &key)
        asked.append(Genotype(Array(canonical.genes[...])))
        askedPlaces.append((entry, candidate))
      }
    }
    let scores = asked.isEmpty ? [] : try problem.scorer.scores(asked)
    guard scores.count == asked.count else {
      throw SearchersError(
        .badScore, "the scorer gave \(scores.count) scores for \(asked.count) architectures")
    }
    for (index, (entry, candidate)) in askedPlaces.enumerated() {
      guard scores[index].isFinite else {
        throw SearchersError(
          .badScore, "the score of \(problem.domain.id(asked[index])) is \(scores[index])")
      }
      memo.set(scores[index], at: entry)
      archive.insert(
        score: scores[index],
        costs: batch.costs[(candidate * metrics)..<((candidate + 1) * metrics)],
        genotype: asked[index])
    }
    evaluations += batch.count
    computed += asked.count
    return places.map { memo.scores[$0] }
  }
}
