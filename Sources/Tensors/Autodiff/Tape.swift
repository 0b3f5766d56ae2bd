/// One forward computation and the way back: reverse-mode automatic differentiation.
///
/// A tape lives for a step: make one, bring in constants and parameters, compute a loss, call
/// ``Variable/backward()``, drop it. What operators kept for the way back is freed as the backward
/// pass goes by, into the engine's buffer pool, where the next step finds it.
public final class Tape {
  public let engine: Engine
  /// Whether operators remember how to go back. False for inference, and during a first-order
  /// backward pass.
  public private(set) var isRecording: Bool
  /// True while a checkpointed part runs for the second time: running statistics must not be
  /// updated again.
  public let isRecomputing: Bool
  private var nextID = 0
  /// Nodes, not variables: a variable would keep its tape, and the tape itself, alive for ever.
  private var leaves: [ObjectIdentifier: Node] = [:]

  public init(_ engine: Engine, recording: Bool = true) {
    self.engine = engine
    isRecording = recording
    isRecomputing = false
  }

  private init(recomputing engine: Engine) {
    self.engine = engine
    isRecording = true
    isRecomputing = true
  }

  /// A variable that no gradient flows into.
  public func constant(_ value: Tensor) -> Variable {
    Variable(value: value, tape: self, node: nil)
  }

  /// A variable whose gradient can be asked for with ``gradients(of:for:createGraph:)``.
  public func leaf(_ value: Tensor) -> Variable {
    guard isRecording else { return constant(value) }
    return Variable(
      value: value, tape: self,
      node: Node(id: newID(), name: "leaf", shape: value.shape, inputs: [], backward: nil))
  }

  /// The parameter's variable on this tape; the same one each time.
  public func parameter(_ parameter: Parameter) -> Variable {
    guard isRecording, parameter.isTrained else { return constant(parameter.value) }
    let key = ObjectIdentifier(parameter)
    let node =
      leaves[key]
      ?? Node(
        id: newID(), name: "parameter", shape: parameter.value.shape, inputs: [], backward: nil,
        parameter: parameter)
    leaves[key] = node
    return Variable(value: parameter.value, tape: self, node: node)
  }

  /// Adds an operator of one's own: its value and how to go back.
  ///
  /// `backward` gets the gradient of the result and returns a gradient, or nil, for each input. If
  /// it is written with variables' operators throughout, it can be differentiated again; a
  /// backward pass that computes on tensors starts with ``requireFirstOrder(_:)``. The straight-
  /// through estimator is `tape.record("round", value, [x]) { [$0] }`.
  public func record(
    _ name: String, _ value: Tensor, _ inputs: [Variable],
    backward: @escaping (Variable) throws -> [Variable?]
  ) -> Variable {
    record(name, content: .tensor(value), inputs, moments: nil, backward: backward)
  }

  /// The same for deferred values and those that come with column sums.
  func record(
    _ name: String, content: Variable.Content, _ inputs: [Variable], moments: Moments?,
    backward: @escaping (Variable) throws -> [Variable?]
  ) -> Variable {
    var result = Variable(content: content, tape: self, node: nil, moments: moments)
    guard isRecording, inputs.contains(where: { $0.node != nil }) else { return result }
    let nodes = inputs.map(\.node)
    for case let node? in nodes { node.uses += 1 }
    let node = Node(
      id: newID(), name: name, shape: result.shape, inputs: nodes, backward: backward)
    result = Variable(content: content, tape: self, node: node, moments: moments)
    return result
  }

  /// Throws if a graph of gradients is wanted from an operator that can't be differentiated twice.
  public func requireFirstOrder(_ name: String) throws {
    if isRecording {
      throw TensorError(
        .differentiation,
        "\(name) has no second-order gradient: ask for gradients without createGraph")
    }
  }

  private func newID() -> Int {
    nextID += 1
    return nextID
  }

  // MARK: - The way back

  /// Gradients of `output` (summed if it has several elements) for `inputs`; zeros where it
  /// doesn't depend on them. With a `seed` of `output`'s shape, those of `sum(seed * output)`.
  ///
  /// With `createGraph` the gradients are themselves variables with history, for second-order
  /// methods, and the graph stays; without it the graph is freed (unless `keepGraph`).
  public func gradients(
    of output: Variable, for inputs: [Variable], seed: Tensor? = nil, createGraph: Bool = false,
    keepGraph: Bool = false
  ) throws -> [Variable] {
    if let seed {
      try check(
        seed.shape == output.shape, "gradients: a seed of \(seed.shape) for \(output.shape)")
    }
    let wanted = Set(inputs.compactMap { $0.node?.id })
    let found = try propagate(
      output, seed: seed, wanted: wanted, createGraph: createGraph,
      keepGraph: createGraph || keepGraph)
    return inputs.map { input in
      input.node.flatMap { found[$0.id] }
        ?? constant(Tensor(zeros: input.shape, engine: engine))
    }
  }

  func backward(_ output: Variable, seed: Tensor?) throws {
    // The graph is about to go: without references from here, an optimiser updates in place.
    leaves = [:]
    if output.node == nil { return }
    _ = try propagate(output, seed: seed, wanted: [], createGraph: false, keepGraph: false)
  }

  private func propagate(
    _ output: Variable, seed: Tensor? = nil, wanted: Set<Int>, createGraph: Bool, keepGraph: Bool
  ) throws -> [Int: Variable] {
    guard let root = output.node else { return [:] }
    let wasRecording = isRecording
    isRecording = createGraph
    defer { isRecording = wasRecording }
    var order = Self.reachable(from: root)  // ascending ids: inputs before results
    for node in order { node.isWanted = wanted.contains(node.id) }
    var gradients: [Int: Variable] = [:]
    var found: [Int: Variable] = [:]
    let ones = seed ?? Tensor(repeating: 1, shape: output.shape, engine: engine)
    gradients[root.id] = constant(ones)
    while let node = order.popLast() {
      guard let gradient = gradients.removeValue(forKey: node.id) else { continue }
      if wanted.contains(node.id) { found[node.id] = gradient }
      if wanted.isEmpty, let parameter = node.parameter {
        add(gradient.value, to: parameter)
        continue
      }
      guard let backward = node.backward else { continue }
      let inputs = node.inputs
      let parts = try backward(gradient)
      try check(
        parts.count == inputs.count,
        "\(node.name): \(parts.count) gradients for \(inputs.count) inputs")
      if !keepGraph { node.release() }
      for case (let input?, let part?) in zip(inputs, parts) {
        try check(
          part.shape == input.shape,
          "\(node.name): a gradient of \(part.shape) for an input of \(input.shape)")
        if let sum = gradients.removeValue(forKey: input.id) {
          gradients[input.id] = try accumulate(sum, part)
        } else {
          gradients[input.id] = part
        }
      }
    }
    return found
  }

  private func add(_ gradient: Tensor, to parameter: Parameter) {
    if var sum = parameter.gradient {
      parameter.gradient = nil
      sum.add(gradient, engine: engine)
      parameter.gradient = sum
    } else {
      parameter.gradient = gradient.contiguous(engine: engine)
    }
  }

  private func accumulate(_ sum: consuming Variable, _ part: Variable) throws -> Variable {
    if isRecording { return try sum + part }
    if case .deferred(let a) = sum.content, case .deferred(let b) = part.content,
      let both = a.adding(b, engine)
    {
      return Variable(content: .deferred(both), tape: self, node: nil)
    }
    var value = sum.value
    sum = part  // so that the value has one owner and is added to in place
    value.add(part.value, engine: engine)
    return constant(value)
  }

  /// All nodes the root depends on, by ascending id, which is an order of computation.
  private static func reachable(from root: Node) -> [Node] {
    var seen: Set<Int> = [root.id]
    var found = [root]
    var next = 0
    while next < found.count {
      for case let input? in found[next].inputs where seen.insert(input.id).inserted {
        found.append(input)
      }
      next += 1
    }
    return found.sorted { $0.id < $1.id }
  }

  // MARK: - Recompute

  /// Computes a part of the network without keeping its inner values, and computes it again on the
  /// way back: memory for time.
  ///
  /// `body` must do the same both times: draw random numbers from a stream it captures by value,
  /// and leave running statistics alone if the tape ``isRecomputing``. Parameters that it brings
  /// in with ``parameter(_:)`` of the tape it is given get their gradients. First order only.
  public func checkpoint(
    _ inputs: [Variable], _ body: @escaping (Tape, [Variable]) throws -> Variable
  ) throws -> Variable {
    guard isRecording else { return try body(self, inputs) }
    let plain = Tape(engine, recording: false)
    let value = try body(plain, inputs.map { plain.constant($0.value) }).value
    for case let node? in inputs.map(\.node) { node.uses += 1 }
    let (values, needed) = (inputs.map(\.value), inputs.map(\.requiresGradient))
    // The part may own parameters even if no input needs a gradient, so it is always recorded.
    let node = Node(
      id: newID(), name: "checkpoint", shape: value.shape, inputs: inputs.map(\.node)
    ) { [engine] gradient in
      try gradient.tape.requireFirstOrder("checkpoint")
      let tape = Tape(recomputing: engine)
      let leaves = zip(values, needed).map { $1 ? tape.leaf($0) : tape.constant($0) }
      let output = try body(tape, leaves)
      let taps = leaves.map { $0.node?.id }
      let found = try tape.propagateAll(output, seed: gradient.value, leaves: taps)
      return found.map { $0.map { gradient.tape.constant($0.value) } }
    }
    return Variable(value: value, tape: self, node: node)
  }

  /// Gradients for leaves and, at the same time, into parameters.
  private func propagateAll(_ output: Variable, seed: Tensor, leaves: [Int?]) throws -> [Variable?]
  {
    let parameters = leaves.isEmpty ? [] : self.leaves.values.map { $0 }
    let wanted = Set(leaves.compactMap { $0 } + parameters.map(\.id))
    let found = try propagate(
      output, seed: seed, wanted: wanted, createGraph: false, keepGraph: false)
    for node in parameters {
      if let parameter = node.parameter, let gradient = found[node.id] {
        add(gradient.value, to: parameter)
      }
    }
    return leaves.map { $0.flatMap { found[$0] } }
  }
}

extension Variable {
  /// Adds the gradients of this variable (summed, if it has several elements) to all parameters
  /// it depends on, and frees the graph. `seed` replaces the gradient of 1 it starts from.
  public func backward(seed: Tensor? = nil) throws {
    if let seed {
      try check(seed.shape == shape, "backward: a seed of \(seed.shape) for \(shape)")
    }
    try tape.backward(self, seed: seed)
  }
}
