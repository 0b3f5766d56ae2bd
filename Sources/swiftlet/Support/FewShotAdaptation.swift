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
            SpaceCatalog.standard.space(name), encoder: encoder),
        let encoding = try Self.encoding(of: sample, in: space)
      {
        spaces[name] = space
        points.append((encoding, sample.latencyMedian))
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
    let found = try Self.comparable(device, store)
    if let note = found.note { Terminal.note("note: \(note)", quiet: quiet) }
    try self.init(
      device: device, samples: found.samples, modelPath: modelPath, questions: questions,
      quiet: quiet)
  }

  /// The network of a sample that comes from no space: a family's, a text, or a file that still
  /// holds what was measured. What else has the sample's name, a folder or a text, is not it.
  static func graph(of sample: Sample) throws -> OperatorGraph? {
    if let graph = try NetworkID.free(sample.id) { return graph }
    guard FileManager.default.fileExists(atPath: sample.id),
      let graph = try? ONNXFile.read(URL(fileURLWithPath: sample.id)).graph
    else { return nil }
    return sample.network == sample.id || sample.network == graph.digest ? graph : nil
  }

  /// The encoding of a space's sample; `nil` where its id no longer stands for what was measured.
  private static func encoding(
    of sample: Sample, in space: SpaceEncoder
  ) throws -> ArchitectureEncoding? {
    guard let genotype = try? space.space.genotype(id: sample.id) else { return nil }
    if try sample.network == sample.id || sample.network == space.space.graph(genotype).digest {
      return try space.encode(genotype)
    }
    // A question's space may have other classes than the one that was measured.
    let measured = try? SpaceCatalog.standard.space(space.space.name).graph(genotype)
    return measured?.digest == sample.network ? measured.map(space.encoder.encode) : nil
  }

  /// - Parameter space: of the samples or questions.
  func encoder(of space: SearchSpace) -> SpaceEncoder {
    encoders.first { $0.space.name == space.name }!
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

  /// The device's samples that compare with each other, and what to say of the others.
  ///
  /// They were taken under the device's own settings where it is known, and with the runtime and the
  /// processor that the latest of them names: what the device is now. Of a network's samples the last
  /// counts. Probes of kernels are left out: half of them are single layers, and beside a thousand of
  /// them the error of whole networks is twice as large, or more.
  static func comparable(_ device: String, _ store: Store) throws
    -> (samples: [Sample], note: String?)
  {
    let all = try store.samples(device: device).filter { $0.space != ProbeSamples.space }
    let own = try? store.device(named: device).circumstances
    let taken = all.filter { own?.agrees(with: $0.circumstances) ?? false }
    let candidates = taken.isEmpty ? all : taken
    var meant = Circumstances()
    if taken.isEmpty {
      meant = candidates.last { !$0.conditions.isEmpty }?.circumstances ?? meant
    } else if let own {
      meant = own
    }
    (meant.runtime, meant.cpu) = (nil, nil)
    guard candidates.allSatisfy({ meant.agrees(with: $0.circumstances) }) else {
      let conditions = Set(candidates.map(\.conditions)).sorted()
      throw Failure(
        .input,
        "samples of '\(device)' were taken under \(conditions.count) conditions ("
          + conditions.map { $0.isEmpty ? "none stated" : $0 }.joined(separator: "; ")
          + "); give each its own device name")
    }
    let latest = candidates.reversed().filter { $0.runtime != nil || $0.cpu != nil }
      .max { ($0.date ?? "") < ($1.date ?? "") }
    (meant.runtime, meant.cpu) = (latest?.runtime, latest?.cpu)
    let comparable = candidates.filter { meant.agrees(with: $0.circumstances) }
    var last: [String: Int] = [:]
    for (index, sample) in comparable.enumerated() { last[sample.network] = index }
    let samples = comparable.enumerated().filter { last[$1.network] == $0 }.map(\.element)
    var note: String?
    if let other = all.first(where: { !meant.agrees(with: $0.circumstances) })?.circumstances {
      note =
        "\(all.count - comparable.count) samples of '\(device)' were taken otherwise (\(other)) than "
        + "its latest (\(meant)); they are left out"
    } else if let own, let first = samples.first, taken.isEmpty {
      note =
        "the samples of '\(device)' were taken under other conditions (\(first.conditions)) than its "
        + "own (\(own))"
    }
    return (samples, note)
  }
}
