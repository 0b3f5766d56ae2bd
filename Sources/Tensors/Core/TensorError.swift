/// What went wrong in the engine, with the operator, the shapes and, where there is one, the mend.
public struct TensorError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of failure, for code that reacts to it.
  public enum Code: String, Sendable {
    case shape, argument, file, format, differentiation
    /// A file can't be written: full disk, no permission.
    case unwritable
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }

  static func shape(_ message: String) -> TensorError { TensorError(.shape, message) }
}

/// Throws a shape error unless the condition holds.
@inline(__always)
func check(_ condition: Bool, _ message: @autoclosure () -> String) throws {
  if !condition { throw TensorError(.shape, message()) }
}
