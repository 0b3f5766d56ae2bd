/// An error whose description is one line for the user: what, where, the mend.
public protocol ReportableError: Error, CustomStringConvertible {
  /// Exit status of a command that ends with it: 1 failed, 64 usage, 65 bad input, 69 missing
  /// library or device, 75 stopped at its limit and resumable.
  var exitCode: Int32 { get }
}

extension ArchitecturesError: ReportableError {
  public var exitCode: Int32 { 65 }
}
