import Foundation
import Testing

@testable import Devices

/// A worker that behaves until its script says otherwise: Python, standard library only.
/// `answer(q)` gets each request after hello and returns an answer, or misbehaves.
func fakeWorker(_ body: String, hello: String = "1", arguments: [String] = []) -> [String] {
  let script = """
    import json, os, sys, time
    def say(q, **answer):
        print(json.dumps(dict(answer, request=q["request"])), flush=True)
    def hello(q):
        say(q, type="hello", protocol=\(hello), runtime="fake", runtimeVersion="1", cpu="none",
            cpuCount=1, capabilities=["path", "inline"])
    def loaded(q):
        say(q, type="loaded", network=1, inputs=[], cpus=[])
    def measured(q, time=1.0):
        say(q, type="measured", times=[time] * q["repeats"], warmUp=0)
    def answer(q):
    \(body.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
    for line in sys.stdin:
        q = json.loads(line)
        if q["type"] == "hello": hello(q)
        elif q["type"] == "shutdown": say(q, type="bye"); break
        else: answer(q)
    """
  return ["python3", "-c", script] + arguments
}

func device(_ worker: [String]) -> Device { Device(name: "fake", worker: worker) }

func limits() -> WorkerClient.Limits {
  var limits = WorkerClient.Limits()
  limits.helloSeconds = 30
  limits.loadSeconds = 2
  limits.answerSeconds = 2
  limits.restarts = 1
  return limits
}

@Suite struct WorkerClientTests {
  /// What a client says of a worker whose `answer` is `body`, when asked to load a network.
  func failure(_ body: String, hello: String = "1", limits: WorkerClient.Limits = limits())
    -> DevicesError?
  {
    let client = WorkerClient(device: device(fakeWorker(body, hello: hello)), limits: limits)
    return #expect(throws: DevicesError.self) {
      try client.restarting("net.onnx") { _ = try client.load(.path("net.onnx")) }
    }
  }

  @Test func aGoodWorkerAnswers() throws {
    let client = WorkerClient(
      device: device(fakeWorker("loaded(q) if q['type'] == 'load' else measured(q)")))
    #expect(try client.start().runtime == "fake")
    let network = try client.load(.bytes([1, 2, 3]))
    #expect(try client.measure(network, repeats: 3, seconds: 1) == [1, 1, 1])
    client.close()
  }

  @Test func deathIsNamedWithTheLastErrorLine() {
    let error = failure("print('first', file=sys.stderr); sys.exit('no more memory')")
    #expect(error?.code == .workerDied)
    #expect(error?.message.hasPrefix("net.onnx: worker 'python3 -c") == true)
    #expect(error?.message.contains("ended with status 1") == true)
    #expect(
      error?.message.hasSuffix("its last line was: no more memory; gave up after 1 restarts")
        == true)
  }

  @Test func deathBySignalIsNamed() {
    let error = failure("os.kill(os.getpid(), 9)")
    #expect(error?.code == .workerDied)
    #expect(error?.message.contains("signal 9") == true)
  }

  @Test func hangingIsNamed() {
    var limits = limits()
    limits.loadSeconds = 0.3
    limits.restarts = 0
    let error = failure("time.sleep(60)", limits: limits)
    #expect(error?.code == .workerHung)
    #expect(error?.message.contains("did not answer within 0.3 s") == true)
  }

  @Test func aRunKnownToBeLongIsAwaited() throws {
    var limits = limits()
    limits.answerSeconds = 0.1
    let worker = """
      if q['type'] == 'load': loaded(q)
      else: time.sleep(0.8); measured(q)
      """
    let client = WorkerClient(device: device(fakeWorker(worker)), limits: limits)
    let network = try client.load(.path("x"))
    #expect(try client.measure(network, repeats: 1, seconds: 0.01, expected: 2) == [1])
    let error = #expect(throws: DevicesError.self) {
      try client.measure(network, repeats: 1, seconds: 0.01)
    }
    #expect(error?.code == .workerHung)
  }

  @Test func garbageIsNamed() {
    let error = failure("print('Traceback: oh no', flush=True)")
    #expect(error?.code == .workerGarbage)
    #expect(error?.message.contains("'Traceback: oh no'") == true)
    #expect(failure("say(q, type='measured', times=[1])")?.code == .workerGarbage)
    #expect(failure("q['request'] = 77; loaded(q)")?.code == .workerGarbage)
    #expect(failure("print('{\"type\": 3}', flush=True)")?.code == .workerGarbage)
  }

  @Test func absurdTimesAreGarbage() throws {
    let client = WorkerClient(
      device: device(
        fakeWorker("loaded(q) if q['type'] == 'load' else measured(q, time=1e300)")))
    let network = try client.load(.path("x"))
    let error = #expect(throws: DevicesError.self) {
      try client.measure(network, repeats: 1, seconds: 0.01)
    }
    #expect(error?.code == .workerGarbage)
  }

  @Test func unaskedWordsAreNamed() throws {
    let client = WorkerClient(
      device: device(fakeWorker("loaded(q); print('and another thing', flush=True)")))
    let network = try client.load(.path("x"))
    usleep(50_000)
    let error = #expect(throws: DevicesError.self) { try client.unload(network) }
    #expect(error?.code == .workerGarbage)
  }

  @Test func floodsAreNamed() {
    var limits = limits()
    limits.answerBytes = 100_000
    let error = failure("while True: sys.stdout.write('x' * 4096)", limits: limits)
    #expect(error?.code == .workerFlooded)
    #expect(error?.message.contains("100000 bytes") == true)
  }

  @Test func aFloodOfErrorLinesIsSurvived() throws {
    let client = WorkerClient(
      device: device(
        fakeWorker("for i in range(20000): print('noise ' * 20, file=sys.stderr)\nloaded(q)")))
    _ = try client.load(.path("x"))
  }

  @Test func anotherProtocolIsRefusedWithoutRestart() {
    let error = failure("pass", hello: "99")
    #expect(error?.code == .protocolVersion)
    #expect(error?.message.contains("speaks protocol 99, this Swiftlet speaks 1") == true)
    #expect(error?.exitCode == 69)
  }

  @Test func anEchoIsNoWorker() {
    let client = WorkerClient(device: device(["cat"]))
    let error = #expect(throws: DevicesError.self) { try client.start() }
    #expect(error?.code == .workerGarbage)
    #expect(error?.message == "worker 'cat' names no 'runtime' in its hello: no worker")
  }

  @Test func aMissingProgramIsNamed() {
    let client = WorkerClient(device: device(["/no/such/worker"]))
    let error = #expect(throws: DevicesError.self) { try client.start() }
    #expect(error?.code == .unavailable)
    #expect(
      error?.message == "worker '/no/such/worker' cannot be started: No such file or directory")
  }

  @Test func refusalsKeepTheWorker() throws {
    let client = WorkerClient(
      device: device(
        fakeWorker(
          """
          if q.get('path', '').endswith('bad'):
              say(q, type='error', code='bad-network', message='what is this?')
          else:
              loaded(q)
          """)))
    let error = #expect(throws: DevicesError.self) { try client.load(.path("bad")) }
    #expect(error?.code == .badNetwork)
    #expect(error?.message.hasSuffix("what is this?") == true)
    #expect(try client.load(.path("good")).number == 1)
  }

  @Test func aRestartMendsWhatCanBeMended() throws {
    let mark = FileManager.default.temporaryDirectory
      .appendingPathComponent("swiftlet-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: mark) }
    let client = WorkerClient(
      device: device(
        fakeWorker(
          """
          if not os.path.exists(sys.argv[1]):
              open(sys.argv[1], 'w').close()
              os.abort()
          loaded(q)
          """, arguments: [mark])), limits: limits())
    #expect(try client.restarting("x") { try client.load(.path("x")).number } == 1)
  }

  @Test func interruptionStopsAtOnceAndKills() {
    let started = ContinuousClock.now
    let client = WorkerClient(
      device: device(fakeWorker("time.sleep(60)")),
      isInterrupted: { ContinuousClock.now - started > .milliseconds(500) })
    let error = #expect(throws: DevicesError.self) { try client.load(.path("x")) }
    #expect(error?.code == .interrupted)
    #expect(error?.exitCode == 130)
  }

  @Test func noProcessIsLeftBehind() throws {
    let mark = FileManager.default.temporaryDirectory
      .appendingPathComponent("swiftlet-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: mark) }
    var client: WorkerClient? = WorkerClient(
      device: device(
        fakeWorker(
          """
          import subprocess
          child = subprocess.Popen(['sleep', '600'])
          open(sys.argv[1], 'w').write(f'{os.getpid()} {child.pid}')
          loaded(q)
          """, arguments: [mark])))
    _ = try client?.load(.path("x"))
    let pids = try String(contentsOfFile: mark, encoding: .utf8).split(separator: " ")
      .compactMap { pid_t($0) }
    #expect(pids.count == 2)
    #expect(pids.allSatisfy { kill($0, 0) == 0 })
    client = nil
    // The child's child is reaped by init, not by us; dead it is at once.
    usleep(100_000)
    #expect(kill(pids[0], 0) != 0, "the worker is a zombie or alive")
    let state = (try? String(contentsOfFile: "/proc/\(pids[1])/stat", encoding: .utf8)) ?? ") Z"
    #expect(state.contains(") Z") || state.contains(") X"))
  }

  @Test func wordsOfAWorkerStayOnOneLine() throws {
    let long = String(repeating: "x", count: 1000)
    for body in [
      "say(q, type='error', code='failed', message='a\\nb \\x1b[1m\(long)')",
      "say(q, type='a\\r\\n\(long)')", "sys.exit('\(long)')",
    ] {
      let message = try #require(failure(body)).message
      #expect(!message.contains { $0.isNewline || $0 == "\u{1b}" })
      #expect(message.count < 1000)
    }
    let hello = """
      import json
      q = json.loads(input())
      print(json.dumps(dict(type="hello", request=1, protocol=1, runtime="a\\nb", cpu="c" * 1000)))
      """
    let client = WorkerClient(device: device(["python3", "-c", hello]))
    let worker = try client.start()
    #expect(worker.runtime == "a b")
    #expect(worker.cpu == String(repeating: "c", count: 297) + "...")
  }

  @Test func aProcessorCountsOnce() {
    var device = device(["worker"])
    device.threads = 2
    device.measurement.cpus = [2, 2]
    let error = #expect(throws: DevicesError.self) { try device.validate() }
    #expect(error?.message == "device 'fake': 2 threads need as many processors, got [2, 2]")
  }

  @Test func commandWords() throws {
    #expect(
      try CommandWords.split("ssh  host 'a b'/\"c\\\"d\" e\\ f ''")
        == ["ssh", "host", "a b/c\"d", "e f", ""])
    #expect(throws: DevicesError.self) { try CommandWords.split("python3 'x") }
  }
}
