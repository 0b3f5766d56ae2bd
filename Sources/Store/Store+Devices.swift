internal import GRDB

/// A device as the store keeps it: its name and its description as JSON.
public struct StoredDevice: Equatable, Sendable {
  public var name: String
  public var description: String
  /// UTC, ISO 8601.
  public var created: String

  public init(name: String, description: String, created: String = Store.now()) {
    self.name = name
    self.description = description
    self.created = created
  }
}

extension Store {
  /// Adds a device.
  ///
  /// - Throws: `StoreError.exists` if the name is taken and `replacing` is false.
  public func addDevice(_ device: StoredDevice, replacing: Bool = false) throws {
    try write { db in
      let isThere = try Row.fetchOne(
        db, sql: "SELECT 1 FROM devices WHERE name = ?", arguments: [device.name])
      guard isThere == nil || replacing else {
        throw StoreError(
          .exists, "device '\(device.name)' exists already; remove it first, or replace it")
      }
      try db.execute(
        sql: """
          INSERT INTO devices (name, description, created, updated) VALUES (?, ?, ?, ?)
          ON CONFLICT (name) DO UPDATE SET description = excluded.description,
            updated = excluded.updated
          """,
        arguments: [device.name, device.description, device.created, Store.now()])
    }
  }

  /// Changes the description of the device called `name` to what `change` returns, in one
  /// transaction; a device that is gone stays so, and nothing returned changes nothing.
  public func changeDevice(
    named name: String, _ change: (StoredDevice) throws -> String?
  ) throws {
    try write { db in
      guard
        let row = try Row.fetchOne(
          db, sql: "SELECT * FROM devices WHERE name = ?", arguments: [name]),
        let description = try change(StoredDevice(row: row))
      else { return }
      try db.execute(
        sql: "UPDATE devices SET description = ?, updated = ? WHERE name = ?",
        arguments: [description, Store.now(), name])
    }
  }

  /// Every device, by name.
  public func storedDevices() throws -> [StoredDevice] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM devices ORDER BY name").map(StoredDevice.init(row:))
    }
  }

  /// The device called `name`.
  ///
  /// - Throws: `StoreError.unknownDevice`, naming the devices there are.
  public func storedDevice(named name: String) throws -> StoredDevice {
    let all = try storedDevices()
    guard let found = all.first(where: { $0.name == name }) else {
      throw StoreError.unknownDevice(name, known: all.map(\.name))
    }
    return found
  }

  /// Forgets the device called `name`; its samples stay.
  ///
  /// - Throws: `StoreError.unknownDevice`.
  public func removeDevice(named name: String) throws {
    _ = try storedDevice(named: name)
    try write { db in
      try db.execute(sql: "DELETE FROM devices WHERE name = ?", arguments: [name])
    }
  }
}

extension StoredDevice {
  fileprivate init(row: Row) throws {
    try self.init(
      name: row.value("name"), description: row.value("description"),
      created: row.value("created"))
  }
}

extension StoreError {
  static func unknownDevice(_ name: String, known: [String]) -> StoreError {
    let mend =
      known.isEmpty
      ? "there is none yet: swiftlet device add \(name) --worker \"...\""
      : "there is \(known.joined(separator: ", "))"
    return StoreError(.unknownDevice, "unknown device '\(name)'; \(mend)")
  }
}
