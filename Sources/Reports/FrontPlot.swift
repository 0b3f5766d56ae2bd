extension Plot {
  /// The front of a search: accuracy in percent against latency.
  ///
  /// - Parameters:
  ///   - device: device, runtime, threads and batch, as the axis names them.
  ///   - quantity: what the rows' accuracies are.
  ///   - best: id of the row that was chosen.
  ///   - cloud: further architectures (latency, accuracy) behind the front.
  public static func front(
    _ table: FrontTable, title: String, subtitle: String = "", device: String,
    quantity: String = "predicted top-1 accuracy", budgetMs: Double? = nil, best: String? = nil,
    cloud: [(latencyMs: Double, accuracy: Double)] = []
  ) -> Plot {
    var series: [Series] = []
    if !cloud.isEmpty {
      series.append(
        Series("evaluated", .cloud, cloud.map { Point($0.latencyMs, 100 * $0.accuracy) }))
    }
    series.append(
      Series(
        "predicted front", .front,
        table.rows.map { Point($0.latencyMs, 100 * $0.accuracy, note: note($0)) }))
    let measured = table.rows.compactMap { row in
      row.measuredLatencyMs.map {
        Point($0, 100 * (row.measuredAccuracy ?? row.accuracy), note: note(row))
      }
    }
    if !measured.isEmpty { series.append(Series("measured latency", .points, measured)) }
    if let row = table.rows.first(where: { $0.id == best }) {
      let latency = row.measuredLatencyMs ?? row.latencyMs
      let accuracy = row.measuredAccuracy ?? row.accuracy
      series.append(Series("chosen", .mark, [Point(latency, 100 * accuracy, note: note(row))]))
    }
    return Plot(
      title, subtitle: subtitle, x: Axis("latency", unit: "ms", detail: device),
      y: Axis(quantity, unit: "%"), series: series,
      rules: budgetMs.map { [Rule(.vertical($0), "budget \(fixedShort($0)) ms")] } ?? [])
  }

  private static func note(_ row: FrontTable.Row) -> String {
    var parts = [
      row.id, "predicted \(fixed(row.latencyMs, 2)) ms, \(fixed(100 * row.accuracy, 2)) %",
    ]
    if let latency = row.measuredLatencyMs { parts.append("measured \(fixed(latency, 2)) ms") }
    return parts.joined(separator: " · ")
  }
}

/// Up to three decimals, without trailing zeros.
func fixedShort(_ value: Double) -> String {
  var text = fixed(value, 3)
  while text.contains("."), text.last == "0" || text.last == "." {
    let isPoint = text.last == "."
    text.removeLast()
    if isPoint { break }
  }
  return text
}
