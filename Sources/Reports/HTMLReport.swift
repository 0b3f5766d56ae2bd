/// A study as one HTML file that needs nothing else: plots inline, tables, provenance.
public struct HTMLReport: Sendable {
  public struct Fact: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public enum Section: Sendable {
    case paragraph(String)
    case plot(Plot, caption: String)
    case front(FrontTable, best: String?)
    case facts(String, [Fact])
  }

  public var title: String
  public var subtitle: String
  public var sections: [Section]

  public init(_ title: String, subtitle: String = "", sections: [Section]) {
    self.title = title
    self.subtitle = subtitle
    self.sections = sections
  }

  /// - Throws: `invalidData` when a plot cannot be drawn.
  public func html() throws -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escaped(title))</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <main>
    <h1>\(escaped(title))</h1>
    \(subtitle.isEmpty ? "" : "<p class=\"subtitle\">\(escaped(subtitle))</p>")
    \(try sections.map { try render($0) }.joined(separator: "\n"))
    </main>
    </body>
    </html>

    """
  }

  private func render(_ section: Section) throws -> String {
    switch section {
    case .paragraph(let text): return "<p>\(escaped(text))</p>"
    case .plot(let plot, let caption):
      return "<figure>\n\(try plot.svg())<figcaption>\(escaped(caption))</figcaption>\n</figure>"
    case .front(let table, let best): return render(table, best)
    case .facts(let heading, let facts):
      let rows = facts.map {
        "<dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd>"
      }.joined(separator: "\n")
      return "<h2>\(escaped(heading))</h2>\n<dl>\n\(rows)\n</dl>"
    }
  }

  private func render(_ table: FrontTable, _ best: String?) -> String {
    let isMeasured = table.rows.contains { $0.measuredLatencyMs != nil }
    let hasAccuracy = table.rows.contains { $0.measuredAccuracy != nil }
    let header =
      ["predicted ms"] + (isMeasured ? ["measured ms", "error"] : [])
      + ["predicted \(table.score == "accuracy" ? "top-1" : table.score)"]
      + (hasAccuracy ? ["measured top-1"] : []) + table.metrics
    let rows = table.rows.map { row in
      var cells = [fixed(row.latencyMs, 2)]
      if isMeasured {
        cells.append(row.measuredLatencyMs.map { fixed($0, 2) } ?? "")
        cells.append(
          row.measuredLatencyMs.map {
            let error = 100 * (row.latencyMs / $0 - 1)
            return "\(error > 0 ? "+" : "")\(fixed(error, 1)) %"
          } ?? "")
      }
      cells.append("\(fixed(100 * row.accuracy, 2)) %")
      if hasAccuracy {
        cells.append(row.measuredAccuracy.map { "\(fixed(100 * $0, 2)) %" } ?? "")
      }
      cells += row.metrics.map(fixedShort)
      return (row.id == best ? "<tr class=\"best\">" : "<tr>")
        + cells.map { "<td>\($0)</td>" }.joined()
        + "<td class=\"id\">\(escaped(row.id))</td></tr>"
    }
    let head = header.map { "<th>\(escaped($0))</th>" }.joined() + "<th class=\"id\">id</th>"
    return """
      <h2>Front</h2>
      <div class="wide"><table>
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody>
      </table></div>
      """
  }

  private static let style = """
    body { margin: 0; background: #f5f7fa; color: #1f2933;
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
    main { max-width: 860px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
    h1 { font-size: 1.7rem; margin: 0 0 .25rem; }
    h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
    .subtitle { color: #616e7c; margin: 0 0 1.5rem; }
    figure { margin: 1.5rem 0; background: #fff; border: 1px solid #e4e7eb; border-radius: 8px;
      padding: 1rem; }
    figure svg { width: 100%; height: auto; display: block; }
    figcaption { color: #616e7c; font-size: .9rem; margin-top: .5rem; }
    .wide { overflow-x: auto; background: #fff; border: 1px solid #e4e7eb; border-radius: 8px; }
    table { border-collapse: collapse; width: 100%; font-size: .88rem;
      font-variant-numeric: tabular-nums; }
    th, td { padding: .4rem .75rem; text-align: right; white-space: nowrap; }
    th { border-bottom: 1px solid #cbd2d9; font-weight: 600; }
    tbody tr:nth-child(even) { background: #f8f9fb; }
    tbody tr.best { background: #fdf1e7; font-weight: 600; }
    .id { text-align: left; font-family: ui-monospace, "DejaVu Sans Mono", monospace;
      font-size: .8rem; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 0; }
    dt { color: #616e7c; } dd { margin: 0; overflow-wrap: anywhere; }
    @media print { body { background: #fff; } }
    """
}
