public import Architectures

/// One measured latency of one network on one device, with its provenance.
///
/// Only `id`, `network`, `device` and `latencyMedian` are always known: a person may bring samples
/// from anywhere.
public struct Sample: Equatable, Sendable {
  /// The architecture's id (`space:genes`), or the name of a file.
  public var id: String
  /// The name of the search space; empty when the network comes from none.
  public var space: String
  /// What makes two networks the same: the digest of the network's text, or its id.
  public var network: String
  /// The device's name.
  public var device: String
  public var latencyMedian: Milliseconds
  public var latencyP10: Milliseconds?
  public var latencyP90: Milliseconds?
  /// How many timed runs there were, in all rounds.
  public var repeats: Int?
  /// How many untimed runs came first.
  public var warmUp: Int?
  /// How much slower than in quiet times the reference network was meanwhile: 1.05 is 5 %. The
  /// latency is scaled back by the settings' share of it already.
  public var slowdown: Double?
  /// Whether the rounds agreed before the limits were reached.
  public var isStable: Bool?
  public var runtime: String?
  public var runtimeVersion: String?
  public var threads: Int?
  public var batch: Int?
  public var precision: String?
  public var optimization: String?
  /// The processor's model name.
  public var cpu: String?
  /// UTC, ISO 8601.
  public var date: String?
  /// The measurement's settings as JSON.
  public var settings: String?

  public init(
    id: String, space: String, network: String? = nil, device: String, latencyMedian: Milliseconds
  ) {
    self.id = id
    self.space = space
    self.network = network ?? id
    self.device = device
    self.latencyMedian = latencyMedian
  }

  /// The circumstances under which two latencies are comparable, as one text. Samples of a device
  /// are unique per conditions and network.
  public var conditions: String {
    Self.conditions(
      threads: threads, batch: batch, precision: precision, optimization: optimization)
  }

  public static func conditions(
    threads: Int?, batch: Int?, precision: String?, optimization: String?
  ) -> String {
    [
      threads.map { "threads=\($0)" }, batch.map { "batch=\($0)" },
      precision.map { "precision=\($0)" }, optimization.map { "optimization=\($0)" },
    ].compactMap { $0 }.joined(separator: " ")
  }

  public var circumstances: Circumstances {
    Circumstances(
      threads: threads, batch: batch, precision: precision, optimization: optimization,
      runtime: runtime, cpu: cpu)
  }

  /// Distance from p10 to p90 as a share of the median: 0.02 is 2 %.
  public var spread: Double? {
    guard let latencyP10, let latencyP90 else { return nil }
    return (latencyP90.value - latencyP10.value) / latencyMedian.value
  }
}

/// How a latency was taken, as far as is known: what isn't stated can't contradict.
public struct Circumstances: Hashable, Sendable {
  public var threads: Int?
  public var batch: Int?
  public var precision: String?
  public var optimization: String?
  public var runtime: String?
  /// The processor's model name.
  public var cpu: String?

  public init(
    threads: Int? = nil, batch: Int? = nil, precision: String? = nil, optimization: String? = nil,
    runtime: String? = nil, cpu: String? = nil
  ) {
    self.threads = threads
    self.batch = batch
    self.precision = precision
    self.optimization = optimization
    self.runtime = runtime
    self.cpu = cpu
  }

  /// Whether latencies taken so compare with those of `other`.
  public func agrees(with other: Circumstances) -> Bool {
    func same<Value: Equatable>(_ part: KeyPath<Circumstances, Value?>) -> Bool {
      guard let mine = self[keyPath: part], let others = other[keyPath: part] else { return true }
      return mine == others
    }
    return same(\.threads) && same(\.batch) && same(\.precision) && same(\.optimization)
      && same(\.runtime) && same(\.cpu)
  }

  /// Nothing of it is known.
  public var isEmpty: Bool { self == Circumstances() }
}

extension Circumstances: CustomStringConvertible {
  public var description: String {
    let place = [runtime, cpu.map { "on \($0)" }].compactMap { $0 }
    let conditions = Sample.conditions(
      threads: threads, batch: batch, precision: precision, optimization: optimization)
    let text = (place + [conditions]).filter { !$0.isEmpty }.joined(separator: " ")
    return text.isEmpty ? "none stated" : text
  }
}
