import Architectures
import Devices
import Predictors
import Store

/// Where the latencies of a search come from: the file that the user named, else the few-shot
/// predictor where the device has samples of the space, else a lookup table.
struct LatencyChoice {
  /// Empty for the few-shot model that came along.
  var file = ""
  /// Samples that the few-shot predictor is made from.
  var samples: [MeasuredNetwork]?
  /// What the user should know of the choice.
  var notes: [String] = []

  /// - Throws: `Failure` when nothing fits, or `confidence` is asked of what has no intervals.
  init(
    named path: String?, space: SearchSpace, device: String, confidence: Double?, store: Store
  ) throws {
    let kind = try path.map { try PredictorKind(ofFile: $0) }
    switch kind {
    case .fewShotLatency:
      file = path!
      samples = try Self.samples(device, store)
      if samples?.count ?? 0 < 2 {
        throw Failure(
          .input,
          "\(file) needs samples of '\(device)'; measure some with: swiftlet predictor adapt "
            + "--device \(device) --space \(space.name)")
      }
    case .kernelLatency:
      file = path!
      let cost = try KernelCost(try KernelPredictor(contentsOf: file), space: space)
      let made = cost.predictor.provenance.device
      if made != device { notes.append("\(file) was made for '\(made)', not '\(device)'") }
      let unknown = cost.unknown.sorted().joined(separator: ", ")
      if !unknown.isEmpty { notes.append("no sample had \(unknown); their times are guesses") }
    case .lookupTable:
      file = path!
      let made = try LookupTable(path: file).provenance.device
      if made != device { notes.append("\(file) was made for '\(made)', not '\(device)'") }
    case .spaceAccuracy, .networkAccuracy, .networkRanking:
      throw Failure(
        .input, "\(path!) is \(kind!.text); --latency-predictor takes one that predicts latency")
    case nil:
      do {
        samples = try Self.fewShotSamples(space, device, store)
      } catch let error as Failure where confidence == nil {
        notes.append("samples of '\(device)' are not used: \(error)")
      }
      guard samples == nil, confidence == nil else { break }
      let table = try BundledFiles.table(space: space.name, device: device)
      file = table.path
      if !table.isOwn {
        notes.append(
          "no table of \(space.name) was measured on \(device); using \(file), measured on another "
            + "machine")
      }
    }
    guard confidence == nil || samples != nil else {
      let reason = kind.map { "\(path!) is \($0.text) and has no intervals; " } ?? ""
      throw Failure(
        .input,
        "\(reason)--confidence needs the few-shot predictor and \(FewShotAdaptation.fewest) samples "
          + "of \(space.name) on '\(device)'; measure some with: swiftlet predictor adapt --device "
          + "\(device) --space \(space.name)")
    }
  }

  /// The device's samples, where there are enough of this space and a model to adapt.
  private static func fewShotSamples(_ space: SearchSpace, _ device: String, _ store: Store) throws
    -> [MeasuredNetwork]?
  {
    guard (try? FewShotAdaptation.bundledModel()) != nil else { return nil }
    let samples = try FewShotAdaptation.comparable(device, store)
    guard samples.count(where: { $0.space == space.name }) >= FewShotAdaptation.fewest else {
      return nil
    }
    return samples.map(MeasuredNetwork.init)
  }

  private static func samples(_ device: String, _ store: Store) throws -> [MeasuredNetwork] {
    try FewShotAdaptation.comparable(device, store).map(MeasuredNetwork.init)
  }
}

extension MeasuredNetwork {
  init(_ sample: Sample) {
    self.init(id: sample.id, latencyMs: sample.latencyMedian.value)
  }
}
