public import Architectures
import Synchronization
public import Tensors

/// Encodes architectures of one space as sums over their units, which are encoded once each: some
/// microseconds an architecture, and no graph is built.
public final class SpaceEncoder: Sendable {
  public let space: SearchSpace
  /// For networks that come as graphs; shares the caches.
  public let encoder: ArchitectureEncoder
  private let index: UnitIndex?
  private let table = Mutex(Table())

  private struct Table: Sendable {
    var rows: [UnitIndex.Key: Int32] = [:]
    var parts: [EncodedPart] = []
  }

  /// Units that are kept, about 3 kB a piece; a full table starts over.
  private static let capacity = 65_536

  public init(_ space: SearchSpace, encoder: ArchitectureEncoder = ArchitectureEncoder()) {
    self.space = space
    self.encoder = encoder
    index = UnitIndex(space)
  }

  /// The encoding of one architecture, equal to that of its graph.
  public func encode(_ genotype: Genotype) throws -> ArchitectureEncoding {
    ArchitectureEncoding(values: try encode([genotype]))
  }

  /// The encodings of architectures as one row-major matrix
  /// `[genotypes.count, ArchitectureEncoding.count]`.
  /// - Throws: `ArchitecturesError` when a block does not fit, which the space's own check rules out.
  public func encode(_ genotypes: [Genotype], engine: Engine? = nil) throws -> [Double] {
    guard let index else {
      return try genotypes.flatMap { encoder.encode(try space.graph($0)).values }
    }
    var offsets = [0]
    var keys: [UnitIndex.Key] = []
    var own: [UnitIndex.Key] = []
    for genotype in genotypes {
      index.keys(of: genotype, into: &own)
      keys += own
      offsets.append(keys.count)
    }
    let (rows, parts) = try resolve(keys, index, engine)
    return Self.sums(rows: rows, offsets: offsets, parts: parts, engine: engine)
  }

  /// The rows of `keys` in a table of parts; missing ones are encoded, on all threads.
  private func resolve(_ keys: [UnitIndex.Key], _ index: UnitIndex, _ engine: Engine?) throws
    -> (rows: [Int32], parts: [EncodedPart])
  {
    func lookUp(_ table: Table) -> (rows: [Int32], missing: [UnitIndex.Key]) {
      var missing: Set<UnitIndex.Key> = []
      let rows = keys.map { key in
        if let row = table.rows[key] { return row }
        missing.insert(key)
        return -1
      }
      return (rows, missing.sorted { ($0.place, $0.choice) < ($1.place, $1.choice) })
    }
    let found = table.withLock { (lookUp($0), $0.parts) }
    if found.0.missing.isEmpty { return (found.0.rows, found.1) }
    let missing = found.0.missing
    let results = Mutex([Result<EncodedPart, any Error>?](repeating: nil, count: missing.count))
    func encode(_ range: Range<Int>) {
      for number in range {
        let part = Result { try encoder.part(index.unit(missing[number])) }
        results.withLock { $0[number] = part }
      }
    }
    if let engine {
      engine.parallel(missing.count, grain: 16, encode)
    } else {
      encode(0..<missing.count)
    }
    let parts = try results.withLock { try $0.map { try $0!.get() } }
    return table.withLock { table in
      if table.parts.count + parts.count > Self.capacity {
        table = Table()
        // A batch with more units than the table holds is answered from a table of its own.
        return largerThanTable(keys, index, known: found, missing, parts)
      }
      for (key, part) in zip(missing, parts) where table.rows[key] == nil {
        table.rows[key] = Int32(table.parts.count)
        table.parts.append(part)
      }
      return (lookUp(table).rows, table.parts)
    }
  }

  private func largerThanTable(
    _ keys: [UnitIndex.Key], _ index: UnitIndex,
    known: ((rows: [Int32], missing: [UnitIndex.Key]), [EncodedPart]), _ missing: [UnitIndex.Key],
    _ parts: [EncodedPart]
  ) -> (rows: [Int32], parts: [EncodedPart]) {
    let first = Int32(known.1.count)
    let numbers = Dictionary(
      uniqueKeysWithValues: missing.enumerated().map { ($0.element, first + Int32($0.offset)) })
    let rows = zip(keys, known.0.rows).map { key, row in row >= 0 ? row : numbers[key]! }
    return (rows, known.1 + parts)
  }
}
