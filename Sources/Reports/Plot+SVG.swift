extension Plot {
  /// The plot as one self-contained SVG element, for browsers, GitHub and documents.
  /// - Throws: `invalidData` when there is nothing to draw or a value is no number.
  public func svg() throws -> String {
    let points = series.flatMap(\.points)
    guard !points.isEmpty else {
      throw ReportsError(.invalidData, "plot '\(title)': there is no point to draw")
    }
    let values = points.flatMap { [$0.x, $0.y] } + rules.flatMap(\.values)
    guard values.allSatisfy({ abs($0) < 1e12 }) else {
      throw ReportsError(.invalidData, "plot '\(title)': a value is no number or beyond 1e12")
    }
    return Drawing(self).svg
  }
}

/// Lays out and draws one plot.
private struct Drawing {
  let plot: Plot
  let x: Scale
  let y: Scale
  let left: Double
  let top: Double
  let right: Double
  let bottom: Double
  private(set) var svg = ""

  init(_ plot: Plot) {
    self.plot = plot
    var xs = plot.series.flatMap(\.points).map(\.x)
    var ys = plot.series.flatMap(\.points).map(\.y)
    for rule in plot.rules {
      switch rule.kind {
      case .vertical(let value): xs.append(value)
      case .horizontal(let value): ys.append(value)
      case .diagonal: break
      }
    }
    if plot.isSquare { (xs, ys) = (xs + ys, xs + ys) }
    x = Scale(xs.filter(\.isFinite), target: plot.isSquare ? 6 : 8)
    let scale = Scale(ys.filter(\.isFinite), target: 6)
    y = scale
    let widest = scale.ticks.map { scale.text($0).count }.max() ?? 1
    left = 46 + Double(widest) * 7.5
    top = 46 + (plot.subtitle.isEmpty ? 0 : 20) + (plot.series.count > 1 ? 26 : 4)
    right = plot.width - 24
    bottom = plot.height - 58
    draw()
  }

  private mutating func draw() {
    let size = "\(coordinate(plot.width)) \(coordinate(plot.height))"
    svg = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size)" \
      width="\(coordinate(plot.width))" height="\(coordinate(plot.height))" role="img" \
      font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" \
      font-size="13" fill="\(Palette.ink)">
      <title>\(escaped(plot.title))</title>
      <rect width="100%" height="100%" fill="#ffffff"/>

      """
    text(20, 30, plot.title, size: 18, weight: "600")
    if !plot.subtitle.isEmpty { text(20, 51, plot.subtitle, colour: Palette.quiet) }
    axes()
    for rule in plot.rules { draw(rule) }
    for (index, series) in plot.series.enumerated() { draw(series, colour(index)) }
    legend()
    svg += "</svg>\n"
  }

  private func px(_ value: Double) -> Double { x.place(value, in: (left, right)) }
  private func py(_ value: Double) -> Double { y.place(value, in: (bottom, top)) }

  /// Clouds are grey; the others take the palette in order.
  private func colour(_ index: Int) -> String {
    guard plot.series[index].style != .cloud else { return Palette.cloud }
    let place = plot.series[..<index].count { $0.style != .cloud }
    return Palette.colours[place % Palette.colours.count]
  }

  private mutating func axes() {
    for tick in x.ticks {
      line(px(tick), top, px(tick), bottom, Palette.grid)
      text(px(tick), bottom + 20, x.text(tick), anchor: "middle", colour: Palette.quiet)
    }
    for tick in y.ticks {
      line(left, py(tick), right, py(tick), Palette.grid)
      text(left - 10, py(tick) + 4.5, y.text(tick), anchor: "end", colour: Palette.quiet)
    }
    line(left, bottom, right, bottom, Palette.quiet)
    line(left, top, left, bottom, Palette.quiet)
    text((left + right) / 2, bottom + 45, plot.x.label, anchor: "middle")
    let middle = coordinate((top + bottom) / 2)
    svg += """
      <text x="24" y="\(middle)" transform="rotate(-90 24 \(middle))" text-anchor="middle">\
      \(escaped(plot.y.label))</text>

      """
  }

  private mutating func draw(_ rule: Plot.Rule) {
    let dash = " stroke-dasharray=\"5 4\""
    switch rule.kind {
    case .vertical(let value) where value.isFinite:
      line(px(value), top, px(value), bottom, Palette.quiet, dash)
      let isLeft = px(value) > (left + right) / 2
      text(
        px(value) + (isLeft ? -7 : 7), bottom - 10, rule.label, anchor: isLeft ? "end" : "start",
        colour: Palette.quiet)
    case .horizontal(let value) where value.isFinite:
      line(left, py(value), right, py(value), Palette.quiet, dash)
      text(right - 6, py(value) - 7, rule.label, anchor: "end", colour: Palette.quiet)
    case .diagonal:
      let (low, high) = (max(x.low, y.low), min(x.high, y.high))
      guard low < high else { return }
      line(px(low), py(low), px(high), py(high), Palette.quiet, dash)
      text(right - 10, bottom - 12, rule.label, anchor: "end", colour: Palette.quiet)
    default: break
    }
  }

  private mutating func draw(_ series: Plot.Series, _ colour: String) {
    let name = escaped(series.name)
    switch series.style {
    case .cloud:
      svg += "<g fill=\"\(colour)\" fill-opacity=\"0.45\">\n"
      for point in series.points { dot(point, 2.2) }
    case .points, .front:
      if series.style == .front { path(steps(series.points), colour) }
      let radius = series.points.count > 150 ? 3.0 : 4.5
      svg += "<g fill=\"\(colour)\" stroke=\"#ffffff\" stroke-width=\"1\">\n"
      for point in series.points { dot(point, radius) }
    case .line:
      path(series.points.map { (px($0.x), py($0.y)) }, colour)
      svg += "<g>\n"
    case .mark:
      svg += "<g fill=\"\(colour)\" stroke=\"#ffffff\" stroke-width=\"1.2\">\n"
      for point in series.points {
        shape("<path d=\"\(star(px(point.x), py(point.y)))\"", point.note, "path")
      }
    }
    svg += "<desc>\(name)</desc></g>\n"
  }

  /// Between neighbours the better score is known only from the dearer one on.
  private func steps(_ points: [Plot.Point]) -> [(Double, Double)] {
    var result: [(Double, Double)] = []
    for point in points.sorted(by: { $0.x < $1.x }) {
      if let last = result.last { result.append((px(point.x), last.1)) }
      result.append((px(point.x), py(point.y)))
    }
    return result
  }

  private func star(_ x: Double, _ y: Double) -> String {
    // Unit vectors of a five-pointed star, from the top clockwise.
    let tips = [(0.0, -1.0), (0.951, -0.309), (0.588, 0.809), (-0.588, 0.809), (-0.951, -0.309)]
    let dents = [(0.225, -0.309), (0.363, 0.118), (0, 0.382), (-0.363, 0.118), (-0.225, -0.309)]
    let corners = zip(tips, dents).flatMap { [$0, $1] }
    return "M"
      + corners.map { "\(coordinate(x + 11 * $0.0)) \(coordinate(y + 11 * $0.1))" }
      .joined(separator: "L") + "Z"
  }

  private mutating func dot(_ point: Plot.Point, _ radius: Double) {
    shape(
      "<circle cx=\"\(coordinate(px(point.x)))\" cy=\"\(coordinate(py(point.y)))\" "
        + "r=\"\(coordinate(radius))\"", point.note, "circle")
  }

  private mutating func shape(_ open: String, _ note: String, _ tag: String) {
    svg += note.isEmpty ? "\(open)/>\n" : "\(open)><title>\(escaped(note))</title></\(tag)>\n"
  }

  private mutating func path(_ points: [(Double, Double)], _ colour: String) {
    guard points.count > 1 else { return }
    let corners = points.map { "\(coordinate($0.0)) \(coordinate($0.1))" }.joined(separator: "L")
    svg +=
      "<path d=\"M\(corners)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\" "
      + "stroke-linejoin=\"round\"/>\n"
  }

  private mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, _ more: String = ""
  ) {
    svg +=
      "<line x1=\"\(coordinate(x1))\" y1=\"\(coordinate(y1))\" x2=\"\(coordinate(x2))\" "
      + "y2=\"\(coordinate(y2))\" stroke=\"\(colour)\"\(more)/>\n"
  }

  private mutating func text(
    _ x: Double, _ y: Double, _ text: String, anchor: String = "start",
    colour: String = Palette.ink, size: Double = 13, weight: String = "400"
  ) {
    svg +=
      "<text x=\"\(coordinate(x))\" y=\"\(coordinate(y))\" text-anchor=\"\(anchor)\" "
      + "fill=\"\(colour)\" font-size=\"\(coordinate(size))\" font-weight=\"\(weight)\">"
      + "\(escaped(text))</text>\n"
  }

  /// One row above the plot, from the left.
  private mutating func legend() {
    guard plot.series.count > 1 else { return }
    var place = left
    for (index, series) in plot.series.enumerated() {
      let colour = colour(index)
      let (x, y) = (place + 8, top - 18)
      switch series.style {
      case .cloud: svg += swatch(x, y, 3, colour)
      case .points: svg += swatch(x, y, 4.5, colour)
      case .line, .front:
        line(x - 8, y, x + 8, y, colour, " stroke-width=\"2\"")
        if series.style == .front { svg += swatch(x, y, 4.5, colour) }
      case .mark:
        svg += "<path d=\"\(star(x, y))\" fill=\"\(colour)\"/>\n"
      }
      text(x + 15, y + 4.5, series.name)
      place += 46 + Double(series.name.count) * 7.4
    }
  }

  private func swatch(_ x: Double, _ y: Double, _ radius: Double, _ colour: String) -> String {
    "<circle cx=\"\(coordinate(x))\" cy=\"\(coordinate(y))\" r=\"\(coordinate(radius))\" "
      + "fill=\"\(colour)\"/>\n"
  }
}
