import Architectures
import ArgumentParser
import Devices
import Foundation
import Store

struct DeviceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "device", abstract: "Devices to measure on: list, add, remove.",
    subcommands: [List.self, Add.self, Remove.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the devices in the store.")
    @OptionGroup var common: CommonOptions

    func run() throws {
      let devices = try Store().devices()
      if common.json {
        try Output.json(
          "devices",
          [
            "devices": .array(
              devices.map { device in
                [
                  "name": .string(device.name),
                  "worker": .array(device.worker.map { .string($0) }),
                  "threads": .integer(device.threads), "batch": .integer(device.batch),
                  "precision": .string(device.precision),
                  "optimization": .string(device.optimization), "notes": .string(device.notes),
                ]
              })
          ])
      } else if devices.isEmpty {
        Terminal.note("no devices yet; add one with: swiftlet device add NAME", quiet: common.quiet)
      } else {
        Output.table(
          ["device", "threads", "batch", "precision", "optimization", "worker"],
          devices.map {
            [
              $0.name, "\($0.threads)", "\($0.batch)", $0.precision, $0.optimization,
              $0.worker.joined(separator: " "),
            ]
          })
      }
    }
  }

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a device: a worker command and how networks run there.")
    @Argument(help: "The device's name.") var name: String
    @Option(
      help: ArgumentHelp(
        "Worker command; any program that speaks the worker protocol.",
        discussion: "Defaults to the ONNX Runtime worker that comes with the command."))
    var worker: String?
    @Option(help: "Threads that run the network.") var threads = 1
    @Option(help: "Images at once.") var batch = 1
    @Option(help: "Precision that the runtime uses.") var precision = "float32"
    @Option(help: "Graph optimisation of the runtime: all, extended, basic, off.")
    var optimization = "all"
    @Option(
      help: "How networks reach the worker: path (same machine) or inline (remote).",
      transform: { text in
        guard let transfer = Device.Transfer(rawValue: text) else {
          throw ValidationError("transfer is 'path' or 'inline', not '\(text)'")
        }
        return transfer
      })
    var transfer = Device.Transfer.path
    @Option(help: "Processors to pin to, such as 1 or 2,3; chosen by the worker when left out.")
    var cpus: String?
    @Option(
      help: ArgumentHelp(
        "Longest time in seconds spent on timing one network.",
        discussion: "Rounds, warm-up and reference are shortened or lengthened with it."))
    var seconds = MeasurementSettings().maxSeconds
    @Option(help: "A note to keep with the device.") var notes = ""
    @Flag(help: "Replace a device of the same name.") var replace = false
    @Flag(help: "Do not start the worker to see whether it answers.") var noCheck = false
    @OptionGroup var common: CommonOptions

    func run() throws {
      let words = try worker.map(CommandWords.split) ?? BundledWorker.command()
      var measurement = MeasurementSettings().scaled(toSeconds: seconds)
      if let cpus {
        let numbers = cpus.split(separator: ",").map { Int($0) }
        guard !numbers.isEmpty, !numbers.contains(nil) else {
          throw Failure(.usage, "--cpus \(cpus): write processor numbers with commas, 2,3")
        }
        measurement.cpus = numbers.compactMap { $0 }
      }
      let device = Device(
        name: name, worker: words, threads: threads, batch: batch, precision: precision,
        optimization: optimization, transfer: transfer, measurement: measurement,
        notes: notes)
      try device.validate()
      var description: WorkerDescription?
      if !noCheck {
        let client = WorkerClient(device: device)
        defer { client.close() }
        description = try client.start()
      }
      let store = try Store()
      try store.add(device, replacing: replace)
      let earlier = try store.samples(device: name).count
      if earlier > 0 {
        Terminal.note(
          "note: \(earlier) samples of an earlier '\(name)' are in the store; those of another "
            + "runtime or processor are measured anew, but predictors still read them",
          quiet: common.quiet)
      }
      if common.json {
        try Output.json(
          "device",
          [
            "name": .string(name), "runtime": .optional(description?.runtime),
            "runtimeVersion": .optional(description?.runtimeVersion),
            "cpu": .optional(description?.cpu),
          ])
      } else if let description {
        Output.line("\(name): \(description)")
      } else {
        Output.line("\(name): added")
      }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a device; its samples stay in the store.")
    @Argument(help: "The device's name.") var name: String
    @OptionGroup var common: CommonOptions

    func run() throws {
      try Store().removeDevice(named: name)
      if common.json {
        try Output.json("device", ["name": .string(name), "removed": .bool(true)])
      } else {
        Output.line("\(name): removed")
      }
    }
  }
}

/// The ONNX Runtime worker that comes with the command.
enum BundledWorker {
  /// Its command line: the interpreter of `$SWIFTLET_PYTHON`, the project's virtual environment,
  /// or `python3`.
  static func command() throws -> [String] {
    guard let folder = SpaceCatalog.bundledFolder("workers") else {
      throw Failure(
        .unavailable,
        "the folder 'workers' that comes with the command is not there; name a worker with --worker"
      )
    }
    return [python(beside: folder), folder + "/onnxruntime_worker.py"]
  }

  private static func python(beside folder: String) -> String {
    if let path = ProcessInfo.processInfo.environment["SWIFTLET_PYTHON"], !path.isEmpty {
      return path
    }
    let environment = URL(fileURLWithPath: folder).deletingLastPathComponent()
      .appendingPathComponent(".venv/bin/python").path
    return FileManager.default.isExecutableFile(atPath: environment) ? environment : "python3"
  }
}
