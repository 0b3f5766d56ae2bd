import EngineBenchmarks
import Foundation

/// The engine's side of Benchmarks/engine_pytorch.py, supernet_pytorch.py, resnet20_cifar10.py and
/// Tests/peers/training_parity.py.
@main struct EngineBench {
  static let usage = """
    engine-bench serve THREADS          reads lines `TASK REPEATS`, answers milliseconds
    engine-bench memory TASK THREADS    KiB by which a task raises the process's memory
    engine-bench trajectory FILE RESULT THREADS
    engine-bench supernet SPACE BATCH THREADS COUNT
                                        prints its plan of COUNT steps and subnets, reads lines
                                        `TASK FIRST COUNT`, answers milliseconds
    engine-bench resnet20 DATA EPOCHS SEED THREADS
    """

  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch (arguments.first, arguments.count) {
    case ("serve", 2): try serve(threads: Int(arguments[1]) ?? 1)
    case ("memory", 3):
      print(try EngineTask.memory(arguments[1], threads: Int(arguments[2]) ?? 1))
    case ("resnet20", 5):
      let result = try ResNet20Run.train(
        data: arguments[1], epochs: Int(arguments[2]) ?? 1, seed: UInt64(arguments[3]) ?? 1,
        threads: Int(arguments[4]) ?? 1
      ) { FileHandle.standardError.write(Data(($0 + "\n").utf8)) }
      print(String(format: "%.2f %.4f", result.seconds, result.accuracy))
    case ("trajectory", 4):
      try Trajectory.run(
        file: arguments[1], result: arguments[2], threads: Int(arguments[3]) ?? 1)
    case ("supernet", 5):
      var options = SupernetBenchmark.Options()
      options.batch = Int(arguments[2]) ?? options.batch
      options.threads = Int(arguments[3]) ?? options.threads
      try serve(
        SupernetBenchmark(space: arguments[1], options), count: Int(arguments[4]) ?? 1)
    default:
      FileHandle.standardError.write(Data((usage + "\n").utf8))
      exit(64)
    }
  }

  static func serve(threads: Int) throws {
    var current: (name: String, task: EngineTask)?
    while let line = readLine() {
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 2, let repeats = Int(words[1]) else { continue }
      if current?.name != words[0] {
        current = nil  // one at a time: memory and caches are its own
        current = (words[0], try EngineTask(words[0], threads: threads))
        for _ in 0..<2 { try current?.task.run() }
      }
      guard let task = current?.task else { continue }
      let times = try (0..<repeats).map { _ in
        let elapsed = try ContinuousClock().measure { try task.run() }
        return String(format: "%.4f", elapsed / .milliseconds(1))
      }
      print(times.joined(separator: " "))
      fflush(nil)
    }
  }

  /// Tasks are `step:sandwich`, `step:shrinking` (milliseconds of each step) and `evaluate`
  /// (milliseconds of all subnets together).
  static func serve(_ benchmark: SupernetBenchmark, count: Int) throws {
    let plan = try JSONEncoder().encode(benchmark.plan(count))
    print(String(decoding: plan, as: UTF8.self))
    fflush(nil)
    while let line = readLine() {
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 3, let first = Int(words[1]), let count = Int(words[2]) else { continue }
      let numbers = first..<first + count
      var times: [Double] = []
      if let kind = SupernetBenchmark.Step.allCases.first(where: { $0.task == words[0] }) {
        for number in numbers { times.append(try benchmark.step(kind, number)) }
      } else {
        times = [try benchmark.evaluate(numbers)]
      }
      print(times.map { String(format: "%.4f", $0) }.joined(separator: " "))
      fflush(nil)
    }
  }
}
