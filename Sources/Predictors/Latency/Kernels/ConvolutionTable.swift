internal import Architectures
import Foundation
internal import Store

/// Latencies of single convolutions as CSV with the columns `precision`, `type` (`r` regular, `d`
/// depthwise), `batch`, `cin`, `h`, `w`, `cout`, `kernel`, `stride`, `elmtfused` and `latency_ms`.
public struct ConvolutionTable: Sendable {
  public struct Row: Sendable {
    var precision: String
    /// Batch, input channels, height, width, output channels, kernel, stride, fused sum.
    var shape: [Int]
    var isDepthwise: Bool
    public var latency: Double
  }

  public let rows: [Row]
  private let precisions: [String]

  private static let sizes = ["batch", "cin", "h", "w", "cout", "kernel", "stride", "elmtfused"]

  /// - Throws: `badSamples` with file and line; `StoreError` for text that is no CSV.
  public init(csv text: String, file: String) throws {
    let table = try CSVTable(parsing: text, file: file)
    func column(_ name: String) throws -> Int {
      guard let index = table.header.firstIndex(of: name) else {
        throw PredictorsError(.badSamples, "\(file): no column '\(name)'")
      }
      return index
    }
    let (precision, type) = (try column("precision"), try column("type"))
    let latency = try column("latency_ms")
    let sizes = try Self.sizes.map(column)
    rows = try table.rows.map { row in
      let shape = sizes.compactMap { Int(row.fields[$0]) }
      guard shape.count == sizes.count, shape.dropLast().allSatisfy({ $0 > 0 }),
        let latency = Double(row.fields[latency]), latency > 0, latency.isFinite
      else {
        throw PredictorsError(
          .badSamples,
          "\(file), line \(row.line): sizes and latency_ms are numbers above zero")
      }
      return Row(
        precision: row.fields[precision], shape: shape, isDepthwise: row.fields[type] == "d",
        latency: latency)
    }
    precisions = Set(rows.map(\.precision)).sorted()
  }

  /// Kinds are pairs of precision and type.
  public var kinds: Int { 2 * precisions.count }

  /// Divides by seed and shape: a convolution is on the same side in all precisions.
  public func split(holdout: Double, seed: UInt64) -> (seen: [Row], heldOut: [Row]) {
    var parts: (seen: [Row], heldOut: [Row]) = ([], [])
    for row in rows {
      var random = SeededGenerator(seed: seed, stream: "\(row.shape) \(row.isDepthwise)")
      if random.nextUniform() < holdout {
        parts.heldOut.append(row)
      } else {
        parts.seen.append(row)
      }
    }
    return parts
  }

  public func part(_ row: Row) -> SumPart {
    let shape = row.shape.map(Double.init)
    let (batch, cin, height, width) = (shape[0], shape[1], shape[2], shape[3])
    let (cout, kernel, stride) = (shape[4], shape[5], shape[6])
    let bytes = row.precision == "fp32" ? 4.0 : row.precision == "int8" ? 1 : 2
    let pixels = batch * (height / stride).rounded(.up) * (width / stride).rounded(.up)
    let filter = kernel * kernel * (row.isDepthwise ? 1 : cin)
    let macs = pixels * cout * filter
    let moved = (
      input: bytes * batch * cin * height * width, output: bytes * pixels * cout,
      weight: bytes * cout * filter
    )
    let sum = moved.input + moved.output + moved.weight
    func padded(_ channels: Double, _ step: Double) -> Double {
      (channels / step).rounded(.up) * step / channels
    }
    let features =
      [macs, moved.input, moved.output, moved.weight, macs / sum, cin, cout, pixels, batch].map {
        log2($0)
      } + [width, height, kernel, stride, shape[7]]
      + [16.0, 32, 64].flatMap {
        [cin.truncatingRemainder(dividingBy: $0), cout.truncatingRemainder(dividingBy: $0)]
      }
    return SumPart(
      kind: 2 * (precisions.firstIndex(of: row.precision) ?? 0) + (row.isDepthwise ? 1 : 0),
      features: features.map { Float($0) },
      terms: [
        0.001, macs / 1e10, macs * padded(cin, 32) * padded(cout, 32) / 1e10, moved.input / 1e8,
        moved.output / 1e8, moved.weight / 1e8,
      ])
  }
}
