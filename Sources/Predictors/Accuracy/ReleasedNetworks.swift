public import Architectures
import Foundation
internal import Store

/// Released networks of a space with published accuracies at several resolutions.
public struct ReleasedNetworks: Sendable {
  public struct Network: Sendable {
    public var name: String
    /// At the resolution it was released for, which the space may not have.
    public var resolution: Int
    /// Blocks only; the resolution gene holds the reference.
    public var genotype: Genotype
    /// Published top-1, 0...1.
    public var accuracy: Double
  }

  public let networks: [Network]
  public let name: String
  public let digest: String

  /// Reads Once-for-All's released networks: columns `net_id`, `width`, `resolution`, `top1` (per
  /// cent), `ks`, `e`, `d`. Networks of another width and those that were fine-tuned for another
  /// number of epochs than `epochs` are left out: both change the accuracy.
  /// - Throws: `badSamples` naming file and line.
  public init(
    contentsOf path: String, space: SearchSpace, width: String = "1.0", epochs: Int = 25,
    reference: Int = 224
  ) throws {
    guard let data = FileManager.default.contents(atPath: path),
      let text = String(data: data, encoding: .utf8)
    else { throw PredictorsError(.badSamples, "\(path): cannot be read as text") }
    let table: CSVTable
    do {
      table = try CSVTable(parsing: text, file: path)
    } catch let error as StoreError {
      throw PredictorsError(.badSamples, error.message)
    }
    networks = try table.rows.compactMap { row in
      let fields = Dictionary(zip(table.header, row.fields)) { first, _ in first }
      guard fields["width"] == width, let name = fields["net_id"],
        name.hasSuffix("finetune-\(epochs)")
      else { return nil }
      do {
        var architecture = try OFAArchitecture(fields)
        guard let resolution = architecture.resolution,
          let accuracy = Double(fields["top1"] ?? ""), accuracy > 0, accuracy < 100
        else { throw PredictorsError(.badSamples, "needs 'resolution' and 'top1'") }
        architecture.resolution = reference
        return Network(
          name: name, resolution: resolution, genotype: try architecture.genotype(in: space),
          accuracy: accuracy / 100)
      } catch let error as PredictorsError {
        throw PredictorsError(.badSamples, "\(path):\(row.line): \(error.message)")
      }
    }
    name = URL(fileURLWithPath: path).lastPathComponent
    digest = SHA256.hex(data)
  }

  /// The law that carries `predictor`'s accuracies at `reference` over to other resolutions.
  func law(from predictor: AccuracyPredictor, reference: Int) throws -> ResolutionLaw {
    let atReference = try predictor.scores(networks.map(\.genotype))
    return try ResolutionLaw(
      fitting: zip(networks, atReference).map { network, accuracy in
        .init(
          resolution: network.resolution, published: network.accuracy, atReference: accuracy)
      }, reference: reference, source: "\(name), sha256:\(digest)")
  }
}
