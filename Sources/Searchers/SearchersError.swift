public import Architectures

/// What a search can run into: one line that says what, with the values, and the mend.
public struct SearchersError: ReportableError, Hashable, Sendable {
  public enum Code: Hashable, Sendable {
    /// Options outside their range, or a key that no searcher knows.
    case invalidOptions
    /// No such searcher.
    case unknownSearcher
    /// A problem that cannot be searched: no metric, a limit that is no number.
    case invalidProblem
    /// No architecture keeps all limits.
    case infeasible
    /// A checkpoint that is damaged or belongs to another search.
    case badCheckpoint
    /// A scorer or cost model broke its promise: wrong count, or a value that is no number.
    case badScore
  }

  public var code: Code
  public var message: String
  /// Of `infeasible`: what the nearest miss costs, one number for each metric.
  public var nearest: [Double]?

  public init(_ code: Code, _ message: String, nearest: [Double]? = nil) {
    self.code = code
    self.message = message
    self.nearest = nearest
  }

  public var description: String { message }

  /// The exit code of a command that ends with this error.
  public var exitCode: Int32 {
    switch code {
    case .invalidOptions, .unknownSearcher: 64
    case .invalidProblem, .infeasible, .badCheckpoint: 65
    case .badScore: 1
    }
  }
}
