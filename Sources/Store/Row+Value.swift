internal import GRDB

/// A stored value of another kind than its column's.
struct StoredValueError: Error {
  let description: String
}

extension Row {
  /// The value of `column`, where the subscript would trap on one of another kind.
  func value<Value: DatabaseValueConvertible>(_ column: String) throws -> Value {
    do {
      return try decode(Value.self, forColumn: column)
    } catch is RowDecodingError {
      throw StoredValueError(
        description: "a stored '\(column)' is \(self[column] as DatabaseValue), which is of the "
          + "wrong kind; correct or delete its row")
    }
  }
}
