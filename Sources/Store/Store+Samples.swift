internal import Architectures
internal import GRDB

extension Store {
  /// Adds `samples` in one transaction: all or none.
  ///
  /// - Parameter replacing: whether a sample of the same device, conditions and network gives way.
  /// - Throws: `StoreError.exists` naming the first sample that is there already.
  public func add(_ samples: [Sample], replacing: Bool = false) throws {
    try write { db in
      let insert = try db.makeStatement(sql: Self.insertSample)
      for sample in samples {
        if replacing {
          try db.execute(
            sql: "DELETE FROM samples WHERE device = ? AND conditions = ? AND network = ?",
            arguments: [sample.device, sample.conditions, sample.network])
        }
        do {
          try insert.execute(arguments: sample.arguments)
        } catch let error as DatabaseError
          where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE
        {
          let conditions = sample.conditions.isEmpty ? "" : " (\(sample.conditions))"
          throw StoreError(
            .exists,
            "a sample of \(sample.id) on '\(sample.device)'\(conditions) is there already; "
              + "--replace puts the new one in its place")
        }
      }
    }
  }

  public func add(_ sample: Sample, replacing: Bool = false) throws {
    try add([sample], replacing: replacing)
  }

  /// The sample of `network` on `device` under `conditions`, if it was measured.
  public func sample(network: String, device: String, conditions: String) throws -> Sample? {
    try read { db in
      try Row.fetchOne(
        db, sql: "SELECT * FROM samples WHERE device = ? AND conditions = ? AND network = ?",
        arguments: [device, conditions, network]
      ).map(Sample.init(row:))
    }
  }

  /// Samples in the order in which they came, of one device and one space if given.
  public func samples(device: String? = nil, space: String? = nil) throws -> [Sample] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM samples WHERE (:device IS NULL OR device = :device)
            AND (:space IS NULL OR space = :space) ORDER BY rowid
          """,
        arguments: ["device": device, "space": space]
      ).map(Sample.init(row:))
    }
  }

  /// Removes the samples of a device, or of one space on it.
  ///
  /// - Returns: how many there were.
  public func removeSamples(device: String, space: String? = nil) throws -> Int {
    try write { db in
      try db.execute(
        sql: "DELETE FROM samples WHERE device = :device AND (:space IS NULL OR space = :space)",
        arguments: ["device": device, "space": space])
      return db.changesCount
    }
  }

  private static let insertSample = """
    INSERT INTO samples (id, space, network, device, conditions, latency_ms, p10_ms, p90_ms, repeats,
      warmup, slowdown, stable, runtime, runtime_version, threads, batch, precision, optimization, cpu, date,
      settings)
    VALUES (:id, :space, :network, :device, :conditions, :latency_ms, :p10_ms, :p90_ms, :repeats,
      :warmup, :slowdown, :stable, :runtime, :runtime_version, :threads, :batch, :precision, :optimization, :cpu,
      :date, :settings)
    """
}

extension Sample {
  fileprivate var arguments: StatementArguments {
    [
      "id": id, "space": space, "network": network, "device": device, "conditions": conditions,
      "latency_ms": latencyMedian.value, "p10_ms": latencyP10?.value, "p90_ms": latencyP90?.value,
      "repeats": repeats, "warmup": warmUp, "slowdown": slowdown, "stable": isStable,
      "runtime": runtime,
      "runtime_version": runtimeVersion, "threads": threads, "batch": batch, "precision": precision,
      "optimization": optimization, "cpu": cpu, "date": date, "settings": settings,
    ]
  }

  fileprivate init(row: Row) throws {
    try self.init(
      id: row.value("id"), space: row.value("space"), network: row.value("network"),
      device: row.value("device"), latencyMedian: Milliseconds(row.value("latency_ms")))
    latencyP10 = try (row.value("p10_ms") as Double?).map { Milliseconds($0) }
    latencyP90 = try (row.value("p90_ms") as Double?).map { Milliseconds($0) }
    repeats = try row.value("repeats")
    warmUp = try row.value("warmup")
    slowdown = try row.value("slowdown")
    isStable = try row.value("stable")
    runtime = try row.value("runtime")
    runtimeVersion = try row.value("runtime_version")
    threads = try row.value("threads")
    batch = try row.value("batch")
    precision = try row.value("precision")
    optimization = try row.value("optimization")
    cpu = try row.value("cpu")
    date = try row.value("date")
    settings = try row.value("settings")
  }
}
