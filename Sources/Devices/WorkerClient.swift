import Foundation

/// A conversation with one device's worker: one request at a time.
///
/// Blocking, and used by one thread at a time. A worker that dies, hangs, floods or talks garbage is
/// killed; `restarting` gives the work another try with a fresh one, a bounded number of times.
public final class WorkerClient {
  /// Seconds, bytes and tries after which the client loses patience.
  public struct Limits: Equatable, Sendable {
    /// Seconds for start and hello: importing a runtime on a busy machine takes a while.
    public var helloSeconds = 60.0
    public var loadSeconds = 120.0
    /// Seconds for any other request, beyond the time it asks for itself.
    public var answerSeconds = 30.0
    /// Bytes of one answer.
    public var answerBytes = 4 << 20
    /// Bytes of a network sent inside a request.
    public var inlineBytes = 256 << 20
    /// Restarts in a row.
    public var restarts = 3

    public init() {}
  }

  public let device: Device
  public let limits: Limits
  let isInterrupted: () -> Bool
  private var process: WorkerProcess?
  private var running: WorkerDescription?
  private var requests = 0
  /// How often a worker was started; networks loaded before the last start are gone.
  private(set) var starts = 0

  /// - Parameter isInterrupted: asked ten times a second while waiting; `true` kills the worker and
  ///   throws `DevicesError.interrupted`.
  public init(
    device: Device, limits: Limits = Limits(), isInterrupted: @escaping () -> Bool = { false }
  ) {
    self.device = device
    self.limits = limits
    self.isInterrupted = isInterrupted
  }

  /// Starts the worker if it isn't running, and returns what it says of itself.
  @discardableResult
  public func start() throws -> WorkerDescription {
    if let running, process != nil { return running }
    process = try WorkerProcess(command: device.worker)
    starts += 1
    var hello = WorkerMessages.Request("hello")
    hello.protocol = WorkerMessages.version
    let answer = try ask(hello, expecting: "hello", seconds: limits.helloSeconds)
    guard answer.protocol == WorkerMessages.version else {
      stop()
      throw DevicesError(
        .protocolVersion,
        "\(name) speaks protocol \(answer.protocol.map(String.init) ?? "of no version"), this "
          + "Swiftlet speaks \(WorkerMessages.version): use a worker of this version")
    }
    // A program that only echoes requests speaks the same protocol.
    guard let runtime = answer.runtime, !runtime.isEmpty else {
      throw fault(.workerGarbage, "names no 'runtime' in its hello: no worker")
    }
    let description = WorkerDescription(
      runtime: WorkerMessages.oneLine(runtime),
      runtimeVersion: WorkerMessages.oneLine(answer.runtimeVersion ?? "unknown"),
      cpu: WorkerMessages.oneLine(answer.cpu ?? "unknown"), cpuCount: answer.cpuCount ?? 1,
      capabilities: Set(answer.capabilities ?? []))
    running = description
    return description
  }

  /// Loads a network with the device's threads, batch, precision and optimisation.
  public func load(_ source: NetworkSource) throws -> LoadedNetwork {
    try start()
    var load = WorkerMessages.Request("load")
    switch (source, device.transfer) {
    case (.path(let path), .path):
      load.path = URL(fileURLWithPath: path).path
    case (.path(let path), .inline):
      guard let data = FileManager.default.contents(atPath: path) else {
        throw DevicesError(.badNetwork, "\(path): cannot be read")
      }
      load.inline = try inline(data)
    case (.bytes(let bytes), _):
      load.inline = try inline(Data(bytes))
    }
    load.threads = device.threads
    load.batch = device.batch
    load.precision = device.precision
    load.optimization = device.optimization
    load.cpus = device.measurement.cpus
    load.seed = device.measurement.seed
    let answer = try ask(load, expecting: "loaded", seconds: limits.loadSeconds)
    guard let number = answer.network else { throw fault(.workerGarbage, "loaded no 'network'") }
    return LoadedNetwork(number: number, inputs: answer.inputs ?? [], cpus: answer.cpus ?? [])
  }

  /// Milliseconds of each of up to `repeats` runs that fit into `seconds`, after `warmUp` untimed
  /// ones; at least one.
  ///
  /// - Parameter expected: seconds that a run is known to take, should that be more than `seconds`.
  public func measure(
    _ network: LoadedNetwork, warmUp: Int = 0, repeats: Int, seconds: Double, expected: Double = 0
  ) throws -> [Double] {
    var measure = WorkerMessages.Request("measure")
    measure.network = network.number
    measure.warmUp = warmUp
    measure.repeats = repeats
    measure.seconds = seconds
    let answer = try ask(
      measure, expecting: "measured",
      seconds: 2 * max(seconds, expected) + limits.answerSeconds)
    guard let times = answer.times, !times.isEmpty, times.count <= repeats,
      times.allSatisfy({ $0 > 0 && $0 < 1e9 })
    else {
      throw fault(
        .workerGarbage, "measured no usable 'times' (1 to \(repeats) above zero and below 1e9 ms)")
    }
    return times
  }

  /// Lets the worker forget a network.
  public func unload(_ network: LoadedNetwork) throws {
    var unload = WorkerMessages.Request("unload")
    unload.network = network.number
    _ = try ask(unload, expecting: "unloaded", seconds: limits.answerSeconds)
  }

  /// Ends the worker: asks it to, waits two seconds, kills it.
  public func close() {
    if running != nil, process != nil {
      _ = try? ask(WorkerMessages.Request("shutdown"), expecting: "bye", seconds: 2)
    }
    process?.end(within: 2)
    stop()
  }

  /// Runs `work`, again with a fresh worker each time it fails, up to the limit of restarts in a
  /// row. Networks loaded before a restart are gone: load inside `work`.
  ///
  /// - Parameter what: named in the error, also where the worker refuses it.
  public func restarting<Result>(_ what: String, _ work: () throws -> Result) throws -> Result {
    var failures = 0
    while true {
      do {
        return try work()
      } catch let error as DevicesError where error.isWorkerFault {
        failures += 1
        guard failures > limits.restarts else { continue }
        throw DevicesError(
          error.code, "\(what): \(error.message); gave up after \(limits.restarts) restarts")
      } catch let error as DevicesError where [.badNetwork, .refused].contains(error.code) {
        throw DevicesError(error.code, "\(what): \(error.message)")
      }
    }
  }

  /// How errors call the worker.
  private var name: String {
    "worker '\(WorkerMessages.oneLine(device.worker.joined(separator: " ")))'"
  }

  private func inline(_ data: Data) throws -> String {
    guard data.count <= limits.inlineBytes else {
      throw DevicesError(
        .badNetwork,
        "a network of \(data.count) bytes is too large to be sent; the limit is \(limits.inlineBytes)"
      )
    }
    return data.base64EncodedString()
  }

  private func stop() {
    process?.kill()
    process = nil
    running = nil
  }

  /// Kills the worker and tells what it did.
  private func fault(_ code: DevicesError.Code, _ what: String) -> DevicesError {
    let last = process?.lastErrorLine
    stop()
    let said = last.map { "; its last line was: \(WorkerMessages.oneLine($0))" } ?? ""
    return DevicesError(code, "\(name) \(what)\(said)")
  }

  private func ask(
    _ request: WorkerMessages.Request, expecting type: String, seconds: Double
  ) throws -> WorkerMessages.Answer {
    guard let process else {
      throw DevicesError(.workerDied, "\(name) is not running")
    }
    requests += 1
    var request = request
    request.request = requests
    let answer: WorkerMessages.Answer
    do {
      let line = try process.exchange(
        request.line(), seconds: seconds, limit: limits.answerBytes, isInterrupted: isInterrupted)
      answer = try WorkerMessages.answer(line)
    } catch let error as DevicesError {
      throw fault(error.code, error.message)
    }
    guard answer.request == requests else {
      throw fault(.workerGarbage, "answered request \(answer.request ?? 0) instead of \(requests)")
    }
    if answer.type == "error" { throw refusal(answer) }
    guard answer.type == type else {
      throw fault(
        .workerGarbage,
        "answered '\(WorkerMessages.oneLine(answer.type))' to '\(request.type)', not '\(type)'")
    }
    return answer
  }

  private func refusal(_ answer: WorkerMessages.Answer) -> DevicesError {
    let reason = WorkerMessages.oneLine(answer.message ?? "refused without a reason")
    let message = "\(name): \(reason)"
    switch answer.code {
    case "unavailable": return DevicesError(.unavailable, message)
    case "protocol": return DevicesError(.protocolVersion, message)
    case "bad-network", "unsupported": return DevicesError(.badNetwork, message)
    default: return DevicesError(.refused, message)
    }
  }
}
