public import Architectures

/// What can go wrong with devices, their workers and their tables: one line saying what, where and
/// the mend.
public struct DevicesError: ReportableError, Equatable {
  public enum Code: String, Sendable {
    /// A device's description or a measurement's settings make no sense.
    case badSettings
    /// The worker cannot be started, or lacks its runtime.
    case unavailable
    /// The worker ended in the middle of a request.
    case workerDied
    /// The worker did not answer in time.
    case workerHung
    /// The worker answered something that is no answer.
    case workerGarbage
    /// The worker wrote more than an answer may hold.
    case workerFlooded
    /// The worker speaks another version of the protocol.
    case protocolVersion
    /// The worker cannot run this network.
    case badNetwork
    /// The worker refused or failed for a reason of its own.
    case refused
    /// The caller asked to stop.
    case interrupted
    /// A lookup table's file has a mistake.
    case badTable
    /// A lookup table lacks keys.
    case missingKeys
    /// Too few or unusable samples for a calibration.
    case badCalibration
    case failed
  }

  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }

  /// The exit code of a command that ends with this error.
  public var exitCode: Int32 {
    switch code {
    case .badSettings: 64
    case .badNetwork, .badTable, .missingKeys, .badCalibration: 65
    case .unavailable, .protocolVersion: 69
    case .interrupted: 130
    case .workerDied, .workerHung, .workerGarbage, .workerFlooded, .refused, .failed: 1
    }
  }

  /// Whether another try with a fresh worker may help.
  var isWorkerFault: Bool {
    switch code {
    case .workerDied, .workerHung, .workerGarbage, .workerFlooded: true
    default: false
    }
  }
}
