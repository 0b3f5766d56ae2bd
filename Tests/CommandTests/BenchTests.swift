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
}
