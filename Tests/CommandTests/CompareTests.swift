import Foundation
import Testing

struct CompareTests {
  private func write(_ text: String, _ name: String, _ command: Command) throws {
    try text.write(toFile: command.path(name), atomically: true, encoding: .utf8)
  }

  @Test func twoMeasurementsGiveTheCeiling() throws {
    let command = try Command()
    defer { command.remove() }
    try write("id,accuracy\na,1\nb,2\nc,3\nd,4\nonly-here,9\n", "first.csv", command)
    try write("accuracy,id\n4,d\n1,a\n3,b\n2,c\n7,only-there\n", "second.csv", command)
    let answer = try command.run(
      "samples", "compare", "first.csv", "second.csv", "--plot", "plot.svg", "--json"
    ).json
    func number(_ key: String) -> Double { answer[key] as? Double ?? .nan }
    // Deviations of the first: -1.5, -0.5, 0.5, 1.5; of the second: -1.5, 0.5, -0.5, 1.5.
    #expect(answer["networks"] as? Int == 4)
    #expect(abs(number("reliability") - 0.8) < 1e-12)
    #expect(abs(number("ceilingPearson") - 0.894427191) < 1e-9)
    #expect(abs(number("ceilingKendall") - 0.704832765) < 1e-9)
    #expect(abs(number("kendall") - 2.0 / 3) < 1e-12)
    #expect(abs(number("largestDifference") - 1) < 1e-12)
    let plot = try String(contentsOfFile: command.path("plot.svg"), encoding: .utf8)
    #expect(plot.contains("<svg"))
  }

  @Test func equalValuesHaveDifferencesButNoOrder() throws {
    let command = try Command()
    defer { command.remove() }
    try write("id,accuracy\na,0.5\nb,0.5\n", "first.csv", command)
    try write("id,accuracy\na,0.75\nb,1\n", "second.csv", command)
    let arguments = ["samples", "compare", "first.csv", "second.csv"]
    let answer = try command.run(arguments + ["--json"])
    #expect(answer.status == 0 && answer.json["kendall"] is NSNull)
    #expect(answer.json["meanDifference"] as? Double == 0.375)
    let table = try command.run(arguments)
    #expect(table.output.contains("0.3750, 0.5000") && !table.output.contains("Kendall"))
    #expect(table.errors.contains("first.csv: all 2 common networks have the same accuracy"))
  }

  @Test(arguments: [
    ("id,accuracy\na,1\na,2\n", "first.csv:3: a occurs twice"),
    ("id,accuracy\na,1\nb,x\n", "first.csv:3: 'x' in accuracy is no number"),
    ("name,accuracy\na,1\n", "first.csv: needs a column 'id'"),
    ("id,latency_ms\na,1\nb,2\n", "name one with --column"),
    ("id,accuracy\na,1\nz,2\n", "1 networks in common; 2 are needed"),
  ]) func badFilesAreNamed(text: String, message: String) throws {
    let command = try Command()
    defer { command.remove() }
    try write(text, "first.csv", command)
    try write("id,accuracy\na,1\nb,2\n", "second.csv", command)
    let result = try command.run("samples", "compare", "first.csv", "second.csv")
    #expect(result.status != 0 && result.errors.contains(message), "\(result.errors)")
  }
}
