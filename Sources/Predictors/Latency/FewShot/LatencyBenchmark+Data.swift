public import Architectures
import Foundation
public import Tensors

extension LatencyBenchmark {
  /// Reads the splits and tables under `folder` (`latency/splits.json`, `latency/*.csv`,
  /// `accuracy/nb201_hw_nas_bench.csv.gz`).
  /// - Throws: `badSamples` naming the file that is missing or has a mistake.
  public init(
    folder: String, space: (String) throws -> SearchSpace, engine: Engine? = nil
  ) throws {
    let splits = try Splits(contentsOf: "\(folder)/latency/splits.json")
    var datasets: [String: LatencyDataset] = [:]
    for (name, id, file) in [
      ("nasbench201", "nasbench201", "nb201_help.csv.gz"),
      ("fbnet", "fbnet-cifar100", "fbnet_help.csv"), ("ofa", "ofa-mobilenetv3", "ofa_help.csv"),
    ] {
      let encoder = SpaceEncoder(try space(id))
      var data = try LatencyDataset(
        contentsOf: "\(folder)/latency/\(file)", space: encoder.space, encoder: encoder,
        engine: engine)
      if name == "nasbench201" {
        for (more, prefix) in [
          ("latency/nb201_multisource_1999.csv", ""),
          ("accuracy/nb201_hw_nas_bench.csv.gz", "hw-nas-bench "),
        ] where FileManager.default.fileExists(atPath: "\(folder)/\(more)") {
          var other = try LatencyDataset(
            contentsOf: "\(folder)/\(more)", space: encoder.space, encoder: encoder, engine: engine)
          other.latencies = Dictionary(
            uniqueKeysWithValues: other.latencies.map { (prefix + $0.key, $0.value) })
          data.add(other)
        }
      }
      datasets[name] = data
    }
    self.datasets = datasets
    helpTrain = splits.help.mapValues(\.train)
    helpTest = splits.help.mapValues(\.test)
    var tasks: [Task] = []
    let gaussian: [String: Double] = [
      "ND": 0.950, "NA": 0.811, "FD": 0.954, "F1": 0.854, "F2": 0.915, "F3": 0.928, "F4": 0.777,
      "FA": 0.672,
    ]
    for name in ["ND", "NA", "FD", "F1", "F2", "F3", "F4", "FA"] {
      guard let split = splits.nasflat[name] else { continue }
      var published: [(Double, String)] = []
      if let place = splits.published.tasks.firstIndex(of: name) {
        published.append((splits.published.nasflat[place], "NASFLAT"))
      }
      if let value = gaussian[name] { published.append((value, "GP on counts and sources")) }
      tasks.append(
        Task(
          name: name, space: split.space, train: split.train, test: split.test, samples: 20,
          published: published))
    }
    // The Edge TPU of NA was published for 1,999 networks; HW-NAS-Bench measured one on all.
    if var task = tasks.first(where: { $0.name == "NA" }),
      datasets["nasbench201"]?.latencies["hw-nas-bench c10_edgetpu_latency"] != nil
    {
      task.name = "NA-full"
      task.test = ["eyeriss", "hw-nas-bench c10_edgetpu_latency"]
      task.published = []
      tasks.append(task)
    }
    for (name, value) in [("nasbench201", 0.932), ("fbnet", 0.910), ("ofa", 0.982)] {
      guard let split = splits.help[name] else { continue }
      tasks.append(
        Task(
          name: "HELP-\(name)", space: name, train: split.train, test: split.test, samples: 10,
          published: [(value, name == "ofa" ? "HELP's checkpoint" : "HELP")]))
    }
    self.tasks = tasks
  }

  /// Scores transfer across spaces: trained on HELP's training devices in all spaces, a new device
  /// is measured on networks of one space and predicted on another.
  public func scoreTransfer(seeds: Int, seed: UInt64 = 0, samples: Int = 20) throws -> [Figure] {
    let spaces = ["nasbench201", "fbnet", "ofa"]
    let training = spaces.map { datasets[$0]!.with(devices: helpTrain[$0] ?? []) }
    let model = try FewShotModel.train(on: training, seed: seed)
    let unseen = Set(spaces.flatMap { helpTest[$0] ?? [] } + ["titan_rtx_1", "titan_rtx_32"])
      .subtracting(spaces.flatMap { helpTrain[$0] ?? [] }).sorted()
    var figures: [Figure] = []
    for from in spaces {
      for to in spaces where to != from {
        let devices = unseen.filter {
          datasets[from]!.latencies[$0] != nil && datasets[to]!.latencies[$0] != nil
        }
        guard !devices.isEmpty else { continue }
        var sums = FigureSums()
        for run in 0..<seeds {
          for device in devices {
            let metrics = try transfer(
              device, model, datasets[from]!, datasets[to]!, samples: samples,
              seed: seed &+ UInt64(run))
            for (name, value) in metrics { sums.add(Self.method, name, samples, run, value) }
          }
        }
        figures += sums.figures(task: "\(from) -> \(to) (\(devices.joined(separator: ", ")))")
      }
    }
    return figures
  }

  private func transfer(
    _ device: String, _ model: FewShotModel, _ from: LatencyDataset, _ to: LatencyDataset,
    samples: Int, seed: UInt64
  ) throws -> [(String, Double)] {
    var generator = SeededGenerator(seed: seed, stream: "transfer")
    let pool = Array(
      from.measured(on: device).shuffled(using: &generator).prefix(Self.poolSize))
    let asked = Array(to.measured(on: device).shuffled(using: &generator).prefix(Self.poolSize))
    let (own, other) = (from.encodings.selecting(pool), to.encodings.selecting(asked))
    var population = own
    population.values += other.values
    population.rows += other.rows
    let basis = FewShotBasis(sources: model.sources, population: population)
    let order = SampleSelection.choose(samples, basis: basis, prior: model.prior, pool: own)
    let predictor = try model.adapted(
      basis, own.selecting(order), order.map { from.latencies[device]![pool[$0]] })
    return Self.metrics(predictor.latencies(other), asked.map { to.latencies[device]![$0] })
  }
}

/// The splits file, as far as it is read.
private struct Splits: Decodable {
  struct Help: Decodable {
    var train: [String]
    var test: [String]
  }
  struct Nasflat: Decodable {
    var space: String
    var train: [String]
    var test: [String]
  }
  struct Published: Decodable {
    var tasks: [String]
    var nasflat: [Double]
    enum CodingKeys: String, CodingKey {
      case tasks
      case nasflat = "NASFLAT"
    }
  }
  var help: [String: Help]
  var nasflat: [String: Nasflat]
  var published: Published
  enum CodingKeys: String, CodingKey {
    case help, nasflat
    case published = "nasflat_published_spearman_20_samples"
  }

  init(contentsOf path: String) throws {
    do {
      self = try JSONDecoder().decode(
        Splits.self, from: Data(try DataFile.text(path).utf8))
    } catch let error as DecodingError {
      throw PredictorsError(
        .badSamples, "\(path): not the splits file it should be: \(error.problem)")
    }
  }
}
