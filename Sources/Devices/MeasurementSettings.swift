/// How a latency is measured; see `Docs/worker-protocol.md` for the procedure and the figures behind
/// the defaults.
public struct MeasurementSettings: Codable, Equatable, Sendable {
  /// How well the median should be known, as a share of it: 0.01 is 1 %.
  public var tolerance = 0.01
  /// Rounds that must agree within the tolerance.
  public var agreeingRounds = 3
  /// Length of one round in seconds; the number of runs in a round follows from it.
  public var roundSeconds = 0.1
  /// Runs in one round, at least and at most.
  public var minRepeats = 5
  public var maxRepeats = 1000
  /// After this many seconds of timed runs a network counts as not stable.
  public var maxSeconds = 5.0
  /// Untimed runs before the first round, in seconds.
  public var warmUpSeconds = 0.1
  /// How much slower than in quiet times the worker's probe may be around a round that counts:
  /// 0.05 is 5 %.
  public var disturbance = 0.05
  /// Seed of the random inputs.
  public var seed = 0
  /// The processors to run on; chosen by the worker when absent.
  public var cpus: [Int]?

  public init() {}

  /// - Throws: `DevicesError.badSettings` naming the first value out of range.
  public func validate() throws {
    func check(_ isGood: Bool, _ name: String, _ value: some Any, _ range: String) throws {
      guard isGood else {
        throw DevicesError(.badSettings, "measurement setting '\(name)' is \(value); \(range)")
      }
    }
    try check(tolerance > 0 && tolerance < 1, "tolerance", tolerance, "a share above 0, below 1")
    try check((2...100).contains(agreeingRounds), "agreeingRounds", agreeingRounds, "2 to 100")
    try check(roundSeconds > 0 && roundSeconds <= 60, "roundSeconds", roundSeconds, "up to 60 s")
    try check((1...100_000).contains(minRepeats), "minRepeats", minRepeats, "1 to 100000")
    try check(
      (minRepeats...100_000).contains(maxRepeats), "maxRepeats", maxRepeats,
      "minRepeats to 100000")
    try check(
      maxSeconds >= roundSeconds && maxSeconds <= 3600, "maxSeconds", maxSeconds,
      "roundSeconds to 3600 s")
    try check(
      warmUpSeconds >= 0 && warmUpSeconds <= 600, "warmUpSeconds", warmUpSeconds, "0 to 600 s")
    try check(disturbance > 0, "disturbance", disturbance, "a share above 0")
    if let cpus {
      try check(!cpus.isEmpty && cpus.allSatisfy { $0 >= 0 }, "cpus", cpus, "processor numbers")
    }
  }
}
