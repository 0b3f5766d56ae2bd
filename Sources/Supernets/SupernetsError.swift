public import Architectures

/// What can go wrong with a supernet.
public struct SupernetsError: Error, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// The space cannot be held by one network.
    case unsupportedSpace
    /// An architecture that is not of the supernet's space.
    case foreignArchitecture
    /// A file of weights that does not fit, or is damaged.
    case checkpoint
    /// A recipe that cannot be followed.
    case recipe
    /// Images that cannot be trained on.
    case data
    /// A file or folder that can't be written: full disk, no permission.
    case unwritable
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}

extension SupernetsError: ReportableError {
  public var exitCode: Int32 { code == .unwritable ? 1 : 65 }
}
