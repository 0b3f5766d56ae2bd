internal import Architectures
public import Foundation

/// How a search went, step by step.
public struct SearchHistory: Codable, Hashable, Sendable {
  /// After each step: candidates scored so far, the best score so far and its first cost.
  public var evaluations: [Int] = []
  public var bestScores: [Double] = []
  public var bestCosts: [Double] = []
}

/// Drives any searcher: step by step, with checkpoints.
///
/// ```swift
/// var run = try SearchRun(EvolutionSearcher(options: EvolutionOptions(), seed: 1), problem)
/// let outcome = try run.run(
///   shouldStop: { interrupted() },
///   onStep: { run in if saveIsDue() { try save(try run.checkpoint()) } })
/// ```
public struct SearchRun: Sendable {
  public private(set) var searcher: any Searcher
  public private(set) var context: SearchContext
  public private(set) var history = SearchHistory()

  public enum Outcome: Sendable {
    case finished
    /// `shouldStop` said so; a checkpoint of now continues to the same result.
    case stopped
  }

  public init(_ searcher: any Searcher, _ problem: SearchProblem) throws {
    try searcher.options.validate()
    self.searcher = searcher
    context = SearchContext(problem)
  }

  /// Continues from a checkpoint.
  /// - Throws: `badCheckpoint` when it is damaged or of another search.
  public init(
    checkpoint: Data, _ problem: SearchProblem, registry: SearcherRegistry = .standard
  ) throws {
    do {
      let name = try JSONDecoder().decode(CheckpointName.self, from: checkpoint).header
      guard name.schema == CheckpointHeader.schema, name.version == CheckpointHeader.version else {
        throw SearchersError(
          .badCheckpoint,
          "cannot read \(name.schema) \(name.version), only \(CheckpointHeader.schema) "
            + "\(CheckpointHeader.version)")
      }
      let (searcher, header) = try registry.entry(name.searcher).read(checkpoint)
      try header.check(fits: problem.signature)
      let genotypes = searcher.members + header.archive.entries.map(\.genotype)
      guard searcher.isConsistent, header.history.isConsistent,
        searcher.step == header.history.evaluations.count,
        genotypes.allSatisfy(problem.domain.contains)
      else {
        throw SearchersError(.badCheckpoint, "the checkpoint is damaged: its parts do not fit")
      }
      self.searcher = searcher
      history = header.history
      context = SearchContext(
        problem, archive: header.archive, evaluations: header.history.evaluations.last ?? 0)
    } catch let error as DecodingError {
      throw SearchersError(.badCheckpoint, "the checkpoint is damaged: \(error.problem)")
    }
  }

  /// What a checkpoint says of its search without being gone on with.
  public struct Saved: Sendable {
    /// Of the problem, metric by metric.
    public var limits: [Double?]
    /// That were done.
    public var steps: Int
  }

  /// - Throws: `badCheckpoint` when it is damaged.
  public static func saved(in checkpoint: Data) throws -> Saved {
    struct Part: Decodable {
      struct Header: Decodable {
        var problem: ProblemSignature
        var history: SearchHistory
      }
      var header: Header
    }
    do {
      let header = try JSONDecoder().decode(Part.self, from: checkpoint).header
      return Saved(limits: header.problem.limits, steps: header.history.evaluations.count)
    } catch let error as DecodingError {
      throw SearchersError(.badCheckpoint, "the checkpoint is damaged: \(error.problem)")
    }
  }

  public var isFinished: Bool { searcher.isFinished }
  /// The highest score, of equals the lowest cost; `nil` before the first step.
  public var best: Evaluated? { context.archive.best }
  /// The architectures that no other one evaluated dominates, by the first cost.
  public var front: [Evaluated] { context.archive.entries }
  /// Candidates scored, repeats included.
  public var evaluations: Int { context.evaluations }
  /// Candidates that the scorer was asked for in this process.
  public var computed: Int { context.computed }

  /// One step, such as a generation.
  public mutating func step() throws {
    guard !isFinished else { return }
    try searcher.advance(in: &context)
    guard let best else { return }
    history.evaluations.append(context.evaluations)
    history.bestScores.append(best.score)
    history.bestCosts.append(best.costs[0])
  }

  /// Steps until the end, or until `shouldStop` says so.
  /// - Parameter onStep: called after each step, with the run as it is then: for progress and
  ///   checkpoints.
  public mutating func run(
    shouldStop: () -> Bool = { false }, onStep: (borrowing SearchRun) throws -> Void = { _ in }
  ) throws -> Outcome {
    while !isFinished {
      if shouldStop() { return .stopped }
      try step()
      try onStep(self)
    }
    return .finished
  }

  /// The whole state as JSON; the same state gives the same bytes.
  public func checkpoint() throws -> Data {
    let header = CheckpointHeader(
      searcher: type(of: searcher).name, problem: context.problem.signature,
      archive: context.archive, history: history)
    func encode<S: Searcher>(_ state: S) throws -> Data {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      return try encoder.encode(Checkpoint(header: header, state: state))
    }
    return try encode(searcher)
  }
}

extension SearchHistory {
  var isConsistent: Bool {
    evaluations.count == bestScores.count && evaluations.count == bestCosts.count
  }
}
