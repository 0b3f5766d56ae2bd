import Architectures
import Foundation
import GRDB
import Synchronization
import Testing

@testable import Store

/// A folder that goes when the test ends.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("swiftlet-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

func sample(_ id: String, _ latency: Double, device: String = "here") -> Sample {
  var sample = Sample(
    id: id, space: "toy", network: "digest-\(id)", device: device,
    latencyMedian: Milliseconds(latency))
  sample.latencyP10 = Milliseconds(latency * 0.99)
  sample.latencyP90 = Milliseconds(latency * 1.02)
  sample.repeats = 40
  sample.warmUp = 5
  sample.slowdown = 1.03
  sample.isStable = true
  sample.runtime = "onnxruntime"
  sample.runtimeVersion = "1.0"
  sample.threads = 1
  sample.batch = 1
  sample.precision = "float32"
  sample.optimization = "all"
  sample.cpu = "A \"quoted\", name"
  sample.date = "2026-01-02T03:04:05Z"
  sample.settings = "{\"a\":1,\"b\":\"x\"}"
  return sample
}

@Suite struct StoreTests {
  let folder = try! TemporaryFolder()
  var path: String { folder.path + "/sub/store.sqlite" }

  @Test func defaultPath() {
    #expect(Store.defaultPath(environment: [:]) == ".swiftlet/store.sqlite")
    #expect(Store.defaultPath(environment: ["SWIFTLET_STORE": "/x/y"]) == "/x/y")
  }

  @Test func devicesComeBack() throws {
    let store = try Store(path: path)
    try store.addDevice(StoredDevice(name: "b", description: "{}", created: "then"))
    try store.addDevice(StoredDevice(name: "a", description: "{}"))
    #expect(try store.storedDevices().map(\.name) == ["a", "b"])
    #expect(throws: StoreError.self) {
      try store.addDevice(StoredDevice(name: "a", description: "{}"))
    }
    try store.addDevice(StoredDevice(name: "b", description: "{1}"), replacing: true)
    #expect(try store.storedDevice(named: "b").description == "{1}")
    try store.removeDevice(named: "b")
    let error = #expect(throws: StoreError.self) { try store.storedDevice(named: "b") }
    #expect(error?.code == .unknownDevice)
    #expect(error?.message == "unknown device 'b'; there is a")
    #expect(error?.exitCode == 69)
  }

  @Test func samplesComeBackAfterReopening() throws {
    let samples = [
      sample("toy:1", 3.25), sample("toy:2", 4.5),
      Sample(
        id: "x", space: "", device: "other", latencyMedian: Milliseconds(1.5)),
    ]
    try Store(path: path).add(samples)
    let store = try Store(path: path)
    #expect(try store.samples() == samples)
    #expect(try store.samples(device: "here", space: "toy") == Array(samples[..<2]))
    #expect(try store.samples(device: "here", space: "nothing").isEmpty)
    #expect(
      try store.sample(
        network: "digest-toy:2", device: "here", conditions: samples[1].conditions) == samples[1])
  }

  @Test func aNetworkIsSampledOnceUnlessReplaced() throws {
    let store = try Store(path: path)
    try store.add(sample("toy:1", 3))
    let error = #expect(throws: StoreError.self) {
      try store.add([sample("toy:2", 5), sample("toy:1", 4)])
    }
    #expect(error?.code == .exists)
    #expect(error?.message.contains("toy:1") == true)
    #expect(error?.message.contains("--replace") == true)
    #expect(try store.samples().map(\.id) == ["toy:1"], "all or none")
    try store.add(sample("toy:1", 4), replacing: true)
    #expect(try store.samples().map(\.latencyMedian.value) == [4])
    var other = sample("toy:1", 7)
    other.threads = 2
    try store.add(other)
    #expect(try store.samples().count == 2)
  }

  @Test func samplesOfADeviceAreRemoved() throws {
    let store = try Store(path: path)
    let bare = Sample(id: "x", space: "", device: "here", latencyMedian: Milliseconds(1.5))
    let other = sample("toy:1", 3, device: "there")
    try store.add([sample("toy:1", 3), sample("toy:2", 4), bare, other])
    #expect(try store.removeSamples(device: "here", space: "toy") == 2)
    #expect(try store.samples() == [bare, other])
    #expect(try store.removeSamples(device: "here") == 1)
    #expect(try store.removeSamples(device: "here") == 0)
    #expect(try store.samples() == [other])
  }

  @Test func studiesAndTrials() throws {
    let store = try Store(path: path)
    let study = Study(
      id: "s1", space: "toy", device: "here", searcher: "random", seed: .max, options: "{\"a\":2}")
    try store.addStudy(study)
    #expect(try store.study("s1") == study)
    #expect(throws: StoreError.self) { try store.addStudy(study) }
    let trials = (0..<5).map { Trial(number: $0, architecture: "toy:\($0)", result: "{}") }
    try store.checkpoint(
      study: "s1", state: Data([1, 2, 3]), status: .stopped, trials: trials.reversed())
    #expect(try store.trials(of: "s1") == trials)
    try store.checkpoint(study: "s1", state: Data([4]), status: .finished, trials: [trials[2]])
    #expect(try store.trials(of: "s1") == [trials[2]], "those of the end only")
    let saved = try store.study("s1")
    #expect(saved.state == Data([4]))
    #expect(saved.status == .finished)
    #expect(try store.studies() == [saved])
    #expect(throws: StoreError.self) {
      try store.checkpoint(study: "none", state: nil, status: .running)
    }
  }

  @Test func aNewerSchemaIsRefused() throws {
    try Store(path: path).add(sample("toy:1", 3))
    let queue = try DatabaseQueue(path: path)
    try queue.write {
      try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('from the future')")
    }
    try queue.close()
    let error = #expect(throws: StoreError.self) { try Store(path: path) }
    #expect(error?.code == .newerSchema)
    #expect(error?.message.contains("newer Swiftlet") == true)
    #expect(error?.message.contains("\n") == false)
  }

  @Test func anOldSchemaIsMigratedOnce() throws {
    let path = folder.path + "/old.sqlite"
    let queue = try DatabaseQueue(path: path)
    try Migrations.all.migrate(queue, upTo: "1")
    // Neither the change of mode nor the first write of all is to keep the openers apart.
    try queue.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA journal_mode = WAL; INSERT INTO devices VALUES ('a', '', '', '')")
    }
    let errors = Mutex<[any Error]>([])
    let opened = DispatchGroup()
    // All see the old schema, and may write from the same moment on.
    try queue.inTransaction(.immediate) { _ in
      for _ in 0..<4 {
        opened.enter()
        Thread {
          do { _ = try Store(path: path) } catch { errors.withLock { $0.append(error) } }
          opened.leave()
        }.start()
      }
      usleep(500_000)
      return .commit
    }
    opened.wait()
    #expect(errors.withLock { $0 }.isEmpty)
    try queue.close()
  }

  @Test func aValueOfTheWrongKindIsNamed() throws {
    let store = try Store(path: path)
    try store.add(sample("toy:1", 3))
    try store.addDevice(StoredDevice(name: "a", description: "{}"))
    try store.add(
      StoredEvaluation(id: "toy:1", checkpoint: "c", conditions: "", accuracy: 0.5, images: 9))
    try store.database.write { db in
      try db.execute(
        sql: """
          UPDATE samples SET repeats = 'many';
          UPDATE devices SET description = x'ff';
          UPDATE evaluations SET accuracy = 'high';
          """)
    }
    for (column, read) in [
      ("repeats", { _ = try store.samples() }), ("description", { _ = try store.storedDevices() }),
      ("accuracy", { _ = try store.evaluations(checkpoint: "c", conditions: "") }),
    ] {
      let error = #expect(throws: StoreError.self) { try read() }
      #expect(error?.message.hasPrefix("\(path): a stored '\(column)' is ") == true)
    }
  }

  @Test func aForeignFileIsRefused() throws {
    let text = folder.path + "/text"
    try "not a database, but long enough to be mistaken for something else".write(
      toFile: text, atomically: true, encoding: .utf8)
    let sql = folder.path + "/other.sqlite"
    try DatabaseQueue(path: sql).write { try $0.execute(sql: "CREATE TABLE recipes (a)") }
    for path in [text, sql] {
      let error = #expect(throws: StoreError.self) { try Store(path: path) }
      #expect(error?.code == .notAStore)
    }
    let error = #expect(throws: StoreError.self) { try Store(path: "/proc/none/store.sqlite") }
    #expect(error?.code == .unavailable)
    #expect(error?.exitCode == 69)
  }

  @Test func aFullDiskIsNamed() throws {
    let store = try Store(path: path)
    try store.database.write { db in
      let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      try db.execute(sql: "PRAGMA max_page_count = \(pages)")
    }
    let error = #expect(throws: StoreError.self) {
      try store.add((0..<5000).map { sample("toy:\($0)", 1 + Double($0)) })
    }
    #expect(error?.code == .diskFull)
    #expect(try store.samples().isEmpty)
  }

  @Test func twoConnectionsWriteAtOnce() async throws {
    let path = path
    _ = try Store(path: path)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<2 {
        group.addTask {
          let store = try Store(path: path)
          for index in 0..<50 { try store.add(sample("toy:\(writer)-\(index)", 2)) }
        }
      }
      try await group.waitForAll()
    }
    #expect(try Store(path: path).samples().count == 100)
  }
}
