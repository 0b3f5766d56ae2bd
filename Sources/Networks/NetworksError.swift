/// What went wrong in `Networks`: a code to branch on, and a message with the values and the mend.
public struct NetworksError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// A file or folder is missing or cannot be read or written.
    case file
    /// A file was read, but its bytes are not what its format promises.
    case damaged
    /// Images are not of one size.
    case sizes
    /// An option has a value that makes no sense.
    case option
    /// A parameter is missing, unknown, or of another shape.
    case parameter
    /// Training went to infinity or became not a number.
    case diverged
  }

  public var code: Code
  public var message: String
  /// The text of the error below this one, if there was one.
  public var cause: String?

  public init(_ code: Code, _ message: String, cause: String? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  public var description: String { cause.map { "\(message): \($0)" } ?? message }
}
