/// What went wrong in describing, reading or building an architecture: one line that says what,
/// where, and the mend.
public struct ArchitecturesError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// Operands do not fit the operator.
    case invalidGraph
    /// Text that is no architecture text.
    case invalidText
    /// A search space file with an error in it.
    case invalidSpace
    /// No such search space.
    case unknownSpace
    /// An id or genotype that the space does not hold.
    case invalidArchitecture
  }

  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
