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
