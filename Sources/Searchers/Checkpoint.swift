internal import Foundation

/// A search on disk: what is searched, how, and how far it is.
struct Checkpoint<State: Searcher>: Codable {
  var header: CheckpointHeader
  var state: State
}

/// The part of a checkpoint that every searcher shares.
struct CheckpointHeader: Codable, Sendable {
  static let schema = "swiftlet.search"
  static let version = 1

  var schema = CheckpointHeader.schema
  var version = CheckpointHeader.version
  var searcher: String
  var problem: ProblemSignature
  var archive: ParetoArchive
  var history: SearchHistory
}

/// Reads only what says how to read the rest.
struct CheckpointName: Decodable {
  struct Header: Decodable {
    var schema: String
    var version: Int
    var searcher: String
  }
  var header: Header
}

extension CheckpointHeader {
  /// - Throws: `badCheckpoint` naming what differs.
  func check(fits wanted: ProblemSignature) throws {
    func fail(_ what: String, _ mine: String, _ other: String) -> SearchersError {
      SearchersError(
        .badCheckpoint, "the checkpoint is of another search: \(what) \(mine), now \(other)")
    }
    func limits(_ signature: ProblemSignature) -> String {
      signature.metrics.indices.map { index in
        let range = [
          signature.floors[index].map { "from \(shortNumber($0))" },
          signature.limits[index].map { "to \(shortNumber($0))" },
        ].compactMap { $0 }
        return ([signature.metrics[index]] + (range.isEmpty ? ["without limit"] : range))
          .joined(separator: " ")
      }.joined(separator: ", ")
    }
    guard problem.space == wanted.space else { throw fail("space", problem.space, wanted.space) }
    guard problem.choices == wanted.choices else {
      throw SearchersError(
        .badCheckpoint, "the space \(wanted.space) has changed since the checkpoint was written")
    }
    guard problem.limits.count == problem.metrics.count,
      problem.floors.count == problem.metrics.count
    else {
      throw SearchersError(.badCheckpoint, "the checkpoint is damaged: limits do not fit metrics")
    }
    guard problem.metrics == wanted.metrics, problem.limits == wanted.limits,
      problem.floors == wanted.floors
    else {
      throw fail("limits", limits(problem), limits(wanted))
    }
    guard problem.objectives == wanted.objectives, archive.objectives == wanted.objectives else {
      throw fail("cost objectives", "\(problem.objectives)", "\(wanted.objectives)")
    }
    guard archive.entries.allSatisfy({ $0.costs.count == wanted.metrics.count }) else {
      throw SearchersError(.badCheckpoint, "the checkpoint is damaged: costs do not fit metrics")
    }
  }
}
