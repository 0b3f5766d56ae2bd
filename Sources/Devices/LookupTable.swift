public import Architectures
internal import Files
import Foundation

/// Latencies of a space's operator blocks on one device; a network costs the sum of its blocks.
///
/// The sum of blocks measured alone is not yet the network: runtimes fuse across blocks, and every
/// run has a fixed cost. A `calibration` on a few whole networks accounts for both.
public struct LookupTable: Codable, Equatable, Sendable {
  /// One block's latency. What a published table doesn't say is absent.
  public struct Entry: Codable, Equatable, Sendable {
    public var milliseconds: Milliseconds
    public var p10: Milliseconds?
    public var p90: Milliseconds?
    public var repeats: Int?
    public var isStable: Bool?
    /// Standard error of the median, as a share of it.
    public var error: Double?

    public init(_ milliseconds: Milliseconds) { self.milliseconds = milliseconds }
  }

  /// Where the numbers come from.
  public struct Provenance: Codable, Equatable, Sendable {
    public var device: String
    /// The file or publication, for tables that others measured.
    public var source: String?
    public var runtime: String?
    public var runtimeVersion: String?
    public var cpu: String?
    public var threads: Int?
    public var batch: Int?
    public var precision: String?
    public var optimization: String?
    /// UTC, ISO 8601.
    public var date: String?
    public var settings: MeasurementSettings?

    public init(device: String) { self.device = device }
  }

  public var space: String
  public var provenance: Provenance
  /// By block key: what the space's key template yields.
  public var entries: [String: Entry]
  /// Whether keys begin with the input resolution and a slash, as `224/Conv-input:...`: published
  /// tables come as one file a resolution, with different numbers for equal keys.
  public var keysNameResolution: Bool
  public var calibration: Calibration?

  public init(
    space: String, provenance: Provenance, entries: [String: Entry] = [:],
    keysNameResolution: Bool = false, calibration: Calibration? = nil
  ) {
    self.space = space
    self.provenance = provenance
    self.entries = entries
    self.keysNameResolution = keysNameResolution
    self.calibration = calibration
  }

  /// The key under which the block `key` of a network with inputs of `resolution` is kept.
  public func key(_ key: String, resolution: Int) -> String {
    keysNameResolution ? "\(resolution)/\(key)" : key
  }

  /// The sum over `keys`, uncalibrated. A key counts as often as it occurs.
  ///
  /// - Throws: `DevicesError.missingKeys` naming the first and how many there are.
  public func sum(_ keys: some Sequence<String>) throws -> Milliseconds {
    var sum = 0.0
    var missing: [String] = []
    for key in keys {
      if let entry = entries[key] { sum += entry.milliseconds.value } else { missing.append(key) }
    }
    guard missing.isEmpty else { throw lacking(missing) }
    return Milliseconds(sum)
  }

  /// The calibrated latency of a network, the plain sum if there is no calibration.
  ///
  /// - Parameter resolution: of the network's input, in pixels.
  /// - Throws: `DevicesError.missingKeys`.
  public func latency(_ keys: [String], resolution: Int) throws -> Milliseconds {
    let sum = try sum(keys)
    return calibration?.latency(sum: sum, blocks: keys.count, resolution: resolution) ?? sum
  }

  /// Checks that the table covers a space.
  ///
  /// - Throws: `DevicesError.missingKeys` naming the first and how many of how many.
  public func requireEntries(for keys: some Sequence<String>) throws {
    let wanted = Set(keys)
    let missing = wanted.filter { entries[$0] == nil }.sorted()
    guard missing.isEmpty else { throw lacking(missing, of: wanted.count) }
  }

  private func lacking(_ missing: [String], of count: Int? = nil) -> DevicesError {
    let distinct = Set(missing).count
    let first = missing[0].split(whereSeparator: \.isNewline).joined(separator: "; ")
    let howMany = count.map { "\(distinct) of \($0) keys" } ?? "\(distinct) keys"
    return DevicesError(
      .missingKeys,
      "the table of '\(provenance.device)' for \(space) lacks \(howMany), first: \(first)")
  }
}

extension LookupTable {
  private static let schema = "swiftlet.lookup-table"

  private struct File: Codable {
    var schema = LookupTable.schema
    var version = 1
    var table: LookupTable
  }

  /// Reads a table.
  ///
  /// - Throws: `DevicesError.badTable` naming the file.
  public init(path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw DevicesError(.badTable, "\(path): cannot be read")
    }
    struct Head: Decodable {
      var schema: String
      var version: Int
    }
    guard let head = try? JSONDecoder().decode(Head.self, from: data),
      head.schema == Self.schema
    else {
      throw DevicesError(
        .badTable, "\(path): no lookup table of Swiftlet; read others with swiftlet table import")
    }
    guard head.version == 1 else {
      throw DevicesError(
        .badTable, "\(path): a table of format \(head.version); this Swiftlet reads format 1")
    }
    do {
      self = try JSONDecoder().decode(File.self, from: data).table
    } catch let error as DecodingError {
      throw DevicesError(.badTable, "\(path): \(error.problem)")
    }
    let bad = entries.filter {
      !($0.value.milliseconds.value.isFinite) || $0.value.milliseconds.value < 0
    }
    if let key = bad.keys.min() {
      throw DevicesError(.badTable, "\(path): the latency of '\(key)' is no latency")
    }
  }

  /// Writes the table, which appears whole or not at all.
  ///
  /// - Throws: `DevicesError.failed` naming the file.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      let data = try encoder.encode(File(table: self)) + Data("\n".utf8)
      try AtomicFile.replace(path, with: data)
    } catch {
      throw DevicesError(.failed, "\(error)")
    }
  }
}
