extension EngineTask {
  /// What ``time(_:threads:seconds:)`` found.
  public struct Timing: Sendable {
    public let name: String
    /// Milliseconds of a run.
    public let median: Double
    public let fastest: Double
    public let runs: Int
    /// KiB by which the runs raised the process's memory; 0 if it had been that large before.
    public let memory: Int
  }

  /// The tasks that are whole networks.
  public static let names: [String] =
    ["step", "infer64", "infer1"].flatMap { kind in
      ["e6k7d4", "e4k5d3", "e3k3d2"].map { "\(kind):\($0)" }
    } + ["step:e4k5d3se", "step:resnet20", "step:mlp"]

  /// Runs a task for about `seconds` (at least three times) after two runs to warm up.
  public static func time(_ name: String, threads: Int, seconds: Double) throws -> Timing {
    let before = ProcessMemory.peak
    let task = try EngineTask(name, threads: threads)
    for _ in 0..<2 { try task.run() }
    let clock = ContinuousClock()
    let start = clock.now
    var times: [Double] = []
    repeat {
      times.append(try clock.measure { try task.run() } / .milliseconds(1))
    } while times.count < 3 || start.duration(to: clock.now) < .seconds(seconds)
    times.sort()
    return Timing(
      name: name, median: times[times.count / 2], fastest: times[0], runs: times.count,
      memory: ProcessMemory.peak - before)
  }
}
