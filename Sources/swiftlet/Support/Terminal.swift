import Foundation

/// What a person reads while waiting: progress and errors, always on stderr.
enum Terminal {
  static let isInteractive = isatty(2) == 1

  static func error(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  static func note(_ line: String, quiet: Bool) {
    if !quiet { error(line) }
  }
}

/// One line of progress: at most ten times a second on a terminal, else a line each 30 s.
struct Progress {
  private let label: String
  private let quiet: Bool
  private var start = ContinuousClock.now
  private var last: ContinuousClock.Instant?
  /// What was done before the first update: a resumed run's earlier work took none of this time.
  private var before: Int?
  private var done = 0
  private var shown = false

  init(_ label: String, quiet: Bool) {
    self.label = label
    self.quiet = quiet
  }

  mutating func update(_ done: Int, of total: Int, _ detail: @autoclosure () -> String = "") {
    guard !quiet, done <= total else { return }
    if done < self.done {
      // Another pass, with a pace of its own.
      start = ContinuousClock.now
      self.before = nil
    }
    self.done = done
    let before = self.before ?? max(0, done - 1)
    self.before = before
    let now = ContinuousClock.now
    let interval: Duration = Terminal.isInteractive ? .milliseconds(100) : .seconds(30)
    if let last, now - last < interval { return }
    if last == nil, !Terminal.isInteractive {
      last = now
      return
    }
    last = now
    let elapsed = Double((now - start).components.seconds)
    let left = done > before ? elapsed / Double(done - before) * Double(total - done) : 0
    let time = done > before && elapsed >= 1 ? ", \(Self.time(left)) left" : ""
    let line = "\(label) \(done)/\(total)\(time)  \(detail())"
    if Terminal.isInteractive {
      FileHandle.standardError.write(Data("\r\u{1b}[2K\(line)".utf8))
      shown = true
    } else {
      Terminal.error(line)
    }
  }

  /// Clears the line.
  mutating func finish() {
    if shown { FileHandle.standardError.write(Data("\r\u{1b}[2K".utf8)) }
    shown = false
  }

  static func time(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    return whole >= 3600
      ? "\(whole / 3600) h \(whole % 3600 / 60) min"
      : whole >= 60 ? "\(whole / 60) min \(whole % 60) s" : "\(whole) s"
  }
}
