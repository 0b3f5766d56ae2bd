import Architectures
import Foundation
import Testing

@testable import Devices

/// A Python that has onnxruntime, which `make test` provides.
let python = ProcessInfo.processInfo.environment["SWIFTLET_PYTHON"]

@Suite struct WorkerProtocolTests {
  let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  func realDevice(_ worker: String = "onnxruntime_worker.py") throws -> Device {
    let python = try #require(python, "set SWIFTLET_PYTHON to a Python that has onnxruntime")
    return Device(name: "here", worker: [python, root.appending(path: "workers/\(worker)").path])
  }

  /// A JSON value with numbers and texts reduced to their kind, where a worker may answer its own.
  func shape(_ value: Any?, _ key: String = "") -> String {
    switch value {
    case let object as [String: Any]:
      "{" + object.keys.sorted().map { "\($0):\(shape(object[$0], $0))" }.joined(separator: ",")
        + "}"
    case let list as [Any]: "[\(list.first.map { shape($0) } ?? "")]"
    case let text as String: ["type", "code", "message", "name"].contains(key) ? text : "text"
    case let number as NSNumber:
      ["request", "protocol", "network", "warmUp"].contains(key) ? "\(number)" : "number"
    default: "nothing"
    }
  }

  @Test(arguments: ["onnxruntime_worker.py", "openvino_worker.py"])
  func theDocumentedConversationHappens(_ worker: String) throws {
    let document = try String(
      contentsOf: root.appending(path: "Docs/worker-protocol.md"), encoding: .utf8)
    let start = try #require(document.range(of: "```jsonl\n"))
    let end = try #require(document[start.upperBound...].range(of: "```"))
    let lines = document[start.upperBound..<end.lowerBound].split(separator: "\n")
    let folder = TemporaryPath()
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    try #require(Data(base64Encoded: ReferenceNetwork.base64))
      .write(to: URL(filePath: folder.path + "/net.onnx"))
    // The conversation's paths are relative to where the worker runs.
    let process = try WorkerProcess(
      command: ["sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", folder.path]
        + realDevice(worker).worker)
    #expect(lines.count == 14)
    for index in stride(from: 0, to: lines.count, by: 2) {
      let answer = try process.exchange(
        Array(lines[index].dropFirst(2).utf8), seconds: 60, limit: 1 << 20, isInterrupted: { false }
      )
      let expected = try JSONSerialization.jsonObject(
        with: Data(lines[index + 1].dropFirst(2).utf8))
      let got = try JSONSerialization.jsonObject(with: Data(answer))
      #expect(shape(got) == shape(expected), "\(lines[index])")
    }
  }

  /// What Python prints, with the workers to import.
  func python3(_ script: String) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script]
    process.currentDirectoryURL = root.appending(path: "workers")
    process.environment = ProcessInfo.processInfo.environment
      .merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  /// 8 MiB in pieces of 1 KiB: milliseconds of processor time, or over ten seconds where each piece
  /// costs as much as all before it.
  @Test func aLongRequestIsReadInLinearTime() throws {
    let output = try python3(
      """
      import time, onnxruntime_worker as worker
      chunks = [b"a\\n\\nb"] + [b"x" * 1024] * 8192 + [b"\\nc\\nd", b""]
      chunks = iter(chunks)
      worker.os.read = lambda descriptor, count: next(chunks)
      lines = list(map(len, worker.lines(0)))
      print(lines, time.process_time() < 4)
      worker.MAX_LINE = 3000
      chunks = iter([b"y" * 1000] * 4)
      try: list(worker.lines(0))
      except SystemExit as error: print(error)
      """)
    #expect(
      output == "[1, 0, \((8 << 20) + 1), 1] True\na request longer than the limit\n")
  }

  @Test func aProcessorCountsOnceInTheWorker() throws {
    let output = try python3(
      """
      import onnxruntime_worker as worker
      try: worker.pin([0, 0], 2)
      except worker.Refusal as refusal: print(refusal)
      """)
    #expect(output == "2 threads need as many processors, got [0, 0]\n")
  }

  /// What the runtime says of a run is the network's fault, unless memory was short.
  @Test func aNetworkThatFailsInItsRunIsRefused() throws {
    let output = try python3(
      """
      import onnxruntime_worker as worker
      network = worker.Network.__new__(worker.Network)
      network.cpus = []
      for error in [
          RuntimeError("no\\nsuch shape"), RuntimeError("Failed to allocate memory"),
          MemoryError(), TypeError()]:
          def run(): raise error
          network.run = run
          try: network.measure({"repeats": 1, "seconds": 1})
          except worker.Refusal as refusal: print(refusal.code, refusal)
          except Exception as other: print(type(other).__name__)
      """)
    #expect(output == "bad-network no such shape\nRuntimeError\nMemoryError\nTypeError\n")
  }

  @Test func theRealWorkerMeasures() throws {
    var device = try realDevice()
    device.measurement.maxSeconds = 0.5
    device.measurement.calibrationSeconds = 0.2
    device.measurement.warmUpSeconds = 0.02
    let client = WorkerClient(device: device)
    let worker = try client.start()
    #expect(worker.runtime == "onnxruntime")
    #expect(worker.capabilities.isSuperset(of: ["path", "inline", "float32", "optimization:off"]))
    let measurer = Measurer(client: client)
    let bytes = Array(try #require(Data(base64Encoded: ReferenceNetwork.base64)))
    let statistics = try measurer.measure(.bytes(bytes), named: "reference").statistics
    #expect(statistics.latencyMedian.value > 0)
    #expect(statistics.latencyP10 <= statistics.latencyMedian)
    #expect(statistics.latencyMedian <= statistics.latencyP90)
    #expect(try #require(measurer.quietReference).value > 0)
    for (source, words) in [
      (NetworkSource.bytes([1, 2, 3]), "worker"), (.path("/no/such.onnx"), "no such file"),
    ] {
      let error = #expect(throws: DevicesError.self) { try measurer.measure(source, named: "bad") }
      #expect(error?.code == .badNetwork)
      #expect(error?.message.contains(words) == true)
    }
    var odd = device
    odd.precision = "int4"
    let error = #expect(throws: DevicesError.self) {
      try Measurer(client: WorkerClient(device: odd)).measure(.bytes(bytes), named: "odd")
    }
    #expect(error?.code == .badNetwork)
    #expect(error?.message.contains("int4") == true)
    client.close()
  }
}
