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

  /// - Parameter measures: whether the search corrects predictions by what it measures.
  /// - Throws: `Failure` when nothing fits, or `confidence` is asked of what has no intervals.
  init(
    named path: String?, space: SearchSpace, device: String, confidence: Double?, measures: Bool,
    store: Store, quiet: Bool
  ) throws {
    let kind = try path.map { try PredictorKind(ofFile: $0) }
    switch kind {
    case .fewShotLatency:
      file = path!
      let found = try FewShotAdaptation.comparable(device, store)
      guard found.samples.count > 1 else {
        throw Failure(
          .input,
          "\(file) needs samples of '\(device)'; measure some with: swiftlet predictor adapt "
            + "--device \(device) --space \(space.name)")
      }
      try learn(from: found, of: device, for: space, quiet: quiet)
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
        let found = try FewShotAdaptation.comparable(device, store)
        // Few are worse than the device's own table, or another's that the search corrects by what
        // it measures, but better than another's as it is.
        let table = try? BundledFiles.table(space: space.name, device: device)
        let hasTable = table.map { $0.isOwn || measures } ?? false
        let needed = hasTable || confidence != nil ? FewShotAdaptation.fewest : 2
        let isEnough = found.samples.count { $0.space == space.name } >= needed
        if isEnough, (try? FewShotAdaptation.bundledModel()) != nil {
          try learn(from: found, of: device, for: space, quiet: quiet)
        }
      } catch let error as Failure where confidence == nil {
        notes.append("samples of '\(device)' are not used: \(error)")
      }
      guard samples == nil, confidence == nil else { break }
      let table = try BundledFiles.table(space: space.name, device: device)
      file = table.path
      if table.isOwn {
        if let doubt = try BundledFiles.doubt(ofTable: file, device: device, store) {
          notes.append(doubt)
        }
      } else {
        // A misspelt name must not get another machine's latencies.
        if try store.samples(device: device).isEmpty { _ = try store.device(named: device) }
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

  /// Takes the samples whose networks are at hand, and says which are not used.
  private mutating func learn(
    from found: (samples: [Sample], note: String?), of device: String, for space: SearchSpace,
    quiet: Bool
  ) throws {
    let adaptation = try FewShotAdaptation(
      device: device, samples: found.samples, modelPath: file.isEmpty ? nil : file,
      questions: [space], quiet: quiet)
    if let note = found.note { notes.append(note) }
    samples = try adaptation.samples.map { sample in
      MeasuredNetwork(
        id: try FewShotAdaptation.graph(of: sample).map(NetworkID.text) ?? sample.id,
        network: sample.network == sample.id || sample.space.isEmpty ? nil : sample.network,
        latencyMs: sample.latencyMedian.value)
    }
  }
}
