import Devices
import Dispatch
import Foundation
import Synchronization

/// Ctrl-C: the first one asks the running work to stop at a good place, the second ends it.
enum Interrupt {
  private static let count = Atomic<Int>(0)

  /// Whether somebody asked to stop.
  static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }

  /// Runs `work`, which is to ask `isRequested` now and then; a second interrupt ends the process.
  /// - Throws: what `work` throws, or an exit with status 130 when it was interrupted.
  static func guarding<Result>(
    resume: String = "run the same command again to go on", _ work: () throws -> Result
  ) throws -> Result {
    signal(SIGINT, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    source.setEventHandler {
      if count.add(1, ordering: .relaxed).newValue > 1 { _exit(130) }
    }
    source.resume()
    defer {
      source.cancel()
      signal(SIGINT, SIG_DFL)
    }
    do {
      let result = try work()
      if isRequested { throw Failure(.interrupted, "interrupted; \(resume)") }
      return result
    } catch
      where isRequested && (error is CancellationError || error is DevicesError || error is Failure)
    {
      // What else goes wrong then is no interruption: a disk without room for the state, say.
      throw Failure(.interrupted, "interrupted; \(resume)")
    }
  }
}
