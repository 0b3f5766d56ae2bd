import Architectures
import Files
import Foundation
import Store
import Testing

@testable import Devices

@Suite struct SampleCollectorTests {
  let log = TemporaryPath()
  let file = TemporaryPath()
  let network = NetworkToMeasure(id: "toy:3", space: "toy", digest: "d3") { .path("/nets/3") }

  func collector(_ store: Store, _ device: Device) -> SampleCollector {
    SampleCollector(store: store, measurer: Measurer(client: WorkerClient(device: device)))
  }

  @Test func samplesOfAnotherRuntimeOrProcessorAreNotKnown() throws {
    let store = try Store(path: file.path)
    let device = quickDevice(goodWorker, log: log.path)
    var sample = try collector(store, device).collect([network]).samples[0]
    for (change, isKnown) in [
      ({ _ in }, true), ({ $0.runtimeVersion = "0" }, true), ({ $0.cpu = "another" }, false),
      ({ $0.runtime = "another" }, false), ({ $0.runtime = nil }, true),
    ] as [((inout Sample) -> Void, Bool)] {
      change(&sample)
      try store.add(sample, replacing: true)
      let summary = try collector(store, device).collect([network])
      #expect(summary.known == (isKnown ? 1 : 0), "\(sample)")
      sample = summary.samples[0]
    }
    sample.cpu = nil
    try store.add(sample, replacing: true)
    let withoutOrigin = collector(store, device)
    #expect(try withoutOrigin.collect([network]).known == 1)
    #expect(withoutOrigin.measurer.client.starts == 0, "nothing to compare")
  }

  @Test func theBetterTryIsKeptAndKnownUnstableOnesAreTriedAgain() throws {
    var device = quickDevice(scatteringWorker([1, 40, 2, 0]), log: log.path)
    device.measurement.referenceSeconds = 0
    device.measurement.maxSeconds = 0.5
    device.measurement.tolerance = 1e-9
    let store = try Store(path: file.path)
    let first = try collector(store, device).collect([network])
    #expect(first.unstable == 1)
    #expect(abs(first.samples[0].latencyMedian.value - 11) < 0.5, "the first try was better")
    #expect(try store.samples() == first.samples)
    // Its error is not stored, so that the next try counts, also if it isn't stable either.
    let second = try collector(store, device).collect([network])
    #expect(second.known == 0)
    #expect(second.measured == 1)
    #expect(second.unstable == 1)
    var tries: [Bool] = []
    let third = try collector(store, device).collect([network]) { tries.append($0.isSecondTry) }
    #expect(tries == [false, true])
    #expect(third.unstable == 0)
    #expect(third.samples[0].isStable == true)
    #expect(try store.samples() == third.samples)
  }

  @Test func aRefusedSecondTryLeavesTheFirst() throws {
    let worker = """
      if q['type'] == 'measure' and os.path.getsize(sys.argv[1]) > 1:
          say(q, type='error', code='bad-network', message='no such shape'); return
      \(scatteringWorker([1]))
      """
    var device = quickDevice(worker, log: log.path)
    device.measurement.referenceSeconds = 0
    device.measurement.maxSeconds = 0.5
    device.measurement.tolerance = 1e-9
    let store = try Store(path: file.path)
    let summary = try collector(store, device).collect([network])
    #expect(summary.unstable == 1)
    #expect(summary.refused.isEmpty)
    #expect(summary.samples.count == 1)
    #expect(try store.samples() == summary.samples)
  }

  @Test func processesMeasureOneAfterTheOther() throws {
    let store = try Store(path: file.path)
    let device = quickDevice(goodWorker, log: log.path)
    let lock = try FileLock("\(store.path).device-fake.lock")
    let notes = Notes()
    let waiting = Measurer(
      client: WorkerClient(device: device, isInterrupted: { !notes.lines.isEmpty }),
      note: { notes.lines.append($0) })
    let error = #expect(throws: DevicesError.self) {
      try SampleCollector(store: store, measurer: waiting).collect([network])
    }
    #expect(error?.code == .interrupted)
    #expect(notes.lines == ["waiting for another process that measures on 'fake'"])
    #expect(waiting.client.starts == 0)
    // The other process measures the network before it goes.
    var sample = Sample(
      id: "toy:3", space: "toy", network: "d3", device: "fake", latencyMedian: Milliseconds(1))
    (sample.threads, sample.batch) = (device.threads, device.batch)
    (sample.precision, sample.optimization) = (device.precision, device.optimization)
    let after = Measurer(client: WorkerClient(device: device)) { [sample] _ in
      try? store.add(sample)
      lock.release()
    }
    let summary = try SampleCollector(store: store, measurer: after).collect([network])
    #expect(summary.samples == [sample])
    #expect(try collector(store, device).collect([network], again: true).measured == 1)
  }

  @Test func aJournalOfAnotherProcessorIsRefused() throws {
    struct Kill: Error {}
    func build(_ blocks: [BlockToMeasure]) throws -> LookupTable {
      try LookupTableBuilder(
        measurer: Measurer(client: WorkerClient(device: quickDevice(goodWorker, log: log.path))),
        space: "toy", path: file.path
      ).build(blocks)
    }
    let block = BlockToMeasure(key: "a") { .path("/nets/2") }
    #expect(throws: Kill.self) { try build([block, BlockToMeasure(key: "b") { throw Kill() }]) }
    let journal = file.path + ".partial"
    let text = try String(contentsOfFile: journal, encoding: .utf8)
    #expect(text.contains("\"cpu\":\"none\""))
    try text.replacing("\"cpu\":\"none\"", with: "\"cpu\":\"other\"")
      .write(toFile: journal, atomically: true, encoding: .utf8)
    let error = #expect(throws: DevicesError.self) { try build([block]) }
    #expect(error?.message.contains("with fake on other, and 'fake' is fake 1 on none now") == true)
    // A journal of an earlier version doesn't say.
    try text.replacing("\"cpu\":\"none\",", with: "")
      .replacing("\"runtime\":\"fake\",", with: "")
      .write(toFile: journal, atomically: true, encoding: .utf8)
    #expect(try build([block]).entries.count == 1)
  }
}
