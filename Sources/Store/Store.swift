internal import Files
import Foundation
internal import GRDB

/// What Swiftlet remembers between runs: devices, samples, studies. One SQLite file in WAL mode.
///
/// Several processes may hold one store; a writer waits up to 30 s for another. Every method that
/// changes something is one transaction, so a killed process loses at most the change in flight.
public final class Store: Sendable {
  /// Where the file is.
  public let path: String
  let database: DatabasePool

  /// `$SWIFTLET_STORE`, or `.swiftlet/store.sqlite` in the working directory.
  public static func defaultPath() -> String {
    defaultPath(environment: ProcessInfo.processInfo.environment)
  }

  public static func defaultPath(environment: [String: String]) -> String {
    if let path = environment["SWIFTLET_STORE"], !path.isEmpty { return path }
    return ".swiftlet/store.sqlite"
  }

  /// Opens the store at `path`, and makes it and its folder if need be.
  ///
  /// - Throws: `StoreError`: `.newerSchema`, `.notAStore`, `.unavailable`, `.diskFull`.
  public init(path: String = Store.defaultPath()) throws {
    self.path = path
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw StoreError(.unavailable, "\(folder): the store's folder cannot be made there")
    }
    do {
      // One process at a time makes the file or brings it up to date; the others find it so.
      let lock = try FileLock(path + ".lock")
      defer { lock.release() }
      if let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int, size > 0
      {
        try Self.refuseForeign(path: path)
      }
      var configuration = Configuration()
      configuration.busyMode = .timeout(30)
      configuration.foreignKeysEnabled = true
      database = try DatabasePool(path: path, configuration: configuration)
      try Migrations.all.migrate(database)
    } catch {
      throw StoreError.wrapping(error, path: path)
    }
  }

  /// Looks at an existing file before anything is changed in it.
  private static func refuseForeign(path: String) throws {
    var configuration = Configuration()
    configuration.busyMode = .timeout(30)
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.read { db in
      if try Migrations.all.hasBeenSuperseded(db) {
        throw StoreError(
          .newerSchema,
          "\(path): the store was written by a newer Swiftlet; update this one, or name another "
            + "store with SWIFTLET_STORE")
      }
      let tables = try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      guard tables.isEmpty || tables.contains("grdb_migrations") else {
        throw StoreError(
          .notAStore,
          "\(path): a SQLite file of something else (it has a table '\(tables[0])'); name another "
            + "store with SWIFTLET_STORE")
      }
    }
    try queue.close()
  }

  func read<T>(_ body: (Database) throws -> T) throws -> T {
    do { return try database.read(body) } catch { throw StoreError.wrapping(error, path: path) }
  }

  /// One transaction.
  func write<T>(_ body: (Database) throws -> T) throws -> T {
    do { return try database.write(body) } catch { throw StoreError.wrapping(error, path: path) }
  }

  /// Now, as all dates in the store are written: UTC, ISO 8601, whole seconds.
  public static func now() -> String { ISO8601DateFormatter().string(from: Date()) }
}
