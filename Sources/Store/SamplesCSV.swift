internal import Architectures
import Foundation

/// Samples as a CSV file; the columns are documented in `Docs/samples.md`.
public enum SamplesCSV {
  /// Every column, in the order in which they are written. Only the first and `latency_ms` must be
  /// there when reading.
  public static let columns = [
    "id", "space", "device", "latency_ms", "p10_ms", "p90_ms", "repeats", "warmup", "slowdown",
    "stable",
    "runtime", "runtime_version", "threads", "batch", "precision", "optimization", "cpu", "date",
    "network", "settings",
  ]

  /// The samples as CSV text.
  public static func text(_ samples: [Sample]) -> String {
    let rows = samples.map { sample -> [String] in
      [
        sample.id, sample.space, sample.device, "\(sample.latencyMedian.value)",
        sample.latencyP10.map { "\($0.value)" } ?? "",
        sample.latencyP90.map { "\($0.value)" } ?? "",
        sample.repeats.map(String.init) ?? "", sample.warmUp.map(String.init) ?? "",
        sample.slowdown.map { "\($0)" } ?? "",
        sample.isStable.map { $0 ? "true" : "false" } ?? "", sample.runtime ?? "",
        sample.runtimeVersion ?? "", sample.threads.map(String.init) ?? "",
        sample.batch.map(String.init) ?? "", sample.precision ?? "", sample.optimization ?? "",
        sample.cpu ?? "", sample.date ?? "", sample.network, sample.settings ?? "",
      ]
    }
    return CSVTable(header: columns, rows: rows).text
  }

  /// Reads CSV text.
  ///
  /// - Parameters:
  ///   - file: the name used in errors.
  ///   - device: the device of rows that name none.
  ///   - allowingSubMillisecond: takes files in which every latency is below 1 ms, which are
  ///     otherwise refused because they look like seconds, unless a row says how it was measured.
  /// - Throws: `StoreError.badInput` with file and line.
  public static func parse(
    _ text: String, file: String, device: String? = nil, allowingSubMillisecond: Bool = false
  ) throws -> [Sample] {
    let table = try CSVTable(parsing: text, file: file)
    for name in table.header where !columns.contains(name) {
      throw StoreError.csv(
        file, 1, "unknown column '\(name)'; the columns are \(columns.joined(separator: ", "))")
    }
    for name in ["id", "latency_ms"] where !table.header.contains(name) {
      throw StoreError.csv(file, 1, "no column '\(name)'")
    }
    guard !table.rows.isEmpty else { throw StoreError.csv(file, 1, "the file has no samples") }
    let samples = try table.rows.map {
      try Fields(file: file, line: $0.line, header: table.header, fields: $0.fields)
        .sample(defaultDevice: device)
    }
    try refuseDuplicates(samples, table.rows, file)
    let latencies = samples.map(\.latencyMedian)
    if let first = latencies.first, latencies.count >= 3, latencies.allSatisfy({ $0 == first }) {
      throw StoreError.csv(
        file, table.rows[0].line,
        "all \(latencies.count) latencies are \(first.value) ms: nothing can be learned from them")
    }
    let saysHow = samples.contains { $0.settings != nil }
    if !allowingSubMillisecond, !saysHow, let most = latencies.max(), most < Milliseconds(1) {
      throw StoreError.csv(
        file, table.rows[0].line,
        "every latency is below 1 (the largest is \(most.value)): these look like seconds, and "
          + "latency_ms is in milliseconds; if they are milliseconds, say --sub-millisecond")
    }
    return samples
  }

  private static func refuseDuplicates(
    _ samples: [Sample], _ rows: [CSVTable.Row], _ file: String
  ) throws {
    var lines: [[String]: Int] = [:]
    for (sample, row) in zip(samples, rows) {
      let key = [sample.device, sample.conditions, sample.network]
      if let line = lines.updateValue(row.line, forKey: key) {
        throw StoreError.csv(
          file, row.line, "\(sample.id) on '\(sample.device)' was given on line \(line) already")
      }
    }
  }
}

/// The fields of one row by column name; empty ones count as absent.
private struct Fields {
  let file: String
  let line: Int
  let header: [String]
  let fields: [String]

  func text(_ column: String) -> String? {
    guard let index = header.firstIndex(of: column), !fields[index].isEmpty else { return nil }
    return fields[index]
  }

  func milliseconds(_ column: String) throws -> Milliseconds? {
    try positive(column).map { Milliseconds($0) }
  }

  func positive(_ column: String) throws -> Double? {
    guard let text = text(column) else { return nil }
    guard let value = Double(text) else {
      throw StoreError.csv(file, line, "\(column) is '\(text)', which is no number")
    }
    guard value.isFinite, value > 0 else {
      throw StoreError.csv(file, line, "\(column) is \(text); above zero and finite is meant")
    }
    return value
  }

  func integer(_ column: String, from least: Int) throws -> Int? {
    guard let text = text(column) else { return nil }
    guard let value = Int(text), value >= least else {
      throw StoreError.csv(
        file, line, "\(column) is '\(text)'; a whole number from \(least) is meant")
    }
    return value
  }

  func flag(_ column: String) throws -> Bool? {
    switch text(column) {
    case nil: return nil
    case "true", "1": return true
    case "false", "0": return false
    case let text?:
      throw StoreError.csv(file, line, "\(column) is '\(text)'; true or false is meant")
    }
  }

  func sample(defaultDevice: String?) throws -> Sample {
    guard let id = text("id") else { throw StoreError.csv(file, line, "no id") }
    guard let device = text("device") ?? defaultDevice else {
      throw StoreError.csv(file, line, "no device: add a column 'device', or say --device")
    }
    guard let latency = try milliseconds("latency_ms") else {
      throw StoreError.csv(file, line, "no latency_ms for \(id)")
    }
    let space = text("space") ?? id.firstIndex(of: ":").map { String(id[..<$0]) } ?? ""
    var sample = Sample(
      id: id, space: space, network: text("network"), device: device, latencyMedian: latency)
    sample.latencyP10 = try milliseconds("p10_ms")
    sample.latencyP90 = try milliseconds("p90_ms")
    if let p10 = sample.latencyP10, p10 > latency {
      throw StoreError.csv(file, line, "p10_ms \(p10.value) is above latency_ms \(latency.value)")
    }
    if let p90 = sample.latencyP90, p90 < latency {
      throw StoreError.csv(file, line, "p90_ms \(p90.value) is below latency_ms \(latency.value)")
    }
    sample.repeats = try integer("repeats", from: 1)
    sample.warmUp = try integer("warmup", from: 0)
    sample.slowdown = try positive("slowdown")
    sample.isStable = try flag("stable")
    sample.runtime = text("runtime")
    sample.runtimeVersion = text("runtime_version")
    sample.threads = try integer("threads", from: 1)
    sample.batch = try integer("batch", from: 1)
    sample.precision = text("precision")
    sample.optimization = text("optimization")
    sample.cpu = text("cpu")
    sample.date = text("date")
    sample.settings = text("settings")
    return sample
  }
}
