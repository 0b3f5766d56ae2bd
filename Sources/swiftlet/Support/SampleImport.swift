import Architectures
import Devices
import Foundation
import Predictors
import Store

/// Samples from CSV files into the store, all of a file or nothing, mistakes named by line.
struct SampleImport {
  /// Device of rows that name none.
  var device: String?
  /// Of a file, whose name may not be one of the catalogue's.
  var space: SearchSpace?
  var replacing = false
  var subMillisecond = false
  var quiet = false

  /// - Returns: how many samples came in.
  func add(_ files: [String], to store: Store) throws -> Int {
    var count = 0
    for file in files {
      let samples = try read(file)
      try store.add(samples, replacing: replacing)
      count += samples.count
    }
    return count
  }

  /// Ids in canonical form with the digest of their network, so that the same network is the same
  /// sample wherever it came from. Names of files stay as they are.
  func read(_ file: String) throws -> [Sample] {
    guard let data = FileManager.default.contents(atPath: file),
      let text = String(data: data, encoding: .utf8)
    else { throw Failure(.input, "\(file): no such file, or no UTF-8 text") }
    var samples = try SamplesCSV.parse(
      text, file: file, device: device, allowingSubMillisecond: subMillisecond)
    let lines = try CSVTable(parsing: text, file: file).rows.map(\.line)
    noteOutliers(samples, lines, file)
    var spaces: [String: SearchSpace] = [:]
    if let space { spaces[space.name] = space }
    var first: [[String]: Int] = [:]
    for index in samples.indices {
      let id = samples[index].id
      if let graph = try NetworkID.free(id) {
        samples[index].network = graph.digest
      } else if let colon = id.firstIndex(of: ":") {
        let name = String(id[..<colon])
        do {
          let space = try spaces[name] ?? SpaceCatalog.standard.space(name)
          spaces[name] = space
          let genotype = try space.genotype(id: id)
          samples[index].id = space.id(genotype)
          samples[index].space = space.name
          samples[index].network = try space.graph(genotype).digest
        } catch let error as ArchitecturesError {
          throw Failure(.input, "\(file):\(lines[index]): \(error)")
        }
      }
      // Two ids may be one network.
      let sample = samples[index]
      let key = [sample.device, sample.conditions, sample.network]
      if let line = first.updateValue(lines[index], forKey: key) {
        throw Failure(
          .input,
          "\(file):\(lines[index]): \(sample.id) is the network of line \(line) once more")
      }
    }
    return samples
  }

  /// Refuses samples of `device` that predictors can't learn from beside each other and those that
  /// are stored: in the store they would stand in the way of a corrected file.
  func requireAgreement(
    _ samples: [Sample], of device: String, _ file: String, in store: Store
  ) throws {
    let own = samples.filter { $0.device == device && $0.space != ProbeSamples.space }
    let all = try store.samples(device: device).filter { $0.space != ProbeSamples.space } + own
    // Those under the settings of a device that is known suffice; others are left out.
    let settings = try? store.device(named: device).circumstances
    if let settings, all.contains(where: { settings.agrees(with: $0.circumstances) }) { return }
    guard Self.disagree(all) else { return }
    let isOwnFault = Self.disagree(own)
    let conditions = Set((isOwnFault ? own : all).map(\.conditions)).sorted()
    let text = conditions.map { $0.isEmpty ? "none stated" : $0 }.joined(separator: "; ")
    let others = isOwnFault ? "" : ", with those of the store,"
    let mend = isOwnFault ? "" : ", or: swiftlet samples remove --device \(device)"
    throw Failure(
      .input,
      "\(file): samples of '\(device)'\(others) were taken under \(conditions.count) conditions "
        + "(\(text)); give each its own device name\(mend)")
  }

  /// Whether some were taken under other settings than the last that states any.
  private static func disagree(_ samples: [Sample]) -> Bool {
    let settings = samples.map {
      Circumstances(
        threads: $0.threads, batch: $0.batch, precision: $0.precision,
        optimization: $0.optimization)
    }
    guard let meant = settings.last(where: { !$0.isEmpty }) else { return false }
    return !settings.allSatisfy(meant.agrees)
  }

  /// A latency a hundred times off the others of its space and device is likely in another unit.
  private func noteOutliers(_ samples: [Sample], _ lines: [Int], _ file: String) {
    let groups = Dictionary(grouping: samples.indices) {
      [samples[$0].device, samples[$0].space]
    }
    for group in groups.values.sorted(by: { $0[0] < $1[0] }) {
      let sorted = group.map { samples[$0].latencyMedian.value }.sorted()
      let median = sorted[sorted.count / 2]
      for index in group.sorted() {
        let value = samples[index].latencyMedian.value
        guard value < median / 100 || value > median * 100 else { continue }
        Terminal.note(
          "note: \(file):\(lines[index]): latency_ms \(value) where others of the space are about "
            + "\(median): in another unit?", quiet: quiet)
      }
    }
  }
}
