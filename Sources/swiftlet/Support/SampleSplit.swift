import Architectures
import Foundation
import Predictors
import Store

/// Samples of one space on one device, divided by seed into those that a predictor may see and
/// those that score it.
struct SampleSplit {
  var seen: [LookupTablePredictor.Sample] = []
  var heldOut: [LookupTablePredictor.Sample] = []

  /// - Parameter device: whose samples are taken; all, where the file has those of one device only.
  /// - Throws: `Failure` when the file has too few samples of the space, samples of several devices
  ///   or conditions, or a network twice.
  init(file: String, space: SearchSpace, device: String?, holdout: Int, seed: UInt64) throws {
    guard let data = FileManager.default.contents(atPath: file),
      let text = String(data: data, encoding: .utf8)
    else { throw Failure(.input, "\(file): no such file, or no UTF-8 text") }
    let samples = try SamplesCSV.parse(
      text, file: file, device: device ?? "-", allowingSubMillisecond: true
    ).filter { $0.id.hasPrefix(space.name + ":") && (device == nil || $0.device == device) }
    try Self.requireOneDevice(samples, file)
    var known: [String: LookupTablePredictor.Sample] = [:]
    for sample in samples {
      let genotype = try space.genotype(id: sample.id)
      let other = known.updateValue(
        LookupTablePredictor.Sample(genotype, measured: sample.latencyMedian),
        forKey: space.id(genotype))
      guard other == nil else {
        throw Failure(.input, "\(file): \(space.id(genotype)) is there twice; keep one of them")
      }
    }
    let sorted = known.sorted { $0.key < $1.key }.map(\.value)
    // Ids differ where networks don't; one that is seen must not score. Their mean counts.
    var order = try space.sameNetworks(sorted.map(\.genotype)).map { places in
      let sum = places.reduce(0) { $0 + sorted[$1].measured.value }
      return LookupTablePredictor.Sample(
        sorted[places[0]].genotype, measured: Milliseconds(sum / Double(places.count)))
    }
    guard holdout >= 0, order.count > holdout else {
      throw Failure(
        .input,
        "\(file): \(order.count) samples of \(space.name)"
          + (device.map { " on '\($0)'" } ?? "")
          + "; holding out \(holdout) leaves none to learn from")
    }
    var generator = SeededGenerator(seed: seed, stream: "sample split")
    for index in order.indices.reversed() {
      order.swapAt(index, generator.next(below: index + 1))
    }
    heldOut = Array(order.prefix(holdout))
    seen = Array(order.dropFirst(holdout))
  }

  private static func requireOneDevice(_ samples: [Sample], _ file: String) throws {
    let devices = Set(samples.map(\.device)).sorted()
    guard devices.count < 2 else {
      throw Failure(
        .input,
        "\(file): samples of '\(devices.joined(separator: "', '"))'; choose one with --device")
    }
    // What one row leaves open another may state; all of them must go together.
    let stated = Set(samples.map(\.circumstances))
    guard stated.allSatisfy({ one in stated.allSatisfy(one.agrees) }) else {
      throw Failure(
        .input,
        "\(file): samples of '\(devices[0])' under \(stated.count) conditions ("
          + stated.map(\.description).sorted().joined(separator: "; ")
          + "); keep those of one, or give each its own device name")
    }
  }
}
