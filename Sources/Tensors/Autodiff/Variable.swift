/// A tensor on a ``Tape``: its value and how it came about.
///
/// Operators are methods and functions on variables; each computes at once and, if the tape is
/// recording and an input needs a gradient, remembers how to go back. A variable without history
/// is a constant.
public struct Variable {
  public let value: Tensor
  public let tape: Tape
  let node: Node?

  public var shape: [Int] { value.shape }
  /// Whether gradients flow into this variable.
  public var requiresGradient: Bool { node != nil }

  /// The same value without history: gradients stop here.
  public func detached() -> Variable { Variable(value: value, tape: tape, node: nil) }

  /// The only element, for losses.
  public var scalar: Float { value.scalar }
}

/// What the tape remembers of one operator.
final class Node {
  /// From a variable's gradient to its inputs' gradients, in the order of `inputs`; nil for none.
  typealias Backward = (Variable) throws -> [Variable?]

  let id: Int
  let name: String
  let shape: [Int]
  private(set) var inputs: [Node?]
  private(set) var backward: Backward?
  /// Set on leaves made from a parameter.
  let parameter: Parameter?

  init(
    id: Int, name: String, shape: [Int], inputs: [Node?], backward: Backward?,
    parameter: Parameter? = nil
  ) {
    self.id = id
    self.name = name
    self.shape = shape
    self.inputs = inputs
    self.backward = backward
    self.parameter = parameter
  }

  /// Forgets the history, which frees the values kept for it.
  func release() {
    backward = nil
    inputs = []
  }
}
