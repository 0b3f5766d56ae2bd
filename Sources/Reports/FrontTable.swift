/// A front as a table: predicted and, where known, measured values.
public struct FrontTable: Hashable, Sendable {
  public struct Row: Hashable, Sendable {
    /// The architecture's id.
    public var id: String
    public var latencyMs: Double
    /// Predicted, in 0...1: the table's `score`.
    public var accuracy: Double
    public var measuredLatencyMs: Double?
    public var measuredAccuracy: Double?
    /// Further predicted costs, in the order of the table's `metrics`.
    public var metrics: [Double]

    public init(
      id: String, latencyMs: Double, accuracy: Double, measuredLatencyMs: Double? = nil,
      measuredAccuracy: Double? = nil, metrics: [Double] = []
    ) {
      self.id = id
      self.latencyMs = latencyMs
      self.accuracy = accuracy
      self.measuredLatencyMs = measuredLatencyMs
      self.measuredAccuracy = measuredAccuracy
      self.metrics = metrics
    }
  }

  public var rows: [Row]
  /// Names of further costs, such as `macs`.
  public var metrics: [String]

  /// What the rows' accuracies are: `accuracy`, or `rank` in the space where none are known.
  public var score: String

  public init(rows: [Row], metrics: [String] = [], score: String = "accuracy") {
    self.rows = rows
    self.metrics = metrics
    self.score = score
  }

  /// Columns `id, latency_ms, accuracy` (or another score), measured_latency_ms, measured_accuracy`, then the further
  /// costs; what is not known is empty.
  public func csv() -> String {
    var lines = [
      (["id", "latency_ms", score, "measured_latency_ms", "measured_accuracy"] + metrics)
        .map(Self.field).joined(separator: ",")
    ]
    for row in rows {
      let numbers: [Double?] =
        [row.latencyMs, row.accuracy, row.measuredLatencyMs, row.measuredAccuracy] + row.metrics
      lines.append(
        ([Self.field(row.id)] + numbers.map { $0.map { "\($0)" } ?? "" }).joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Quoted where RFC 4180 asks for it.
  private static func field(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }
}
