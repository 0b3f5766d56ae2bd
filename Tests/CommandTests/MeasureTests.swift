import Foundation
import Testing

struct MeasureTests {
  /// Every sample is kept as it is taken: a killed run goes on, and measures nothing twice.
  @Test func aKilledMeasurementGoesOn() throws {
    let command = try Command()
    defer { command.remove() }
    #expect(try command.run("device", "add", "here").status == 0)
    let arguments = ["measure", "--space", "nasbench201", "-n", "12", "--device", "here", "--json"]
    let (process, _, _) = try command.start(arguments)
    for _ in 0..<600 where try samples(command) < 2 { Thread.sleep(forTimeInterval: 0.1) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let before = try samples(command)
    #expect(before >= 2)
    let result = try command.run(arguments)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try #require(result.json["known"] as? Int) >= before)
    #expect((result.json["samples"] as? [Any])?.count == 12)
    let csv = try command.run("samples", "export", "--device", "here").output
    #expect(csv.split(separator: "\n").count == 13)
    // What was exported comes in elsewhere, and is the same.
    try csv.write(toFile: command.path("samples.csv"), atomically: true, encoding: .utf8)
    let elsewhere = try Command()
    defer { elsewhere.remove() }
    #expect(try elsewhere.run("samples", "import", command.path("samples.csv")).status == 0)
    #expect(try elsewhere.run("samples", "export").output == csv)
  }

  private func samples(_ command: Command) throws -> Int {
    let list = try command.run("samples", "list", "--json").json["samples"] as? [Any]
    return list?.count ?? 0
  }
}
