public import Foundation
internal import GRDB

/// A search as the store keeps it, so that it can be resumed. `options` is JSON; `state` is the
/// searcher's own checkpoint.
public struct Study: Equatable, Sendable {
  public enum Status: String, Sendable, CaseIterable {
    case running, stopped, finished, failed
  }

  public var id: String
  public var space: String
  public var device: String
  public var searcher: String
  public var seed: UInt64
  public var options: String
  public var status: Status
  public var state: Data?
  /// UTC, ISO 8601, as is `updated`.
  public var created: String
  public var updated: String

  public init(
    id: String, space: String, device: String, searcher: String, seed: UInt64,
    options: String = "{}"
  ) {
    self.id = id
    self.space = space
    self.device = device
    self.searcher = searcher
    self.seed = seed
    self.options = options
    status = .running
    created = Store.now()
    updated = created
  }
}

/// One evaluated architecture of a study; `result` is JSON.
public struct Trial: Equatable, Sendable {
  public var number: Int
  public var architecture: String
  public var result: String

  public init(number: Int, architecture: String, result: String) {
    self.number = number
    self.architecture = architecture
    self.result = result
  }
}

extension Store {
  /// - Throws: `StoreError.exists` if the id is taken.
  public func addStudy(_ study: Study) throws {
    try write { db in
      do {
        try db.execute(
          sql: """
            INSERT INTO studies (id, space, device, searcher, seed, options, status, state, created,
              updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
          arguments: [
            study.id, study.space, study.device, study.searcher, Int64(bitPattern: study.seed),
            study.options, study.status.rawValue, study.state, study.created, study.updated,
          ])
      } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
        throw StoreError(.exists, "study '\(study.id)' exists already")
      }
    }
  }

  /// Saves how far a study is: its state, its status and the trials since the last checkpoint, in
  /// one transaction. A trial whose number is there already is replaced; a study that ends has these
  /// trials only, whatever an earlier end left.
  ///
  /// - Throws: `StoreError.notFound`.
  public func checkpoint(
    study id: String, state: Data?, status: Study.Status, trials: [Trial] = []
  ) throws {
    try write { db in
      try db.execute(
        sql: "UPDATE studies SET state = ?, status = ?, updated = ? WHERE id = ?",
        arguments: [state, status.rawValue, Store.now(), id])
      guard db.changesCount == 1 else { throw StoreError(.notFound, "unknown study '\(id)'") }
      if status == .finished {
        try db.execute(sql: "DELETE FROM trials WHERE study = ?", arguments: [id])
      }
      for trial in trials {
        try db.execute(
          sql: """
            INSERT OR REPLACE INTO trials (study, number, architecture, result) VALUES (?, ?, ?, ?)
            """,
          arguments: [id, trial.number, trial.architecture, trial.result])
      }
    }
  }

  /// - Throws: `StoreError.notFound`.
  public func study(_ id: String) throws -> Study {
    let found = try read { db in
      try Row.fetchOne(db, sql: "SELECT * FROM studies WHERE id = ?", arguments: [id])
        .map(Study.init(row:))
    }
    guard let found else { throw StoreError(.notFound, "unknown study '\(id)'") }
    return found
  }

  /// Every study, the newest last.
  public func studies() throws -> [Study] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM studies ORDER BY created, rowid")
        .map(Study.init(row:))
    }
  }

  /// The trials of a study, by number.
  public func trials(of study: String) throws -> [Trial] {
    try read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM trials WHERE study = ? ORDER BY number", arguments: [study]
      ).map {
        try Trial(
          number: $0.value("number"), architecture: $0.value("architecture"),
          result: $0.value("result"))
      }
    }
  }
}

extension Study {
  fileprivate init(row: Row) throws {
    let seed: Int64 = try row.value("seed")
    try self.init(
      id: row.value("id"), space: row.value("space"), device: row.value("device"),
      searcher: row.value("searcher"), seed: UInt64(bitPattern: seed),
      options: row.value("options"))
    status = try Status(rawValue: row.value("status")) ?? .failed
    state = try row.value("state")
    created = try row.value("created")
    updated = try row.value("updated")
  }
}
