import Foundation
import Glibc

/// A worker's process with its three pipes, in a process group of its own.
///
/// Blocking; used by one thread at a time. The process is killed with its group and reaped at the
/// latest when the object goes.
final class WorkerProcess {
  private let pid: pid_t
  private var input: Int32
  private let output: Int32
  private let errors: Int32
  private var received: [UInt8] = []
  private var errorTail: [UInt8] = []
  private var errorsEnded = false
  /// How the process ended, once it was reaped.
  private var ending: String?

  private static let errorTailLimit = 8 << 10

  /// Starts `command` without a shell; the program is searched for in `PATH`.
  ///
  /// - Throws: `DevicesError.unavailable`.
  init(command: [String]) throws {
    let name = command.first ?? ""
    let stdin = try Self.pipe()
    let stdout = try Self.pipe()
    let stderr = try Self.pipe()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, stdin.read, 0)
    posix_spawn_file_actions_adddup2(&actions, stdout.write, 1)
    posix_spawn_file_actions_adddup2(&actions, stderr.write, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A group of its own, so that all of it can be killed; signals as a fresh program expects them.
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    posix_spawnattr_setpgroup(&attributes, 0)
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var child: pid_t = 0
    let status = posix_spawnp(&child, name, &actions, &attributes, &arguments, environ)
    for descriptor in [stdin.read, stdout.write, stderr.write] { close(descriptor) }
    guard status == 0 else {
      for descriptor in [stdin.write, stdout.read, stderr.read] { close(descriptor) }
      throw DevicesError(
        .unavailable, "worker '\(name)' cannot be started: \(String(cString: strerror(status)))")
    }
    pid = child
    input = stdin.write
    output = stdout.read
    errors = stderr.read
    for descriptor in [input, output, errors] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
  }

  deinit {
    kill()
    for descriptor in [output, errors] { close(descriptor) }
  }

  private static func pipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard Glibc.pipe(&ends) == 0 else {
      throw DevicesError(.failed, "no pipe to a worker: \(String(cString: strerror(errno)))")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  /// The last line the worker wrote to its standard error, if any.
  var lastErrorLine: String? {
    String(decoding: errorTail, as: UTF8.self).split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }.last { !$0.isEmpty }
  }

  /// Sends one line and returns the line that answers it, both without the line break.
  ///
  /// - Throws: `DevicesError`: `.workerDied`, `.workerHung` after `seconds`, `.workerFlooded` when
  ///   the answer exceeds `limit` bytes, `.workerGarbage` when the worker spoke before it was asked,
  ///   `.interrupted` when `isInterrupted` says so (asked ten times a second).
  func exchange(
    _ line: [UInt8], seconds: Double, limit: Int, isInterrupted: () -> Bool
  ) throws -> [UInt8] {
    receive(limit: limit)
    guard received.isEmpty else {
      throw DevicesError(.workerGarbage, "spoke without being asked: \(quote(received))")
    }
    var pending = (line + [UInt8(ascii: "\n")])[...]
    var searched = 0
    let deadline = ContinuousClock.now + .seconds(seconds)
    while true {
      guard !isInterrupted() else { throw DevicesError(.interrupted, "stopped on request") }
      let left = deadline - ContinuousClock.now
      guard left > .zero else {
        throw DevicesError(.workerHung, "did not answer within \(seconds) s")
      }
      var polled = [
        pollfd(fd: output, events: Int16(POLLIN), revents: 0),
        pollfd(fd: errorsEnded ? -1 : errors, events: Int16(POLLIN), revents: 0),
        pollfd(fd: pending.isEmpty ? -1 : input, events: Int16(POLLOUT), revents: 0),
      ]
      let wait = Int32(min(100, left / .milliseconds(1) + 1))
      guard poll(&polled, 3, wait) >= 0 || errno == EINTR else {
        throw DevicesError(.failed, "poll failed: \(String(cString: strerror(errno)))")
      }
      if polled[2].revents != 0 { pending = send(pending) }
      if polled[1].revents != 0 { receiveErrors() }
      guard polled[0].revents != 0 else { continue }
      let hasEnded = receive(limit: limit)
      if let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        let answer = Array(received[..<end])
        received.removeFirst(end + 1)
        return answer
      }
      searched = received.count
      guard received.count <= limit else {
        throw DevicesError(
          .workerFlooded, "wrote more than \(limit) bytes without ending its answer")
      }
      if hasEnded {
        waitForEnd(seconds: 1)
        receiveErrors()
        throw DevicesError(.workerDied, ending ?? "closed its output")
      }
    }
  }

  /// Reads what is there, a little more than `limit` at most; returns whether the output has ended.
  @discardableResult
  private func receive(limit: Int) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while received.count <= limit {
      let count = read(output, &buffer, buffer.count)
      guard count > 0 else { return count == 0 }
      received += buffer[..<count]
    }
    return false
  }

  /// Keeps the end of what the worker writes to its standard error; at most 1 MiB a call.
  private func receiveErrors() {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    for _ in 0..<16 {
      let count = read(errors, &buffer, buffer.count)
      if count == 0 { errorsEnded = true }
      guard count > 0 else { return }
      errorTail = Array((errorTail + buffer[..<count]).suffix(Self.errorTailLimit))
    }
  }

  /// Writes what the pipe takes and returns the rest. A broken pipe loses the rest: the end of the
  /// worker's output tells the story.
  private func send(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    // SIGPIPE is blocked for this thread only, and taken back if this write raised it: the
    // process-wide disposition belongs to the program.
    var pipeSignal = sigset_t()
    var before = sigset_t()
    var waiting = sigset_t()
    sigemptyset(&pipeSignal)
    sigaddset(&pipeSignal, SIGPIPE)
    sigpending(&waiting)
    pthread_sigmask(SIG_BLOCK, &pipeSignal, &before)
    let count = bytes.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
    let failure = count < 0 ? errno : 0
    if failure == EPIPE, sigismember(&waiting, SIGPIPE) == 0 {
      var none = timespec()
      sigtimedwait(&pipeSignal, nil, &none)
    }
    pthread_sigmask(SIG_SETMASK, &before, nil)
    if count >= 0 { return bytes.dropFirst(count) }
    return failure == EAGAIN || failure == EINTR ? bytes : []
  }

  /// Closes the worker's input, which asks it to end; kills it if it hasn't after `seconds`.
  func end(within seconds: Double) {
    if input >= 0 {
      close(input)
      input = -1
    }
    waitForEnd(seconds: seconds)
    kill()
  }

  /// Kills the worker with its whole group and reaps it.
  func kill() {
    if input >= 0 {
      close(input)
      input = -1
    }
    guard ending == nil else { return }
    _ = Glibc.kill(-pid, SIGKILL)
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    ending = Self.describe(status)
  }

  private func waitForEnd(seconds: Double) {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ending == nil, ContinuousClock.now < deadline {
      // Looked at without reaping, so that the group's number is still ours when it is killed.
      var info = siginfo_t()
      if waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0, info.si_signo != 0 {
        _ = Glibc.kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        ending = Self.describe(status)
      } else {
        usleep(2000)
      }
    }
  }

  private static func describe(_ status: Int32) -> String {
    let signal = status & 0x7f
    return signal == 0
      ? "ended with status \((status >> 8) & 0xff)"
      : "was ended by signal \(signal) (\(String(cString: strsignal(signal))))"
  }

  private func quote(_ bytes: [UInt8]) -> String { WorkerMessages.excerpt(bytes) }
}
