public import Architectures
internal import Files
import Foundation
public import Store

/// A latency with everything that belongs to it.
public struct LatencyMeasurement: Equatable, Sendable {
  public var statistics: MeasurementStatistics
  /// Untimed runs at the start.
  public var warmUp: Int
  public var worker: WorkerDescription
  /// The processors it ran on; empty where the worker cannot pin.
  public var cpus: [Int]
  public var settings: MeasurementSettings
  /// UTC, ISO 8601.
  public var date: String

  static func now() -> String { Store.now() }
}

/// Measures networks on one device; see `Docs/worker-protocol.md` for the procedure.
public final class Measurer {
  public let client: WorkerClient
  /// The reference network's latency in quiet times: the device's, or learned at the first
  /// measurement. Nothing if the worker cannot run the reference.
  public private(set) var quietReference: Milliseconds?

  /// Where the quiet reference is kept, and what the lock on the device is beside.
  var store: Store?
  let note: (String) -> Void

  private let settings: MeasurementSettings
  /// The reference in the worker, the runs in its rounds, and the start of the worker it is loaded in.
  private var reference: (network: LoadedNetwork, repeats: Int, start: Int)?
  private var isReferenceRefused = false
  private var saidOutOfDate = false

  /// - Parameter note: told what the user should know; on the standard error when left out.
  public init(
    client: WorkerClient, store: Store? = nil, note: ((String) -> Void)? = nil
  ) {
    self.client = client
    self.store = store
    self.note = note ?? { FileHandle.standardError.write(Data("note: \($0)\n".utf8)) }
    settings = client.device.measurement
    quietReference = client.device.quietReference
  }

  private var name: String { client.device.name }

  /// What the worker says of itself.
  func worker() throws -> WorkerDescription {
    try client.restarting("device '\(name)'") { try client.start() }
  }

  /// Waits until no other process measures on the device, and keeps them waiting until the lock is
  /// released. Nothing without a store.
  func lock() throws -> FileLock? {
    guard let store else { return nil }
    var isFirst = true
    do {
      return try FileLock("\(store.path).device-\(name).lock") {
        if isFirst { note("waiting for another process that measures on '\(name)'") }
        isFirst = false
        guard !client.isInterrupted() else {
          throw DevicesError(.interrupted, "stopped on request")
        }
      }
    } catch let error as FileError {
      throw DevicesError(.failed, error.description)
    }
  }

  /// Starts the worker and learns the quiet latency of the reference network, unless both is done.
  public func prepare() throws {
    try client.device.validate()
    try client.restarting("device '\(name)'") { try prepareReference(try client.start()) }
  }

  /// Scales all later measurements to `quietReference`, as an earlier run did.
  func scale(to quietReference: Milliseconds) { self.quietReference = quietReference }

  /// Measures one network; `name` is named in errors.
  ///
  /// - Parameter referenceShare: in place of the settings'.
  /// - Throws: `DevicesError`; a worker that fails is restarted as often as the client's limits say.
  public func measure(
    _ source: NetworkSource, named name: String, referenceShare: Double? = nil
  ) throws -> LatencyMeasurement {
    try client.device.validate()
    var settings = settings
    settings.referenceShare = referenceShare ?? settings.referenceShare
    return try client.restarting(name) {
      let worker = try client.start()
      try prepareReference(worker)
      let network = try client.load(source)
      let warm = try warmUp(network, seconds: settings.warmUpSeconds)
      let repeats = repeats(filling: settings.roundSeconds, at: warm.typical)
      let deadline = ContinuousClock.now + .seconds(settings.maxSeconds)
      var rounds: [MeasurementRound] = []
      var before = try slowdown()
      while true {
        let times = try client.measure(
          network, warmUp: 1, repeats: repeats, seconds: settings.maxSeconds)
        let after = try slowdown()
        let slowdown = before.flatMap { before in after.map { (before + $0) / 2 } }
        rounds.append(MeasurementRound(times: times, slowdown: slowdown))
        before = after
        let statistics = MeasurementStatistics(rounds, settings: settings)
        guard statistics.isStable || ContinuousClock.now >= deadline else { continue }
        try client.unload(network)
        if let slowdown = statistics.slowdown, slowdown < 0.95 {
          sayOutOfDate("the machine is faster now: slowdown \((slowdown * 100).rounded() / 100)")
        }
        return LatencyMeasurement(
          statistics: statistics, warmUp: warm.runs, worker: worker, cpus: network.cpus,
          settings: settings, date: LatencyMeasurement.now())
      }
    }
  }

  /// Runs `network` for a while; returns how often, and the milliseconds of a run once it is warm.
  private func warmUp(
    _ network: LoadedNetwork, seconds: Double
  ) throws -> (runs: Int, typical: Double) {
    let times = try client.measure(
      network, repeats: settings.maxRepeats, seconds: max(seconds, 0.001))
    return (times.count, MeasurementStatistics.median(Array(times.suffix((times.count + 1) / 2))))
  }

  private func repeats(filling seconds: Double, at milliseconds: Double) -> Int {
    let count = seconds * 1000 / milliseconds
    return max(settings.minRepeats, Int(min(count.rounded(), Double(settings.maxRepeats))))
  }

  /// Loads the reference network unless this worker has it, and learns its quiet latency unless that
  /// is known.
  private func prepareReference(_ worker: WorkerDescription) throws {
    guard settings.referenceSeconds > 0, !isReferenceRefused, reference?.start != client.starts
    else {
      return
    }
    reference = nil
    guard let data = Data(base64Encoded: ReferenceNetwork.base64) else { return }
    let network: LoadedNetwork
    do {
      network = try client.load(.bytes(Array(data)))
    } catch let error as DevicesError where error.code == .badNetwork {
      guard quietReference == nil else {
        throw DevicesError(
          .badNetwork,
          "device '\(name)': the reference network, to which its latencies are scaled, cannot run "
            + "any more (\(error.message)); if the worker is another, \(mend)")
      }
      isReferenceRefused = true
      note(
        "the reference network cannot run on '\(name)', so latencies are not scaled to quiet times: "
          + error.message)
      return
    }
    let typical = try warmUp(network, seconds: settings.warmUpSeconds).typical
    let repeats = repeats(filling: settings.referenceSeconds, at: typical)
    reference = (network, repeats, client.starts)
    guard quietReference == nil else {
      if let learned = client.device.quietReferenceWorker, learned != worker.description {
        sayOutOfDate("learned with \(learned), and this is \(worker)")
      }
      return
    }
    // The tenth part of the rounds, not the quickest: what the machine reaches, not a lucky strike.
    let deadline = ContinuousClock.now + .seconds(settings.calibrationSeconds)
    var rounds: [Double] = []
    while ContinuousClock.now < deadline || rounds.count < settings.minRounds {
      rounds.append(try referenceRound(network, repeats))
    }
    let learned = Milliseconds(MeasurementStatistics.quantile(0.1, of: rounds.sorted()))
    quietReference =
      try store?.keepQuietReference(learned, worker: worker, of: client.device) ?? learned
  }

  private var mend: String { "learn it anew: swiftlet device add \(name) --replace ..." }

  /// Says so once; the latencies stay scaled to it, so that they compare with earlier ones.
  private func sayOutOfDate(_ why: String) {
    guard !saidOutOfDate else { return }
    saidOutOfDate = true
    note("the quiet reference of '\(name)' is out of date (\(why)); \(mend)")
  }

  private func referenceRound(_ network: LoadedNetwork, _ repeats: Int) throws -> Double {
    MeasurementStatistics.median(
      try client.measure(network, warmUp: 1, repeats: repeats, seconds: settings.maxSeconds))
  }

  /// How much slower than in quiet times the machine is now; nothing without a reference.
  private func slowdown() throws -> Double? {
    guard let reference, let quietReference else { return nil }
    return try referenceRound(reference.network, reference.repeats) / quietReference.value
  }
}

extension Sample {
  /// The sample that `measurement` of a network on `device` amounts to.
  ///
  /// - Parameters:
  ///   - id: the architecture's id, or the file's name.
  ///   - space: empty when the network comes from none.
  ///   - network: the digest of the network's text.
  public init(
    id: String, space: String, network: String, device: Device, measurement: LatencyMeasurement
  ) {
    let statistics = measurement.statistics
    self.init(
      id: id, space: space, network: network, device: device.name,
      latencyMedian: statistics.latencyMedian)
    latencyP10 = statistics.latencyP10
    latencyP90 = statistics.latencyP90
    repeats = statistics.repeats
    warmUp = measurement.warmUp
    slowdown = statistics.slowdown
    isStable = statistics.isStable
    runtime = measurement.worker.runtime
    runtimeVersion = measurement.worker.runtimeVersion
    threads = device.threads
    batch = device.batch
    precision = device.precision
    optimization = device.optimization
    cpu = measurement.worker.cpu
    date = measurement.date
    settings = try? JSONText.encode(measurement.settings)
  }
}
