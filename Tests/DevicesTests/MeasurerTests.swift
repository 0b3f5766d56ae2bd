import Architectures
import Foundation
import Store
import Testing

@testable import Devices

/// Answers everything; a network's runs take as many milliseconds as its path says.
let goodWorker = """
  nets = globals().setdefault('networks', [])
  if q['type'] == 'load':
      nets.append(float(os.path.basename(q['path'])) if 'path' in q else 1.0)
      say(q, type='loaded', network=len(nets), inputs=[], cpus=[0])
  elif q['type'] == 'measure':
      open(sys.argv[1], 'a').write('m')
      say(q, type='measured', times=[nets[q['network'] - 1]] * min(q['repeats'], 20), warmUp=0)
  else:
      say(q, type='unloaded')
  """

/// A worker each of whose loadings scatters its times by as much as its turn in `scatters` says.
func scatteringWorker(_ scatters: [Double]) -> String {
  """
  if q['type'] == 'load':
      open(sys.argv[1], 'a').write('l')
      loaded(q)
  elif q['type'] == 'measure':
      global calls
      calls = globals().get('calls', 0) + 1
      scatter = \(scatters)[os.path.getsize(sys.argv[1]) - 1]
      say(q, type='measured', times=[10 + scatter * (calls % 3)], warmUp=0)
  else:
      say(q, type='unloaded')
  """
}

func quickDevice(_ body: String, log: String) -> Device {
  var device = Device(name: "fake", worker: fakeWorker(body, arguments: [log]))
  device.measurement.warmUpSeconds = 0
  device.measurement.calibrationSeconds = 0.01
  return device
}

@Suite struct MeasurerTests {
  let log = TemporaryPath()
  let file = TemporaryPath()

  func networks(_ latencies: [Int]) -> [NetworkToMeasure] {
    latencies.map { latency in
      NetworkToMeasure(id: "toy:\(latency)", space: "toy", digest: "d\(latency)") {
        .path("/nets/\(latency)")
      }
    }
  }

  @Test func measuresAndDescribes() throws {
    let client = WorkerClient(device: quickDevice(goodWorker, log: log.path))
    let measurement = try Measurer(client: client).measure(.path("/nets/7"), named: "seven")
    #expect(measurement.statistics.latencyMedian.value == 7)
    #expect(measurement.statistics.isStable)
    #expect(measurement.statistics.rounds == 6)
    #expect(measurement.statistics.slowdown == 1)
    #expect(measurement.worker.runtime == "fake")
    #expect(measurement.cpus == [0])
  }

  /// Six rounds of an untimed and three timed runs would take far longer than a network may.
  @Test func slowNetworksRunOnceARound() throws {
    let worker = """
      if q['type'] == 'load': loaded(q)
      elif q['type'] == 'measure':
          runs = min(q['repeats'], max(1, int(q['seconds'] / 0.02)))
          time.sleep(0.02 * (q['warmUp'] + runs))
          say(q, type='measured', times=[20.0] * runs, warmUp=q['warmUp'])
      else: say(q, type='unloaded')
      """
    var device = quickDevice(worker, log: log.path)
    device.measurement.maxSeconds = 0.1
    let measurement = try Measurer(client: WorkerClient(device: device))
      .measure(.path("/nets/slow"), named: "slow")
    #expect(measurement.statistics.isStable)
    #expect(measurement.statistics.rounds == 6)
    #expect(measurement.statistics.repeats == 6)
    #expect(measurement.statistics.latencyMedian == Milliseconds(20))
    #expect(measurement.warmUp == 2)
  }

  @Test func samplesLandInTheStoreAndAreNotMeasuredTwice() throws {
    let store = try Store(path: file.path)
    var device = quickDevice(goodWorker, log: log.path)
    try store.add(device)
    var seen: [Bool] = []
    let collector = SampleCollector(
      store: store, measurer: Measurer(client: WorkerClient(device: device)))
    let first = try collector.collect(networks([3, 4])) { seen.append($0.isKnown) }
    #expect(first.measured == 2)
    #expect(first.samples.map(\.latencyMedian.value) == [3, 4])
    #expect(try store.samples() == first.samples)
    device = try store.device(named: "fake")
    #expect(device.quietReference == Milliseconds(1), "kept with the device")
    let second = try SampleCollector(
      store: store, measurer: Measurer(client: WorkerClient(device: device))
    ).collect(networks([4, 5])) { seen.append($0.isKnown) }
    #expect(second.known == 1)
    #expect(second.measured == 1)
    #expect(seen == [false, false, true, false])
    #expect(try store.samples(device: "fake", space: "toy").count == 3)
    let again = try collector.collect(networks([4]), again: true)
    #expect(again.measured == 1)
    #expect(try store.samples().count == 3)
  }

  @Test func aFailingNetworkIsNamedAndTheRestStays() throws {
    let store = try Store(path: file.path)
    let worker = """
      if q.get('path', '').endswith('/13'): sys.exit('unlucky')
      \(goodWorker)
      """
    let client = WorkerClient(device: quickDevice(worker, log: log.path), limits: limits())
    let collector = SampleCollector(store: store, measurer: Measurer(client: client))
    let error = #expect(throws: DevicesError.self) {
      try collector.collect(networks([2, 13, 5]))
    }
    #expect(error?.code == .workerDied)
    #expect(error?.message.hasPrefix("toy:13: ") == true)
    #expect(error?.message.contains("unlucky") == true)
    #expect(try store.samples().map(\.id) == ["toy:2"])
  }

  /// The other networks are measured, and those that are refused are tried anew by the next run.
  @Test func aRefusedNetworkIsPassedOver() throws {
    let store = try Store(path: file.path)
    let worker = """
      if q.get('path', '').endswith('/13'):
          say(q, type='error', code='bad-network', message='no such operator'); return
      \(goodWorker)
      """
    let client = WorkerClient(device: quickDevice(worker, log: log.path))
    let collector = SampleCollector(store: store, measurer: Measurer(client: client))
    var done: [Int] = []
    for known in [0, 2] {
      let summary = try collector.collect(networks([2, 13, 5])) { done.append($0.done) }
      #expect(summary.samples.map(\.id) == ["toy:2", "toy:5"])
      #expect(summary.known == known)
      #expect(summary.measured == 2 - known)
      #expect(summary.refused.map(\.id) == ["toy:13"])
      let error = try #require(summary.refused.first?.error)
      #expect(error.message.hasPrefix("toy:13: worker 'python3 "))
      #expect(error.message.hasSuffix("no such operator"))
    }
    #expect(done == [1, 3, 1, 3])
    #expect(try collector.sample(of: networks([5])[0]).id == "toy:5")
    let error = #expect(throws: DevicesError.self) {
      try collector.sample(of: networks([13])[0])
    }
    #expect(error?.code == .badNetwork)
    #expect(try store.samples().count == 2)
  }

  /// A network that loads and fails in its run is refused as well, and the worker lets go of it.
  @Test func aNetworkThatFailsInItsRunIsPassedOver() throws {
    let worker = """
      if q['type'] == 'measure' and networks[q['network'] - 1] == 13:
          say(q, type='error', code='bad-network', message='no such shape'); return
      if q['type'] == 'unload': open(sys.argv[1], 'a').write('u')
      \(goodWorker)
      """
    let client = WorkerClient(device: quickDevice(worker, log: log.path))
    let collector = SampleCollector(
      store: try Store(path: file.path), measurer: Measurer(client: client))
    let summary = try collector.collect(networks([2, 13, 5]))
    #expect(summary.samples.map(\.id) == ["toy:2", "toy:5"])
    #expect(summary.refused.map(\.id) == ["toy:13"])
    let text = try String(contentsOfFile: log.path, encoding: .utf8)
    #expect(text.count { $0 == "u" } == 3)
  }

  /// A second try that scatters more does not replace the first.
  @Test func theBetterTryOfABlockIsKept() throws {
    var device = quickDevice(scatteringWorker([1, 4]), log: log.path)
    device.measurement.referenceSeconds = 0
    device.measurement.maxSeconds = 0.5
    device.measurement.tolerance = 1e-9
    let builder = LookupTableBuilder(
      measurer: Measurer(client: WorkerClient(device: device)), space: "toy", path: file.path)
    var tries: [(done: Int, isSecond: Bool)] = []
    let block = BlockToMeasure(key: "block") { .path("/nets/1") }
    let table = try builder.build([block]) { tries.append(($0.done, $0.isSecondTry)) }
    #expect(tries.map(\.done) == [1, 1])
    #expect(tries.map(\.isSecond) == [false, true])
    let entry = try #require(table.entries["block"])
    #expect(abs(entry.milliseconds.value - 11) < 0.5, "the first try was better")
    #expect(try #require(entry.error) > 0)
    #expect(try LookupTable(path: file.path) == table)
  }

  @Test func aFinishedTableIsKnown() throws {
    func builder(_ change: (inout Device) -> Void = { _ in }) -> LookupTableBuilder {
      var device = quickDevice(goodWorker, log: log.path)
      change(&device)
      return LookupTableBuilder(
        measurer: Measurer(client: WorkerClient(device: device)), space: "toy", path: file.path)
    }
    #expect(try builder().finished(for: []) == nil)
    let block = BlockToMeasure(key: "block 2") { .path("/nets/2") }
    var table = try builder().build([block])
    #expect(try builder().finished(for: ["block 2"]) == table)
    #expect(try builder().finished(for: ["block 2", "block 3"]) == nil)
    #expect(try builder { $0.threads = 2 }.finished(for: ["block 2"]) == nil)
    #expect(try builder { $0.name = "other" }.finished(for: ["block 2"]) == nil)
    table.provenance.cpu = "another"
    try table.write(to: file.path)
    #expect(try builder().finished(for: ["block 2"]) == nil)
  }

  @Test func theTableIsBuiltAndResumed() throws {
    let blocks = [2, 3, 2, 4].map { latency in
      BlockToMeasure(key: "block \(latency)") { .path("/nets/\(latency)") }
    }
    struct Kill: Error {}
    func builder() -> LookupTableBuilder {
      LookupTableBuilder(
        measurer: Measurer(client: WorkerClient(device: quickDevice(goodWorker, log: log.path))),
        space: "toy", path: file.path)
    }
    #expect(throws: Kill.self) {
      try builder().build(Array(blocks[..<2]) + [BlockToMeasure(key: "block 9") { throw Kill() }])
    }
    // As a kill in the middle of a write leaves it.
    let journal = builder().journal
    let whole = try String(contentsOfFile: journal, encoding: .utf8)
    try (whole + "{\"key\":\"blo").write(toFile: journal, atomically: true, encoding: .utf8)
    var known: [Bool] = []
    let table = try builder().build(blocks) { known.append($0.isKnown) }
    #expect(known == [true, true, false])
    #expect(
      table.entries.mapValues(\.milliseconds.value) == ["block 2": 2, "block 3": 3, "block 4": 4])
    #expect(table.provenance.device == "fake")
    #expect(table.provenance.runtime == "fake")
    #expect(try LookupTable(path: file.path) == table)
    #expect(!FileManager.default.fileExists(atPath: journal))
  }

  @Test func aJournalOfSomethingElseIsRefused() throws {
    let builder = LookupTableBuilder(
      measurer: Measurer(client: WorkerClient(device: quickDevice(goodWorker, log: log.path))),
      space: "toy", path: file.path)
    for text in [
      "what\n", "{\"space\":\"other\",\"device\":\"fake\",\"conditions\":\"\"}\n",
    ] {
      try text.write(toFile: builder.journal, atomically: true, encoding: .utf8)
      let error = #expect(throws: DevicesError.self) { try builder.build([]) }
      #expect(error?.code == .badTable)
    }
  }
}
