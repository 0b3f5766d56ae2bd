import Architectures
import ArgumentParser
import Foundation
import Networks
import Tensors

/// A failure of the command itself, with its exit status.
struct Failure: Error, CustomStringConvertible {
  /// Exit statuses: 1 failed, 64 usage, 65 bad input, 69 missing library or device, 75 stopped
  /// at its limit and resumable, 130 interrupted.
  enum Status: Int32 {
    case failed = 1
    case usage = 64
    case input = 65
    case unavailable = 69
    case resumable = 75
    case interrupted = 130
  }

  var status: Status
  var description: String

  init(_ status: Status, _ message: String) {
    self.status = status
    description = message
  }

  /// The exit status of an error that a library threw; `nil` for those that the argument
  /// parser reports itself.
  static func exitCode(of error: any Error) -> Int32? {
    switch error {
    case let failure as Failure: failure.status.rawValue
    case let error as any ReportableError: error.exitCode
    case let error as NetworksError: error.code == .diverged ? 1 : 65
    case let error as TensorError: [.file, .format].contains(error.code) ? 65 : 1
    case is ExitCode, is CleanExit, is ValidationError: nil
    default: String(describing: type(of: error)) == "CommandError" ? nil : 1
    }
  }

  /// What the user reads of an error: one line of bounded length, whatever text it quotes.
  static func message(of error: any Error) -> String {
    let limit = 2048
    var line = ""
    for scalar in "\(error)".unicodeScalars {
      guard line.utf8.count < limit else { return line + "..." }
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: line += scalar.escaped(asASCII: true)
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }
}
