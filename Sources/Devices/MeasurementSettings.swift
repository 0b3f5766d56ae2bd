/// How a latency is measured; see `Docs/worker-protocol.md` for the procedure and the figures behind
/// the defaults.
public struct MeasurementSettings: Codable, Equatable, Sendable {
  /// How well the median should be known, as a share of it: its standard error over the rounds.
  public var tolerance = 0.01
  /// Length of one round in seconds; the number of runs in a round follows from it.
  public var roundSeconds = 0.05
  /// Rounds at least; more follow until the tolerance is met.
  public var minRounds = 6
  /// Runs in one round, at least and at most.
  public var minRepeats = 3
  public var maxRepeats = 1000
  /// A network whose median is not known well enough after this many seconds, and `minRounds`, is not
  /// stable. Networks too slow for that many rounds of `minRepeats` run once a round.
  public var maxSeconds = 4.0
  /// Untimed runs before the first round, in seconds.
  public var warmUpSeconds = 0.1
  /// Seconds of the reference network between rounds, to tell the machine's momentary speed;
  /// 0 takes all times as they come.
  public var referenceSeconds = 0.02
  /// How much of the reference's slowdown a network shares, as an exponent: 0 nothing, 1 all of it.
  public var referenceShare = 0.6
  /// Seconds spent once on learning the reference network's latency in quiet times.
  public var calibrationSeconds = 5.0
  /// Seed of the random inputs.
  public var seed = 0
  /// The processors to run on; chosen by the worker when absent.
  public var cpus: [Int]?

  public init() {}

  /// The same procedure with at most `seconds` for a network: rounds, warm-up and reference take the
  /// same share of it.
  public func scaled(toSeconds seconds: Double) -> MeasurementSettings {
    var scaled = self
    let factor = seconds / maxSeconds
    scaled.maxSeconds = seconds
    scaled.roundSeconds *= factor
    scaled.warmUpSeconds *= factor
    scaled.referenceSeconds *= factor
    return scaled
  }

  /// - Throws: `DevicesError.badSettings` naming the first value out of range.
  public func validate() throws {
    func check(_ isGood: Bool, _ name: String, _ value: some Any, _ range: String) throws {
      guard isGood else {
        throw DevicesError(.badSettings, "measurement setting '\(name)' is \(value); \(range)")
      }
    }
    try check(tolerance > 0 && tolerance < 1, "tolerance", tolerance, "a share above 0, below 1")
    try check(roundSeconds > 0 && roundSeconds <= 60, "roundSeconds", roundSeconds, "up to 60 s")
    try check((3...1000).contains(minRounds), "minRounds", minRounds, "3 to 1000")
    try check((1...100_000).contains(minRepeats), "minRepeats", minRepeats, "1 to 100000")
    try check(
      (minRepeats...100_000).contains(maxRepeats), "maxRepeats", maxRepeats,
      "minRepeats to 100000")
    try check(
      maxSeconds >= roundSeconds && maxSeconds <= 3600, "maxSeconds", maxSeconds,
      "roundSeconds to 3600 s")
    try check(
      warmUpSeconds >= 0 && warmUpSeconds <= 600, "warmUpSeconds", warmUpSeconds, "0 to 600 s")
    try check(
      referenceSeconds >= 0 && referenceSeconds <= 60, "referenceSeconds", referenceSeconds,
      "0 to 60 s")
    try check(
      referenceShare >= 0 && referenceShare <= 2, "referenceShare", referenceShare, "0 to 2")
    try check(
      calibrationSeconds > 0 && calibrationSeconds <= 600, "calibrationSeconds",
      calibrationSeconds, "up to 600 s")
    if let cpus {
      try check(!cpus.isEmpty && cpus.allSatisfy { $0 >= 0 }, "cpus", cpus, "processor numbers")
    }
  }
}
