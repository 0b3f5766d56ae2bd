internal import GRDB

/// The accuracy of one architecture with one checkpoint's weights.
public struct StoredEvaluation: Equatable, Sendable {
  /// The architecture's id (`space:genes`).
  public var id: String
  /// Digest of the checkpoint's file.
  public var checkpoint: String
  /// Images it was counted on, and with which statistics, as one text.
  public var conditions: String
  /// Top-1, 0...1.
  public var accuracy: Double
  public var images: Int
  /// UTC, ISO 8601.
  public var date: String

  public init(
    id: String, checkpoint: String, conditions: String, accuracy: Double, images: Int,
    date: String = Store.now()
  ) {
    self.id = id
    self.checkpoint = checkpoint
    self.conditions = conditions
    self.accuracy = accuracy
    self.images = images
    self.date = date
  }
}

extension Store {
  /// Adds an evaluation; one of the same architecture, checkpoint and conditions gives way.
  public func add(_ evaluation: StoredEvaluation) throws {
    try write { db in
      try db.execute(
        sql: """
          INSERT OR REPLACE INTO evaluations (id, checkpoint, conditions, accuracy, images, date)
          VALUES (?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          evaluation.id, evaluation.checkpoint, evaluation.conditions, evaluation.accuracy,
          evaluation.images, evaluation.date,
        ])
    }
  }

  /// What was evaluated with a checkpoint under the same conditions, by id.
  public func evaluations(
    checkpoint: String, conditions: String
  ) throws -> [String: StoredEvaluation] {
    try read { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT * FROM evaluations WHERE checkpoint = ? AND conditions = ?",
        arguments: [checkpoint, conditions])
      let found = try rows.map {
        try StoredEvaluation(
          id: $0.value("id"), checkpoint: $0.value("checkpoint"),
          conditions: $0.value("conditions"), accuracy: $0.value("accuracy"),
          images: $0.value("images"), date: $0.value("date"))
      }
      return Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
    }
  }
}
