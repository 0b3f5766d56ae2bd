import ArgumentParser
import EngineBenchmarks
import Foundation
import Tensors

struct BenchEngineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "engine",
    abstract: "Training steps, inference and kernels of the training engine.",
    discussion: """
      Run it alone on the machine. Networks train on 64 images of 32x32; 'make bench-engine' \
      times PyTorch and ONNX Runtime on the same networks beside it.
      """)
  @Option(help: "Threads that compute.") var threads = 2
  @Option(help: "Seconds for each network and task.") var seconds = 1.0
  @Option(help: "Only tasks whose name contains this text; 'kernel' are the kernels.")
  var only = ""
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads \(threads) is not in 1...1024")
    }
    guard seconds > 0, seconds.isFinite else {
      throw ValidationError("--seconds \(seconds) must be positive")
    }
  }

  func run() throws {
    var timings: [EngineTask.Timing] = []
    for name in EngineTask.names where only.isEmpty || name.contains(only) {
      timings.append(try EngineTask.time(name, threads: threads, seconds: seconds))
    }
    let kernels =
      only.isEmpty || "kernel".contains(only)
      ? try EngineProbe.run(engine: Engine(threads: threads)) : []
    if timings.isEmpty, kernels.isEmpty {
      throw ValidationError(
        "--only '\(only)' fits none of: kernel, \(EngineTask.names.joined(separator: ", "))")
    }
    if common.json { return try Output.json("engine-benchmark", body(timings, kernels)) }
    Output.table(
      ["task", "median ms", "fastest ms", "memory MiB"],
      timings.map {
        [$0.name, text($0.median), text($0.fastest), text(Double($0.memory) / 1024)]
      })
    if kernels.isEmpty { return }
    Output.line("")
    Output.table(
      ["kernel", "GFLOP/s", "GB/s", "of peak"],
      kernels.map { row in
        [
          row.name, row.gigaflops.map(text) ?? "-", row.gigabytes.map(text) ?? "-",
          row.shareOfPeak.map { String(format: "%.0f %%", $0 * 100) } ?? "-",
        ]
      })
  }

  private func text(_ number: Double) -> String { String(format: "%.2f", number) }

  private func body(_ timings: [EngineTask.Timing], _ kernels: [EngineProbe.Row])
    -> [String: JSON]
  {
    [
      "threads": .integer(threads), "instructionSet": .string(Engine.instructionSet),
      "tasks": .array(
        timings.map {
          [
            "task": .string($0.name), "medianMs": .number($0.median),
            "fastestMs": .number($0.fastest), "runs": .integer($0.runs),
            "memoryKiB": .integer($0.memory),
          ]
        }),
      "kernels": .array(
        kernels.map {
          [
            "kernel": .string($0.name), "gigaflops": $0.gigaflops.map(JSON.number) ?? .null,
            "gigabytes": $0.gigabytes.map(JSON.number) ?? .null,
            "shareOfPeak": $0.shareOfPeak.map(JSON.number) ?? .null,
          ]
        }),
    ]
  }
}
