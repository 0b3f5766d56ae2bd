import Foundation
import Testing

@testable import Store

@Suite struct DocumentTests {
  @Test func samplesAreDocumented() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let document = try String(contentsOf: root.appending(path: "Docs/samples.md"), encoding: .utf8)
    let start = try #require(document.range(of: "```csv\n"))
    let end = try #require(document[start.upperBound...].range(of: "```"))
    let example = String(document[start.upperBound..<end.lowerBound])
    #expect(try SamplesCSV.parse(example, file: "example", device: "phone").count == 2)
    for column in SamplesCSV.columns {
      #expect(document.contains("`\(column)`"), "column \(column) is not documented")
    }
  }
}
