public import Architectures
import Foundation
internal import Store
public import Tensors

extension LatencyDataset {
  /// Columns that describe the architecture; all others are devices.
  private static let described: Set<String> = ["arch_index", "ops", "ks", "e", "d", "r", "id"]

  /// Reads a table of latencies (`.csv` or `.csv.gz`): one row an architecture, one column a device.
  ///
  /// An architecture is an `id`, or `ops` (one digit a gene, the number of its choice), or the lists
  /// `ks`, `e`, `d`, `r` of Once-for-All, whose entries are single digits. Empty cells have no value.
  /// - Throws: `badSamples` with file and line.
  public init(
    contentsOf path: String, space: SearchSpace, encoder: SpaceEncoder? = nil,
    engine: Engine? = nil
  ) throws {
    let table: CSVTable
    do {
      table = try CSVTable(parsing: try DataFile.text(path), file: path)
    } catch let error as StoreError {
      throw PredictorsError(.badSamples, error.message)
    }
    func fail(_ line: Int, _ what: String) -> PredictorsError {
      PredictorsError(.badSamples, "\(path):\(line): \(what)")
    }
    let header = table.header
    guard !Self.described.subtracting(["arch_index", "r"]).isDisjoint(with: header) else {
      throw fail(1, "no column describes the architectures; 'id', 'ops' or 'ks,e,d,r' is meant")
    }
    var genotypes: [Genotype] = []
    var latencies: [String: [Double]] = [:]
    for row in table.rows {
      do {
        let fields = Dictionary(zip(header, row.fields), uniquingKeysWith: { first, _ in first })
        genotypes.append(try Self.genotype(fields, in: space))
      } catch let error as PredictorsError {
        throw fail(row.line, error.message)
      } catch let error as ArchitecturesError {
        throw fail(row.line, error.message)
      }
      for (name, field) in zip(header, row.fields) where !Self.described.contains(name) {
        guard let value = field.isEmpty ? .nan : Double(field), !(value < 0) else {
          throw fail(row.line, "\(name) is '\(field)'; milliseconds, or nothing, are meant")
        }
        latencies[name, default: []].append(value)
      }
    }
    try self.init(
      space: space, genotypes: genotypes, latencies: latencies, encoder: encoder, engine: engine)
  }

  private static func genotype(_ fields: [String: String], in space: SearchSpace) throws -> Genotype
  {
    if let id = fields["id"] { return try space.genotype(id: id) }
    if let digits = fields["ops"] {
      let choices = digits.utf8.map { Int($0) - 48 }
      guard choices.count == space.genes.count,
        zip(choices, space.genes).allSatisfy({ (0..<$1.count).contains($0) })
      else {
        throw PredictorsError(
          .badSamples, "ops '\(digits)' are no choices of the \(space.genes.count) genes")
      }
      return space.canonical(Genotype(choices.map { UInt8($0) }))
    }
    var lists = fields
    for name in ["ks", "e", "d"] {
      lists[name] = (fields[name] ?? "").map(String.init).joined(separator: " ")
    }
    return space.canonical(try OFAArchitecture(lists).genotype(in: space))
  }

  /// Adds the devices of another table of the same architectures, matched by genotype.
  public mutating func add(_ other: LatencyDataset, devices: [String]? = nil) {
    let rows = Dictionary(
      zip(other.genotypes, other.genotypes.indices), uniquingKeysWith: { first, _ in first })
    for device in devices ?? other.devices {
      guard let values = other.latencies[device] else { continue }
      latencies[device] = genotypes.map { rows[$0].map { values[$0] } ?? .nan }
    }
  }
}

/// Files of text, plain or packed by gzip.
enum DataFile {
  /// - Throws: `badSamples` naming the file.
  static func text(_ path: String) throws -> String {
    guard FileManager.default.fileExists(atPath: path) else {
      throw PredictorsError(.badSamples, "\(path): no such file")
    }
    let data: Data
    if path.hasSuffix(".gz") {
      let process = Process()
      let pipe = Pipe()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["gzip", "-dc", path]
      process.standardOutput = pipe
      process.standardError = FileHandle.nullDevice
      do {
        try process.run()
      } catch {
        throw PredictorsError(.failed, "\(path): gzip can't be run")
      }
      data = pipe.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else {
        throw PredictorsError(.badSamples, "\(path): gzip can't unpack it")
      }
    } else {
      data = FileManager.default.contents(atPath: path) ?? Data()
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw PredictorsError(.badSamples, "\(path): no UTF-8 text")
    }
    return text
  }
}
