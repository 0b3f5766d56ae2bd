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
