public import Architectures
import Foundation
internal import Store

/// Architectures with measured accuracies.
public struct AccuracySamples: Sendable {
  /// One architecture in canonical form, with the mean of its measurements, 0...1.
  public struct Sample: Hashable, Sendable {
    public var genotype: Genotype
    public var accuracy: Double

    public init(_ genotype: Genotype, accuracy: Double) {
      self.genotype = genotype
      self.accuracy = accuracy
    }
  }

  /// Distinct architectures, in the order of their first measurement.
  public let samples: [Sample]
  /// Measurements, repeated ones included.
  public let measurements: Int
  /// File name and SHA-256 of what they were read from.
  public let name: String
  public let digest: String?

  /// Merges measurements of one network, whatever its genotypes: it may not be learned from and test.
  /// - Throws: as `SearchSpace.sameNetworks`.
  public init(
    _ measured: [Sample], space: SearchSpace, name: String, digest: String? = nil
  ) throws {
    let genotypes = measured.map { space.canonical($0.genotype) }
    samples = try space.sameNetworks(genotypes).map { places in
      let sum = places.reduce(0) { $0 + measured[$1].accuracy }
      return Sample(genotypes[places[0]], accuracy: sum / Double(places.count))
    }
    measurements = measured.count
    self.name = name
    self.digest = digest
  }

  /// Reads a CSV file: columns `id` and `accuracy` (0...1), or Once-for-All's `ks`, `e`, `d`, `r`
  /// and `top1` (per cent).
  /// - Throws: `badSamples` naming file and line.
  public init(contentsOf path: String, space: SearchSpace) throws {
    guard let data = FileManager.default.contents(atPath: path),
      let text = String(data: data, encoding: .utf8)
    else { throw PredictorsError(.badSamples, "\(path): cannot be read as text") }
    let table: CSVTable
    do {
      table = try CSVTable(parsing: text, file: path)
    } catch let error as StoreError {
      throw PredictorsError(.badSamples, error.message)
    }
    let isPublished = table.header.contains("ks") && table.header.contains("top1")
    func column(_ name: String) throws -> Int {
      guard let index = table.header.firstIndex(of: name) else {
        throw PredictorsError(
          .badSamples, "\(path):1: no column '\(name)'; 'id' and 'accuracy' are needed")
      }
      return index
    }
    let accuracyColumn = try column(isPublished ? "top1" : "accuracy")
    let idColumn = isPublished ? nil : try column("id")
    let measured = try table.rows.map { row -> Sample in
      func fail(_ what: String) -> PredictorsError {
        PredictorsError(.badSamples, "\(path):\(row.line): \(what)")
      }
      let field = row.fields[accuracyColumn]
      guard let value = Double(field) else { throw fail("'\(field)' is no accuracy") }
      let accuracy = isPublished ? value / 100 : value
      guard (0...1).contains(accuracy) else {
        throw fail("the accuracy \(field) is not in 0...\(isPublished ? 100 : 1)")
      }
      do {
        if let idColumn {
          return Sample(try space.genotype(id: row.fields[idColumn]), accuracy: accuracy)
        }
        let fields = Dictionary(zip(table.header, row.fields)) { first, _ in first }
        return Sample(try OFAArchitecture(fields).genotype(in: space), accuracy: accuracy)
      } catch let error as ArchitecturesError {
        throw fail(error.message)
      } catch let error as PredictorsError {
        throw fail(error.message)
      }
    }
    try self.init(
      measured, space: space, name: URL(fileURLWithPath: path).lastPathComponent,
      digest: SHA256.hex(data))
  }
}
