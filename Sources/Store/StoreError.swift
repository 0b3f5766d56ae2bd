public import Architectures
internal import Files
internal import GRDB

/// What can go wrong with the store and the files it reads: one line saying what, where and the mend.
public struct StoreError: ReportableError, Equatable {
  public enum Code: String, Sendable {
    /// The store was written by a later version of Swiftlet.
    case newerSchema
    /// The file is no Swiftlet store.
    case notAStore
    /// The store cannot be opened, read or written where it is.
    case unavailable
    /// The disk is full.
    case diskFull
    /// Something else still holds the store.
    case busy
    /// Something of that name is there already.
    case exists
    /// Nothing of that name is there.
    case notFound
    /// No device of that name.
    case unknownDevice
    /// A file handed in by a person has a mistake.
    case badInput
    /// SQLite failed in another way.
    case failed
  }

  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }

  /// The exit code of a command that ends with this error.
  public var exitCode: Int32 {
    switch code {
    case .newerSchema, .notAStore, .badInput, .exists, .notFound: 65
    case .unavailable, .busy, .unknownDevice: 69
    case .diskFull, .failed: 1
    }
  }

  /// A mistake in a CSV file, named by file and line.
  public static func csv(_ file: String, _ line: Int, _ what: String) -> StoreError {
    StoreError(.badInput, "\(file):\(line): \(what)")
  }

  /// `error` as a `StoreError` if the store's file is at fault, else unchanged.
  static func wrapping(_ error: any Error, path: String) -> any Error {
    if let error = error as? FileError { return StoreError(.unavailable, error.description) }
    if let error = error as? StoredValueError {
      return StoreError(.notAStore, "\(path): \(error.description)")
    }
    guard let error = error as? DatabaseError else { return error }
    let reason = error.message ?? error.resultCode.description
    switch error.resultCode.primaryResultCode {
    case .SQLITE_FULL:
      return StoreError(.diskFull, "\(path): the disk is full; free some space and run again")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return StoreError(.busy, "\(path): another process holds the store (\(reason)); try again")
    case .SQLITE_NOTADB, .SQLITE_CORRUPT:
      return StoreError(.notAStore, "\(path): not a Swiftlet store (\(reason))")
    case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_IOERR, .SQLITE_AUTH:
      return StoreError(.unavailable, "\(path): the store cannot be opened or written (\(reason))")
    default:
      return StoreError(.failed, "\(path): \(reason)")
    }
  }
}
