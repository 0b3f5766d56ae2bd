import Architectures
import Foundation
import Store
import Testing

@testable import Devices

/// The reference's runs take as many milliseconds as the file named by the argument says, any other
/// network's as many as its path says.
private let worker = """
  nets = globals().setdefault('networks', [])
  if q['type'] == 'load':
      nets.append(float(os.path.basename(q['path'])) if 'path' in q else None)
      say(q, type='loaded', network=len(nets), inputs=[], cpus=[])
  elif q['type'] == 'measure':
      time = nets[q['network'] - 1] or float(open(sys.argv[1]).read())
      say(q, type='measured', times=[time] * min(q['repeats'], 20), warmUp=0)
  else:
      say(q, type='unloaded')
  """

/// What a measurer told the user.
final class Notes {
  var lines: [String] = []
}

@Suite struct QuietReferenceTests {
  let file = TemporaryPath()
  let speed = TemporaryPath()
  let notes = Notes()

  func measurer(_ device: Device, _ store: Store? = nil, reference: Double = 2) throws -> Measurer {
    try "\(reference)".write(toFile: speed.path, atomically: true, encoding: .utf8)
    return Measurer(client: WorkerClient(device: device), store: store) { [notes] in
      notes.lines.append($0)
    }
  }

  @Test func latenciesAreScaledByTheReference() throws {
    var device = quickDevice(worker, log: speed.path)
    device.quietReference = Milliseconds(2)
    for (reference, slowdown) in [(2.4, 1.2), (1.8, 0.9)] {
      let measurer = try measurer(device, reference: reference)
      for _ in 0..<2 {
        let statistics = try measurer.measure(.path("/nets/7"), named: "seven").statistics
        #expect(abs(try #require(statistics.slowdown) - slowdown) < 1e-9)
        #expect(abs(statistics.latencyMedian.value - 7 * pow(slowdown, -0.6)) < 1e-9)
      }
    }
    #expect(
      notes.lines == [
        "the quiet reference of 'fake' is out of date (the machine is faster now: slowdown 0.9); "
          + "learn it anew: swiftlet device add fake --replace ..."
      ], "once, and only of the faster machine")
  }

  @Test func anotherRuntimeIsNoted() throws {
    var device = quickDevice(worker, log: speed.path)
    device.quietReference = Milliseconds(2)
    for (learned, count) in [("fake 1 on none", 0), (nil, 0), ("fake 0 on none", 1)] {
      device.quietReferenceWorker = learned
      try measurer(device).prepare()
      #expect(notes.lines.count == count)
    }
    #expect(notes.lines.last?.contains("learned with fake 0 on none, and this is fake 1") == true)
  }

  @Test func theFirstToLearnItDecides() throws {
    let store = try Store(path: file.path)
    var device = quickDevice(worker, log: speed.path)
    try store.add(device)
    try measurer(device, store, reference: 2).prepare()
    let stored = try store.device(named: "fake")
    #expect(stored.quietReference == Milliseconds(2))
    #expect(stored.quietReferenceWorker == "fake 1 on none")
    // As a process that read the device before.
    let table = LookupTableBuilder(
      measurer: try measurer(device, store, reference: 3), space: "toy", path: speed.path + ".json")
    defer { try? FileManager.default.removeItem(atPath: table.path) }
    _ = try table.build([])
    #expect(table.measurer.quietReference == Milliseconds(2))
    // Another device of that name keeps to itself.
    device.notes = "another"
    try store.add(device, replacing: true)
    device.notes = ""
    let other = try measurer(device, store, reference: 3)
    try other.prepare()
    #expect(other.quietReference == Milliseconds(3))
    #expect(try store.device(named: "fake").quietReference == nil)
  }

  @Test func aRefusedReferenceIsNotPassedOver() throws {
    func refusing(_ code: String, when request: String = "'inline' in q") -> Device {
      quickDevice(
        """
        if \(request): say(q, type='error', code='\(code)', message='no thanks'); return
        \(worker)
        """, log: speed.path)
    }
    var device = refusing("bad-network")
    let measurement = try measurer(device).measure(.path("/nets/7"), named: "seven")
    #expect(measurement.statistics.slowdown == nil)
    #expect(measurement.statistics.latencyMedian == Milliseconds(7))
    #expect(
      Sample(id: "a", space: "", network: "a", device: device, measurement: measurement).slowdown
        == nil)
    #expect(notes.lines.count == 1)
    #expect(notes.lines.last?.contains("no thanks") == true)
    device.quietReference = Milliseconds(2)
    let error = #expect(throws: DevicesError.self) { try measurer(device).prepare() }
    #expect(error?.message.contains("device 'fake': the reference network") == true)
    #expect(error?.message.contains("swiftlet device add fake --replace") == true)
    let failed = #expect(throws: DevicesError.self) { try measurer(refusing("failed")).prepare() }
    #expect(failed?.code == .refused)
    #expect(notes.lines.count == 1)
    // It may load and fail in its run.
    device = refusing(
      "bad-network", when: "q['type'] == 'measure' and networks[q['network'] - 1] is None")
    let other = try measurer(device).measure(.path("/nets/7"), named: "seven")
    #expect(other.statistics.slowdown == nil)
    #expect(notes.lines.count == 2)
  }
}
