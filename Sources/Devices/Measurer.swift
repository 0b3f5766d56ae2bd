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
  /// The reference in the worker, its rounds, and the start of the worker it is loaded in.
  private var reference: (network: LoadedNetwork, round: Round, start: Int)?
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

  /// The runs of a network's rounds.
  private struct Round {
    /// Untimed runs before the timed ones.
    var warmUp: Int
    var repeats: Int
    /// Milliseconds that a run took once the network was warm.
    var typical: Double
  }

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
      // Also one that proves not to run: the worker goes on with others.
      defer { try? client.unload(network) }
      let warm = try warmUp(network, roundSeconds: settings.roundSeconds)
      let deadline = ContinuousClock.now + .seconds(settings.maxSeconds)
      var rounds: [MeasurementRound] = []
      var before = try slowdown()
      while true {
        let times = try times(of: network, warm.round)
        let after = try slowdown()
        let slowdown = before.flatMap { before in after.map { (before + $0) / 2 } }
        rounds.append(MeasurementRound(times: times, slowdown: slowdown))
        before = after
        let statistics = MeasurementStatistics(rounds, settings: settings)
        // Before there are enough rounds for a standard error, time is no reason to stop.
        guard rounds.count >= settings.minRounds,
          statistics.isStable || ContinuousClock.now >= deadline
        else { continue }
        if let slowdown = statistics.slowdown, slowdown < 0.95 {
          sayOutOfDate("the machine is faster now: slowdown \((slowdown * 100).rounded() / 100)")
        }
        return LatencyMeasurement(
          statistics: statistics, warmUp: warm.runs, worker: worker, cpus: network.cpus,
          settings: settings, date: LatencyMeasurement.now())
      }
    }
  }

  /// Runs `network` for a while; returns how often, and the rounds that suit its speed.
  private func warmUp(
    _ network: LoadedNetwork, roundSeconds: Double
  ) throws -> (runs: Int, round: Round) {
    var times = try client.measure(
      network, repeats: settings.maxRepeats, seconds: max(settings.warmUpSeconds, 0.001))
    if times.count == 1, isSlow(times[0]) {
      // The first run tells more of the start than of the network.
      times += try client.measure(
        network, repeats: 1, seconds: settings.maxSeconds, expected: times[0] / 1000)
    }
    let typical = MeasurementStatistics.median(Array(times.suffix((times.count + 1) / 2)))
    // A slow network is as warm as it gets, and many rounds tell more than many runs in a few.
    guard !isSlow(typical) else {
      return (times.count, Round(warmUp: 0, repeats: 1, typical: typical))
    }
    let count = min((roundSeconds * 1000 / typical).rounded(), Double(settings.maxRepeats))
    let repeats = max(settings.minRepeats, Int(count))
    return (times.count, Round(warmUp: 1, repeats: repeats, typical: typical))
  }

  /// Whether the fewest rounds of runs of so many milliseconds take longer than a network may.
  private func isSlow(_ milliseconds: Double) -> Bool {
    Double(settings.minRounds * (settings.minRepeats + 1)) * milliseconds
      > settings.maxSeconds * 1000
  }

  private func times(of network: LoadedNetwork, _ round: Round) throws -> [Double] {
    try client.measure(
      network, warmUp: round.warmUp, repeats: round.repeats, seconds: settings.maxSeconds,
      expected: round.typical / 1000)
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
    let round: Round
    do {
      network = try client.load(.bytes(Array(data)))
      round = try warmUp(network, roundSeconds: settings.referenceSeconds).round
    } catch let error as DevicesError where error.code == .badNetwork {
      guard quietReference == nil else {
        throw DevicesError(
          .unavailable,
          "device '\(name)': the reference network, to which its latencies are scaled, cannot run "
            + "any more (\(error.message)); if the worker is another, \(mend)")
      }
      isReferenceRefused = true
      note(
        "the reference network cannot run on '\(name)', so latencies are not scaled to quiet times: "
          + error.message)
      return
    }
    reference = (network, round, client.starts)
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
      rounds.append(MeasurementStatistics.median(try times(of: network, round)))
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

  /// How much slower than in quiet times the machine is now; nothing without a reference.
  private func slowdown() throws -> Double? {
    guard let reference, let quietReference else { return nil }
    let times = try times(of: reference.network, reference.round)
    return MeasurementStatistics.median(times) / quietReference.value
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
