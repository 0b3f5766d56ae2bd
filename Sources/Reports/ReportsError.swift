public import Architectures

/// What a plot or report cannot show: one line that says what and the mend.
public struct ReportsError: ReportableError, Hashable, Sendable {
  public enum Code: Hashable, Sendable {
    /// Nothing to draw, or values that no axis can hold.
    case invalidData
  }

  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }

  /// The exit code of a command that ends with this error.
  public var exitCode: Int32 { 65 }
}
