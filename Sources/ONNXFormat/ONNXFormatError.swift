public import Architectures

/// What went wrong in reading or writing an ONNX file: one line with the file's own names.
public struct ONNXFormatError: ReportableError, Hashable {
  public enum Code: Hashable, Sendable {
    /// The file is not there or can't be read.
    case unreadable
    /// Bytes that are no ONNX model: truncated, damaged or of another format.
    case malformed
    /// A valid model that says something this toolkit can't represent.
    case unsupported
    /// Names or shapes that contradict each other.
    case invalidGraph
    /// More than the limits in `ONNXLimits` allow.
    case tooLarge
    /// Weights that the source doesn't have, or in another shape.
    case missingWeights
    /// The file can't be written: full disk, no permission.
    case unwritable
  }

  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }

  /// Exit status for a command that ends with this error: 65 bad input, 1 failed.
  public var exitCode: Int32 { code == .unwritable ? 1 : 65 }
}
