import Foundation
import Testing

struct BenchTests {
  @Test func engineTasksAreTimed() throws {
    let command = try Command()
    defer { command.remove() }
    let answer = try command.run(
      "bench", "engine", "--only", "step:mlp", "--seconds", "0.01", "--threads", "1", "--json"
    ).json
    #expect(answer["schema"] as? String == "swiftlet.engine-benchmark")
    let tasks = try #require(answer["tasks"] as? [[String: Any]])
    #expect(tasks.count == 1)
    let task = try #require(tasks.first)
    #expect(task["task"] as? String == "step:mlp")
    let (median, fastest) = (task["medianMs"] as? Double ?? 0, task["fastestMs"] as? Double ?? 0)
    #expect(fastest > 0 && median >= fastest)
    #expect(task["runs"] as? Int ?? 0 >= 3)
  }

  @Test func unknownTasksAreNamed() throws {
    let command = try Command()
    defer { command.remove() }
    let result = try command.run("bench", "engine", "--only", "nothing")
    #expect(result.status == 64)
    #expect(result.errors.contains("step:resnet20"))
  }

  @Test func supernetStepsAndEvaluationsAreTimed() throws {
    let command = try Command()
    defer { command.remove() }
    try """
    schema: 1
    name: tiny
    resolution: {from: 8, to: 12, step: 4}
    classes: 3
    layers:
      - conv: {name: first_conv, out: 8, kernel: 3, activation: relu}
      - stage:
          depth: [1, 2]
          out: 8
          block: {mbconv: {kernel: [3, 5], expand: [2, 3], activation: relu}}
      - global_pool:
      - linear: {name: classifier}
    """.write(toFile: command.path("tiny.yaml"), atomically: true, encoding: .utf8)
    let answer = try command.run(
      "bench", "supernet", "--space", "tiny.yaml", "--batch", "8", "--steps", "2", "--subnets", "3",
      "--images", "20", "--recalibration", "16", "--threads", "2", "--json"
    ).json
    let rows = try #require(answer["rows"] as? [[String: Any]])
    #expect(
      rows.compactMap { $0["task"] as? String } == [
        "step:sandwich", "step:sandwich", "step:shrinking", "step:shrinking", "evaluate",
      ])
    #expect(rows.allSatisfy { $0["ours"] as? Double ?? 0 > 0 }, "\(answer)")
    let steps = rows.filter { $0["task"] as? String == "step:sandwich" }
    let values = steps.compactMap { $0["ours"] as? Double }
    // Milliseconds of 8 images, and images a second.
    #expect(values.count == 2 && abs(values[0] * values[1] - 8000) < 1)
  }
}
