import Architectures
import Devices
import Foundation
import ONNXFormat
import Predictors
import Store

/// The few-shot predictor of one device: the bundled model and the device's samples.
struct FewShotAdaptation {
  /// Samples of a space from which on its predictor is taken without being asked for.
  static let fewest = 10
  /// Samples that predictions can be checked with.
  static let fewestToCheck = 3

  let device: String
  let model: FewShotModel
  let samples: [Sample]
  /// Spaces of samples and questions.
  let encoders: [SpaceEncoder]
  private let points: [(encoding: ArchitectureEncoding, latency: Milliseconds)]

  /// - Parameter questions: spaces whose networks will be asked about.
  /// - Throws: `Failure` when samples are too few.
  init(
    device: String, samples: [Sample], modelPath: String? = nil, questions: [SearchSpace] = [],
    quiet: Bool = false
  ) throws {
    self.device = device
    model = try FewShotModel(contentsOf: modelPath ?? Self.bundledModel())
    let encoder = ArchitectureEncoder()
    var spaces: [String: SpaceEncoder] = [:]
    for space in questions { spaces[space.name] = SpaceEncoder(space, encoder: encoder) }
    var points: [(encoding: ArchitectureEncoding, latency: Milliseconds)] = []
    var kept: [Sample] = []
    for sample in samples {
      if let graph = try Self.graph(of: sample) {
        points.append((encoder.encode(graph), sample.latencyMedian))
      } else if let name = sample.id.firstIndex(of: ":").map({ String(sample.id[..<$0]) }),
        let space = try? spaces[name]
          ?? SpaceEncoder(
            SpaceCatalog.standard.space(name), encoder: encoder)
      {
        spaces[name] = space
        points.append(
          (try space.encode(space.space.genotype(id: sample.id)), sample.latencyMedian))
      } else {
        continue
      }
      kept.append(sample)
    }
    if kept.count < samples.count {
      Terminal.note(
        "note: \(samples.count - kept.count) samples are of networks that are not at hand",
        quiet: quiet)
    }
    guard kept.count > 1 else {
      throw Failure(
        .input,
        "\(kept.count) usable samples of '\(device)': a predictor needs two at least and is good "
          + "from 10 on; measure some with: swiftlet predictor adapt --device \(device) --space S")
    }
    self.samples = kept
    self.points = points
    encoders = spaces.values.sorted { $0.space.name < $1.space.name }
  }

  /// From the store.
  init(
    device: String, store: Store, modelPath: String? = nil, questions: [SearchSpace] = [],
    quiet: Bool = false
  ) throws {
    let samples = try Self.comparable(device, store)
    if let own = try? store.device(named: device).conditions, let used = samples.first?.conditions,
      used != own
    {
      Terminal.note(
        "note: the samples of '\(device)' were taken under other conditions "
          + "(\(used.isEmpty ? "none stated" : used)) than its own (\(own))", quiet: quiet)
    }
    try self.init(
      device: device, samples: samples, modelPath: modelPath, questions: questions, quiet: quiet)
  }

  /// The network of a sample that comes from no space: a family's, a text, or a file that still
  /// holds what was measured.
  private static func graph(of sample: Sample) throws -> OperatorGraph? {
    if let graph = try NetworkID.free(sample.id) { return graph }
    guard FileManager.default.fileExists(atPath: sample.id) else { return nil }
    let graph = try ONNXFile.read(URL(fileURLWithPath: sample.id)).graph
    return sample.network == sample.id || sample.network == graph.digest ? graph : nil
  }

  func predictor() throws -> FewShotPredictor {
    try model.adapted(to: points, spaces: encoders)
  }

  /// Each sample predicted from the others.
  func leaveOneOut(confidence: Double = 0.9) throws -> [FewShotModel.Held] {
    try model.leaveOneOut(points, spaces: encoders, confidence: confidence)
  }

  static func bundledModel() throws -> String {
    if let folder = SpaceCatalog.bundledFolder("checkpoints") {
      let path = "\(folder)/latency-fewshot.safetensors"
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    throw Failure(
      .unavailable,
      "no few-shot latency model came with the command; train one with: swiftlet predictor train "
        + "--recipe checkpoints/latency-fewshot.recipe.json --data DIR -o FILE")
  }

  /// Samples that were taken alike: under the device's own conditions where it is known, else under
  /// the only ones there are. Probes of kernels are left out: half of them are single layers, and
  /// beside a thousand of them the error of whole networks is twice as large, or more.
  static func comparable(_ device: String, _ store: Store) throws -> [Sample] {
    let samples = try store.samples(device: device).filter { $0.space != ProbeSamples.space }
    let groups = Dictionary(grouping: samples, by: \.conditions)
    if let own = try? store.device(named: device), let found = groups[own.conditions] {
      return found
    }
    guard groups.count <= 1 else {
      throw Failure(
        .input,
        "samples of '\(device)' were taken under \(groups.count) conditions ("
          + groups.keys.sorted().map { $0.isEmpty ? "none stated" : $0 }.joined(separator: "; ")
          + "); give each its own device name")
    }
    return samples
  }
}
