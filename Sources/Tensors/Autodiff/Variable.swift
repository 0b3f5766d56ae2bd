/// A tensor on a ``Tape``: its value and how it came about.
///
/// Operators are methods and functions on variables; each computes at once and, if the tape is
/// recording and an input needs a gradient, remembers how to go back. A variable without history
/// is a constant.
public struct Variable {
  public let tape: Tape
  let node: Node?
  let content: Content
  /// Column sums that came with the value, for the batch norm that follows.
  let moments: Moments?

  enum Content {
    case tensor(Tensor)
    case deferred(Deferred)
  }

  init(value: Tensor, tape: Tape, node: Node?) {
    self.init(content: .tensor(value), tape: tape, node: node)
  }

  init(content: Content, tape: Tape, node: Node?, moments: Moments? = nil) {
    self.tape = tape
    self.node = node
    self.content = content
    self.moments = moments
  }

  /// The value; a deferred one is computed now, once.
  public var value: Tensor {
    switch content {
    case .tensor(let tensor): tensor
    case .deferred(let deferred): deferred.value(tape.engine)
    }
  }

  public var shape: [Int] {
    switch content {
    case .tensor(let tensor): tensor.shape
    case .deferred(let deferred): deferred.x.shape
    }
  }

  /// Whether gradients flow into this variable.
  public var requiresGradient: Bool { node != nil }

  /// The same value without history: gradients stop here.
  public func detached() -> Variable { Variable(content: content, tape: tape, node: nil) }

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
  /// Operators that read this one's value.
  var uses = 0
  /// Whether its gradient itself was asked for.
  var isWanted = false

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
