import Foundation
import Reports
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

struct ReportsTests {
  static let table = FrontTable(
    rows: [
      .init(
        id: "ofa-mobilenetv3:r160-k3e3_k3e3", latencyMs: 9.5, accuracy: 0.735,
        measuredLatencyMs: 9.7, metrics: [120]),
      .init(
        id: "ofa-mobilenetv3:r176-k5e4_k3e3", latencyMs: 14.25, accuracy: 0.7612, metrics: [180]),
      .init(
        id: "ofa-mobilenetv3:r224-k7e6_k5e6", latencyMs: 24.9, accuracy: 0.7923,
        measuredLatencyMs: 24.4, measuredAccuracy: 0.79, metrics: [310.5]),
    ], metrics: ["macs"])

  static func front(_ title: String = "Front") -> Plot {
    .front(
      table, title: title, subtitle: "ofa-mobilenetv3 · evolution, 50,100 evaluations · seed 1",
      device: "desk <cpu>, ONNX Runtime, 1 thread, batch 1", budgetMs: 25,
      best: "ofa-mobilenetv3:r224-k7e6_k5e6", cloud: [(12, 0.73), (20, 0.77)])
  }

  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [String: Int] = [:]
    var text = ""
    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      elements[name, default: 0] += 1
    }
    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
  }

  private func read(_ svg: String) -> Reader {
    let reader = Reader()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = reader
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    return reader
  }

  @Test func plotsAreWellFormedAndNameEverything() throws {
    let hostile = "a < b & \"c\" '\u{1}\u{0}' </svg><script>"
    let svg = try Self.front(hostile).svg()
    let reader = read(svg)
    #expect(reader.elements["script"] == nil)
    // Two in the cloud, three on the front, two measured; four swatches, one of them a star.
    #expect(reader.elements["circle"] == 2 + 3 + 2 + 3)
    for word in [
      "latency (ms), desk <cpu>, ONNX Runtime, 1 thread, batch 1", "predicted top-1 accuracy (%)",
      "budget 25 ms", "predicted front", "measured latency", "chosen", "seed 1",
    ] {
      #expect(reader.text.contains(word), "\(word)")
    }
    #expect(!svg.contains("nan") && !svg.contains("inf"))
  }

  @Test func ticksAreNiceAndCoverAnyRange() throws {
    for (low, high) in [
      (0.0, 1.0), (24.9, 25.1), (1e-6, 3e-6), (1e6, 9e8), (-5, 5), (7, 7), (0, 0), (81.2, 81.9),
      (1e11, 1e11 + 1),
    ] {
      let plot = Plot(
        "t", x: Axis("x"), y: Axis("y"),
        series: [.init("s", .line, [.init(low, high), .init(high, low)])])
      let reader = read(try plot.svg())
      #expect((8...40).contains(reader.elements["line"] ?? 0), "\(low) \(high)")
    }
  }

  @Test func whatCannotBeDrawnIsNamed() {
    for points: [Plot.Point] in [[], [.init(.nan, 1)], [.init(1, .infinity)]] {
      let plot = Plot("empty", x: Axis("x"), y: Axis("y"), series: [.init("s", .points, points)])
      let error = #expect(throws: ReportsError.self) { try plot.svg() }
      #expect(error?.message.hasPrefix("plot 'empty': ") == true)
      #expect(error?.exitCode == 65)
    }
  }

  @Test func csvHasEmptyColumnsForWhatIsNotKnown() {
    #expect(
      Self.table.csv() == """
        id,latency_ms,accuracy,measured_latency_ms,measured_accuracy,macs
        ofa-mobilenetv3:r160-k3e3_k3e3,9.5,0.735,9.7,,120.0
        ofa-mobilenetv3:r176-k5e4_k3e3,14.25,0.7612,,,180.0
        ofa-mobilenetv3:r224-k7e6_k5e6,24.9,0.7923,24.4,0.79,310.5

        """)
    let odd = FrontTable(rows: [.init(id: "a,\"b\"", latencyMs: 1, accuracy: 0.5)])
    #expect(odd.csv().contains("\"a,\"\"b\"\"\",1.0,0.5,,"))
  }

  @Test func reportsAreSelfContained() throws {
    let html = try HTMLReport(
      "Study <1>", subtitle: "budget 25 ms",
      sections: [
        .plot(Self.front(), caption: "Pareto front"),
        .front(Self.table, best: Self.table.rows[2].id),
        .facts("Provenance", [.init("device", "desk & chair"), .init("seed", "1")]),
      ]
    ).html()
    #expect(html.contains("<title>Study &lt;1&gt;</title>") && html.contains("desk &amp; chair"))
    #expect(html.contains("<tr class=\"best\"><td>24.90</td><td>24.40</td><td>+2.0 %</td>"))
    for outside in ["src=", "href=", "@import", "url("] { #expect(!html.contains(outside)) }
  }

  /// Writes samples to look at, where `SWIFTLET_SAMPLES` names a folder.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["SWIFTLET_SAMPLES"] != nil))
  func writesSamples() throws {
    let folder = URL(
      filePath: try #require(ProcessInfo.processInfo.environment["SWIFTLET_SAMPLES"]))
    var table = FrontTable(rows: [], metrics: ["macs (M)"])
    var cloud: [(latencyMs: Double, accuracy: Double)] = []
    for index in 0..<32 {
      let latency = 9 + 0.5 * Double(index)
      let accuracy = 0.8 - 0.09 * exp(-(latency - 9) / 6)
      table.rows.append(
        .init(
          id: "ofa-mobilenetv3:r\(160 + 4 * (index / 2))-k3e3_k5e4_k3e6-k5e4_k7e3-k3e3_k3e4",
          latencyMs: latency, accuracy: accuracy,
          measuredLatencyMs: index % 4 == 3 ? latency * (1 + 0.02 * sin(Double(index))) : nil,
          metrics: [100 + 9 * Double(index)]))
      for other in 0..<18 {
        cloud.append((latency + 0.1 * Double(other % 5), accuracy - 0.004 * Double(1 + other % 7)))
      }
    }
    let plot = Plot.front(
      table, title: "Architectures within 25 ms",
      subtitle: "ofa-mobilenetv3 · evolution · 50,100 evaluations · seed 1",
      device: "desktop, ONNX Runtime 1.23, 1 thread, batch 1", budgetMs: 25,
      best: table.rows[31].id, cloud: cloud)
    let error = Plot.predictedAgainstMeasured(
      "Lookup table against measurement", subtitle: "200 networks that calibration did not see",
      quantity: Axis("latency", unit: "ms", detail: "desktop, 1 thread, batch 1"),
      points: (0..<200).map {
        let x = 8 + 0.1 * Double($0)
        return .init(x, x * (1 + 0.03 * sin(Double($0 * $0))))
      })
    let line = Plot(
      "Best score", x: Axis("evaluations"), y: Axis("predicted top-1 accuracy", unit: "%"),
      series: ["evolution", "NSGA-II", "random"].enumerated().map { index, name in
        .init(
          name, .line,
          (0..<100).map {
            .init(500 * Double($0), 82 - Double(index + 1) * (0.3 + exp(-Double($0) / 12)))
          })
      })
    for (name, plot) in [("front", plot), ("error", error), ("line", line)] {
      try plot.svg().write(
        to: folder.appending(path: "\(name).svg"), atomically: true, encoding: .utf8)
    }
    try HTMLReport(
      "Search on desktop", subtitle: "ofa-mobilenetv3 within 25 ms",
      sections: [
        .plot(plot, caption: "Front"), .front(table, best: table.rows[31].id),
        .facts("Provenance", [.init("device", "desktop"), .init("seed", "1")]),
      ]
    ).html().write(to: folder.appending(path: "report.html"), atomically: true, encoding: .utf8)
  }
}
