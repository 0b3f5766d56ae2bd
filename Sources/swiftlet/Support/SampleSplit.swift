import Architectures
import Foundation
import Predictors
import Store

/// Samples of one space on one device, divided by seed into those that a predictor may see and
/// those that score it.
struct SampleSplit {
  var seen: [LookupTablePredictor.Sample] = []
  var heldOut: [LookupTablePredictor.Sample] = []

  /// - Throws: `Failure` when the file has too few samples of the space.
  init(file: String, space: SearchSpace, holdout: Int, seed: UInt64) throws {
    guard let data = FileManager.default.contents(atPath: file),
      let text = String(data: data, encoding: .utf8)
    else { throw Failure(.input, "\(file): no such file, or no UTF-8 text") }
    let samples = try SamplesCSV.parse(text, file: file, device: "-")
      .filter { $0.id.hasPrefix(space.name + ":") }
    guard holdout >= 0, samples.count > holdout else {
      throw Failure(
        .input,
        "\(file): \(samples.count) samples of \(space.name); holding out \(holdout) leaves "
          + "none to learn from")
    }
    var generator = SeededGenerator(seed: seed, stream: "sample split")
    var order = samples.sorted { $0.id < $1.id }
    for index in order.indices.reversed() {
      order.swapAt(index, generator.next(below: index + 1))
    }
    let pairs = try order.map { sample in
      LookupTablePredictor.Sample(
        try space.genotype(id: sample.id), measured: sample.latencyMedian)
    }
    heldOut = Array(pairs.prefix(holdout))
    seen = Array(pairs.dropFirst(holdout))
  }
}
