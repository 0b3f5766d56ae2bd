public import Architectures
import Foundation
internal import Store

/// Networks with measured accuracies, read from a published table and encoded.
///
/// Rows of equal architectures are averaged: a repeated one must not be trained and scored on.
public struct AccuracyTable: Sendable {
  /// What the rows of a file describe.
  public enum Format: String, CaseIterable, Codable, Sendable {
    case nasBench101, nasBench201, mobileBlocks, onceForAll, macro, multiResolution
  }

  public let name: String
  public let encodings: [ArchitectureEncoding]
  public let accuracies: [Double]
  /// What tells the architectures apart, in order.
  public let keys: [String]
  let features: NetworkFeatures

  /// - Parameters:
  ///   - target: column of the accuracy; rows without a value are left out.
  ///   - catalog: has the spaces of ``Format/nasBench201`` and ``Format/onceForAll``.
  /// - Throws: `badSamples` naming file and line.
  public init(
    parsing text: String, file: String, format: Format, target: String, name: String,
    catalog: SpaceCatalog = .standard, encoder: ArchitectureEncoder
  ) throws {
    let table: CSVTable
    do {
      table = try CSVTable(parsing: text, file: file)
    } catch let error as StoreError {
      throw PredictorsError(.badSamples, error.message)
    }
    for column in [target] + format.columns where !table.header.contains(column) {
      throw PredictorsError(.badSamples, "\(file):1: no column '\(column)'")
    }
    let space = try format.spaceName.map { try catalog.space($0) }
    let spaceEncoder = space.map { SpaceEncoder($0, encoder: encoder) }
    var places: [String: Int] = [:]
    var encodings: [ArchitectureEncoding] = []
    var sums: [(sum: Double, count: Int)] = []
    var keys: [String] = []
    for row in table.rows {
      let fields = Dictionary(zip(table.header, row.fields)) { first, _ in first }
      let field = fields[target] ?? ""
      if field.isEmpty { continue }
      func fail(_ what: String) -> PredictorsError {
        PredictorsError(.badSamples, "\(file):\(row.line): \(what)")
      }
      guard let accuracy = Double(field), accuracy.isFinite else {
        throw fail("'\(field)' is no number")
      }
      do {
        let genotype = try space.map { try format.genotype(fields, in: $0) }
        let key =
          genotype.map { space!.id($0) }
          ?? format.columns.map { fields[$0] ?? "" }.joined(separator: " ")
        if let place = places[key] {
          sums[place].sum += accuracy
          sums[place].count += 1
          continue
        }
        places[key] = encodings.count
        keys.append(key)
        sums.append((accuracy, 1))
        if let genotype, let spaceEncoder {
          encodings.append(try spaceEncoder.encode(genotype))
        } else {
          encodings.append(encoder.encode(try format.graph(fields)))
        }
      } catch let error as ArchitecturesError {
        throw fail(error.message)
      } catch let error as PredictorsError {
        throw fail(error.message)
      }
    }
    self.name = name
    self.encodings = encodings
    self.keys = keys
    features = NetworkFeatures(encodings)
    accuracies = sums.map { $0.sum / Double($0.count) }
  }
}

extension AccuracyTable.Format {
  /// Columns that describe the architecture.
  var columns: [String] {
    switch self {
    case .nasBench101: ["vertices", "adjacency", "ops"]
    case .nasBench201: ["ops"]
    case .mobileBlocks: ["e", "k", "l", "se"]
    case .onceForAll: ["ks", "e", "d", "r"]
    case .macro: ["arch"]
    case .multiResolution: ["code"]
    }
  }

  /// The search space that the rows are architectures of.
  var spaceName: String? {
    switch self {
    case .nasBench201: "nasbench201"
    case .onceForAll: "ofa-mobilenetv3"
    default: nil
    }
  }

  func genotype(_ fields: [String: String], in space: SearchSpace) throws -> Genotype {
    guard self == .nasBench201 else {
      return space.canonical(try OFAArchitecture(fields).genotype(in: space))
    }
    let names = ["none", "skip", "c1", "c3", "p3"]
    let edges = try (fields["ops"] ?? "").utf8.map { digit in
      guard (48...52).contains(digit) else {
        throw PredictorsError(
          .badSamples, "ops '\(fields["ops"] ?? "")': six digits 0 to 4 are meant")
      }
      return names[Int(digit) - 48]
    }
    guard edges.count == 6 else {
      throw PredictorsError(
        .badSamples, "ops '\(fields["ops"] ?? "")': six digits 0 to 4 are meant")
    }
    return try space.genotype(
      id: "\(space.name):\(edges[0])-\(edges[1])_\(edges[2])-\(edges[3])_\(edges[4])_\(edges[5])")
  }

  func graph(_ fields: [String: String]) throws -> OperatorGraph {
    switch self {
    case .nasBench101:
      try NASBench101Cell(
        vertices: Int(fields["vertices"] ?? "") ?? 0, adjacency: fields["adjacency"] ?? "",
        operations: fields["ops"] ?? ""
      ).network()
    case .mobileBlocks: try MobileBlocksNetwork(fields).network()
    case .macro: try MacroNetwork(fields["arch"] ?? "").network()
    case .multiResolution: try MultiResolutionNetwork(fields["code"] ?? "").network()
    case .nasBench201, .onceForAll:
      throw PredictorsError(.failed, "\(rawValue) rows are read through their space")
    }
  }
}
