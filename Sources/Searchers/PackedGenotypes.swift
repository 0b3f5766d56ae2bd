internal import Architectures
internal import Foundation

/// Genotypes as checkpoints write them: one string, `genes:base64`, instead of an array of numbers
/// for each (a fifth of the time and half the size).
struct PackedGenotypes: Codable, Hashable, Sendable {
  var genotypes: [Genotype]

  init(_ genotypes: [Genotype]) { self.genotypes = genotypes }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let genes = Int(parts[0]), genes >= 0,
      let data = Data(base64Encoded: String(parts[1])),
      genes == 0 ? data.isEmpty : data.count % genes == 0
    else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "genotypes are written genes:base64")
    }
    let bytes = [UInt8](data)
    genotypes = stride(from: 0, to: bytes.count, by: max(genes, 1)).map {
      Genotype(Array(bytes[$0..<($0 + genes)]))
    }
  }

  func encode(to encoder: any Encoder) throws {
    let genes = genotypes.first?.genes.count ?? 0
    let data = Data(genotypes.flatMap(\.genes))
    var container = encoder.singleValueContainer()
    try container.encode("\(genes):\(data.base64EncodedString())")
  }
}
