internal import Architectures
internal import Files
import Foundation
internal import Store

/// A block that is to be measured, made when its turn comes.
public struct BlockToMeasure {
  /// What the table calls it.
  public var key: String
  public var source: () throws -> NetworkSource

  public init(key: String, source: @escaping () throws -> NetworkSource) {
    self.key = key
    self.source = source
  }
}

/// Measures the distinct blocks of a space into a lookup table.
///
/// Each block is written to a journal beside the table as it is measured, one JSON object a line, so
/// that a killed run goes on where it was; the journal goes when the table is there.
public struct LookupTableBuilder {
  /// Told after each block.
  public struct Progress {
    /// Of the first tries, or of the second ones.
    public var done: Int
    public var total: Int
    public var key: String
    public var entry: LookupTable.Entry
    /// Whether the journal of an earlier run had the block.
    public var isKnown = false
    /// Whether the block was measured once more, as its median wasn't stable.
    public var isSecondTry = false
  }

  private struct Head: Codable, Equatable {
    var space: String
    var device: String
    var conditions: String
    /// Absent in journals of earlier versions.
    var runtime: String?
    var cpu: String?
    /// All blocks are scaled alike, also those of a resumed run.
    var quietReference: Milliseconds?
  }

  private struct Line: Codable {
    var key: String
    var entry: LookupTable.Entry
  }

  /// Blocks mostly fit into a processor's own caches, and feel a fifth of what slows the reference.
  public static let referenceShare = 0.2

  public let measurer: Measurer
  public let space: String
  /// Where the table goes.
  public let path: String

  public init(measurer: Measurer, space: String, path: String) {
    self.measurer = measurer
    self.space = space
    self.path = path
  }

  /// The journal's name.
  public var journal: String { path + ".partial" }

  /// The table at `path`, if it has all `keys` as this device's worker measures them.
  ///
  /// - Throws: `DevicesError` if the worker cannot be asked.
  public func finished(for keys: some Sequence<String>) throws -> LookupTable? {
    guard let table = try? LookupTable(path: path), table.space == space,
      (try? table.requireEntries(for: keys)) != nil
    else { return nil }
    let (device, provenance) = (measurer.client.device, table.provenance)
    let conditions = Sample.conditions(
      threads: provenance.threads, batch: provenance.batch, precision: provenance.precision,
      optimization: provenance.optimization)
    guard provenance.device == device.name, conditions == device.conditions,
      try measurer.worker().circumstances.agrees(
        with: Circumstances(runtime: provenance.runtime, cpu: provenance.cpu))
    else { return nil }
    return table
  }

  /// Measures `blocks`, each key once, and writes the table. What is not stable is measured a second
  /// time at the end, and the better try is kept.
  ///
  /// - Throws: `DevicesError`, and what the sources throw; blocks measured so far stay in the journal.
  public func build(
    _ blocks: [BlockToMeasure], progress: (Progress) -> Void = { _ in }
  ) throws -> LookupTable {
    let device = measurer.client.device
    let lock = try measurer.lock()
    defer { lock?.release() }
    let worker = try measurer.worker()
    var seen: Set<String> = []
    let blocks = blocks.filter { seen.insert($0.key).inserted }
    var entries = try resume(worker)
    let isResumed = !entries.isEmpty
    if !isResumed { try measurer.prepare() }
    let journal = try openJournal(isResumed: isResumed, head: head(worker))
    defer { try? journal.close() }
    /// The block's entry from now on: that of a first try, unless the second is better.
    func measure(_ block: BlockToMeasure) throws -> LookupTable.Entry {
      let statistics = try measurer.measure(
        block.source(), named: block.key, referenceShare: Self.referenceShare
      ).statistics
      if let first = entries[block.key], !statistics.improves(onError: first.error) {
        return first
      }
      var entry = LookupTable.Entry(statistics.latencyMedian)
      entry.p10 = statistics.latencyP10
      entry.p90 = statistics.latencyP90
      entry.repeats = statistics.repeats
      entry.isStable = statistics.isStable
      entry.error = statistics.error
      entries[block.key] = entry
      try append(JSONText.encode(Line(key: block.key, entry: entry)), to: journal)
      return entry
    }
    for (index, block) in blocks.enumerated() {
      let known = entries[block.key]
      let entry = try known ?? measure(block)
      progress(
        Progress(
          done: index + 1, total: blocks.count, key: block.key, entry: entry,
          isKnown: known != nil))
    }
    let unstable = blocks.filter { entries[$0.key]?.isStable == false }
    for (index, block) in unstable.enumerated() {
      progress(
        Progress(
          done: index + 1, total: unstable.count, key: block.key, entry: try measure(block),
          isSecondTry: true))
    }
    var provenance = LookupTable.Provenance(device: device.name)
    provenance.runtime = worker.runtime
    provenance.runtimeVersion = worker.runtimeVersion
    provenance.cpu = worker.cpu
    provenance.threads = device.threads
    provenance.batch = device.batch
    provenance.precision = device.precision
    provenance.optimization = device.optimization
    provenance.date = LatencyMeasurement.now()
    provenance.settings = device.measurement
    provenance.settings?.referenceShare = Self.referenceShare
    let table = LookupTable(
      space: space, provenance: provenance, entries: entries.filter { seen.contains($0.key) })
    try table.write(to: path)
    try? FileManager.default.removeItem(atPath: self.journal)
    return table
  }

  private func head(_ worker: WorkerDescription) -> Head {
    let device = measurer.client.device
    return Head(
      space: space, device: device.name, conditions: device.conditions, runtime: worker.runtime,
      cpu: worker.cpu, quietReference: measurer.quietReference)
  }

  /// The blocks of an earlier run. A last line that was cut off by a kill is dropped.
  private func resume(_ worker: WorkerDescription) throws -> [String: LookupTable.Entry] {
    guard let data = FileManager.default.contents(atPath: journal), !data.isEmpty else {
      return [:]
    }
    var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    lines.removeLast()  // empty, or cut off
    guard let first = lines.first else { return [:] }
    let decoder = JSONDecoder()
    guard let head = try? decoder.decode(Head.self, from: first) else {
      throw DevicesError(.badTable, "\(journal):1: no journal of a table; remove it to start anew")
    }
    let earlier = Circumstances(runtime: head.runtime, cpu: head.cpu)
    guard worker.circumstances.agrees(with: earlier) else {
      throw DevicesError(
        .badTable,
        "\(journal): blocks measured with \(head.runtime ?? "?") on \(head.cpu ?? "?"), and "
          + "'\(head.device)' is \(worker) now; remove it to start anew")
    }
    var expected = self.head(worker)
    (expected.runtime, expected.cpu) = (head.runtime, head.cpu)
    expected.quietReference = head.quietReference
    guard head == expected else {
      throw DevicesError(
        .badTable,
        "\(journal): blocks of \(head.space) on '\(head.device)' (\(head.conditions)), not of "
          + "\(expected.space) on '\(expected.device)' (\(expected.conditions)); remove it to start anew"
      )
    }
    var entries: [String: LookupTable.Entry] = [:]
    for (index, line) in lines.dropFirst().enumerated() {
      guard let line = try? decoder.decode(Line.self, from: line) else {
        throw DevicesError(.badTable, "\(journal):\(index + 2): no block; remove that line")
      }
      entries[line.key] = line.entry
    }
    if let quiet = head.quietReference { measurer.scale(to: quiet) }
    return entries
  }

  /// Opens the journal for appending, after its last whole line.
  private func openJournal(isResumed: Bool, head: Head) throws -> FileHandle {
    do {
      if !isResumed {
        try Data((JSONText.encode(head) + "\n").utf8).write(to: URL(fileURLWithPath: journal))
      }
      let handle = try FileHandle(forUpdating: URL(fileURLWithPath: journal))
      let whole = try handle.readToEnd() ?? Data()
      let end = whole.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
      try handle.truncate(atOffset: UInt64(end))
      try handle.seekToEnd()
      return handle
    } catch {
      throw unwritable(error)
    }
  }

  private func append(_ line: String, to handle: FileHandle) throws {
    do {
      try handle.write(contentsOf: Data((line + "\n").utf8))
    } catch {
      throw unwritable(error)
    }
  }

  private func unwritable(_ error: any Error) -> DevicesError {
    DevicesError(.failed, "\(journal): cannot be written (\(error.localizedDescription))")
  }
}
