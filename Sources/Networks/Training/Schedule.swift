internal import Foundation

/// The learning rate over a run, as a factor of the base rate: a warm-up, then a course.
public struct Schedule: Sendable, Equatable, Codable {
  public enum Course: Sendable, Equatable, Codable {
    case constant
    /// Half a cosine from 1 down to `floor` (Loshchilov and Hutter 2016, arXiv 1608.03983).
    case cosine(floor: Float = 0)
    /// Times `factor` at each of the steps, counted from the start of the run.
    case steps(at: [Int], factor: Float = 0.1)
    /// A straight line from 1 to `floor`.
    case linear(floor: Float = 0)
  }

  public var course: Course
  /// Steps in which the rate rises in a straight line; the first step already has `1 / warmUp`.
  public var warmUp: Int
  /// All steps of the run, warm-up included.
  public var total: Int

  public init(_ course: Course, total: Int, warmUp: Int = 0) {
    self.course = course
    self.warmUp = warmUp
    self.total = total
  }

  /// - Throws: `NetworksError` with code `.option`.
  public func validate() throws {
    guard total > 0, (0...total).contains(warmUp) else {
      throw NetworksError(.option, "schedule: warm-up \(warmUp) of \(total) steps")
    }
  }

  /// The factor in step `step`, counted from 0; past the end it stays at its last value.
  public func factor(at step: Int) -> Float {
    if step < warmUp { return Float(step + 1) / Float(warmUp) }
    let length = max(1, total - warmUp)
    let progress = Float(min(step - warmUp, length)) / Float(length)
    switch course {
    case .constant: return 1
    case .cosine(let floor): return floor + (1 - floor) * (1 + cos(Float.pi * progress)) / 2
    case .linear(let floor): return 1 + (floor - 1) * progress
    case .steps(let steps, let factor):
      return steps.reduce(1) { step >= $1 ? $0 * factor : $0 }
    }
  }
}
