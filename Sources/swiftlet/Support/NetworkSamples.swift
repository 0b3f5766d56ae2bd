import Architectures
import Foundation
import Predictors
import Store

/// Networks with measured accuracies from a user's CSV: columns `id` (an architecture's id or the
/// path of an ONNX file) and `accuracy`.
struct NetworkSamples {
  var encodings: [ArchitectureEncoding] = []
  var accuracies: [Double] = []
  var notes: [String] = []
  /// SHA-256 of the file's text.
  var digest: String
  /// Networks drawn from the samples' spaces, and the samples themselves; nothing where they come
  /// from no space.
  var population: [ArchitectureEncoding]?

  /// Networks drawn from each space.
  private static let drawn = 1000

  /// - Throws: `Failure` naming file and line.
  init(file: String, encoder: ArchitectureEncoder) throws {
    guard let text = try TextFile.read(file) else { throw Failure(.input, "\(file): no such file") }
    digest = SHA256.hex(text.utf8)
    let table = try CSVTable(parsing: text, file: file)
    guard let id = table.header.firstIndex(of: "id"),
      let accuracy = table.header.firstIndex(of: "accuracy")
    else { throw Failure(.input, "\(file):1: columns 'id' and 'accuracy' are needed") }
    var spaces: [String: SearchSpace] = [:]
    var places: [String: Int] = [:]
    var counts: [Int] = []
    for row in table.rows {
      let place = "\(file):\(row.line)"
      guard let value = Double(row.fields[accuracy]), value > 0, value <= 100 else {
        throw Failure(
          .input, "\(place): the accuracy '\(row.fields[accuracy])' is not above 0 and at most 100")
      }
      let network: NetworkArgument
      do {
        network = try NetworkArgument(row.fields[id])
      } catch {
        throw Failure(.input, "\(place): \(Failure.message(of: error))")
      }
      // One network may have several names.
      let key = network.graph.digest
      if let known = places[key] {
        // Repeated measurements of one network count as one, at their mean.
        accuracies[known] += (value - accuracies[known]) / Double(counts[known] + 1)
        counts[known] += 1
        notes.append("\(place): '\(row.fields[id].prefix(80))' again; the mean counts")
        continue
      }
      places[key] = accuracies.count
      accuracies.append(value)
      counts.append(1)
      encodings.append(encoder.encode(network.graph))
      if let space = network.space { spaces[space.name] = space }
    }
    if !spaces.isEmpty {
      population = try spaces.sorted { $0.key < $1.key }.reduce(into: encodings) {
        $0 += try SpaceEncoder($1.value, encoder: encoder).population(Self.drawn)
      }
    }
    if let low = accuracies.min(), let high = accuracies.max(), low <= 1, high > 1 {
      throw Failure(
        .input, "\(file): accuracies from \(low) to \(high): some are fractions, some per cent")
    }
  }
}
