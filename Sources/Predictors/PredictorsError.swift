public import Architectures

/// What can go wrong with predictors: one line saying what, where and the mend.
public struct PredictorsError: ReportableError, Equatable {
  public enum Code: String, Sendable {
    /// A predictor's file has a mistake or doesn't fit the space.
    case badPredictor
    /// A training recipe has a mistake.
    case badRecipe
    /// Samples to train or to score on have a mistake, or are too few.
    case badSamples
    /// A lookup table lacks blocks of the space.
    case missingKeys
    /// Training diverged, or something else that is nobody's input failed.
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
    case .badPredictor, .badRecipe, .badSamples, .missingKeys: 65
    case .failed: 1
    }
  }
}
