import Foundation
import Networks
import Tensors
import Testing

/// PyTorch's answers, see Tests/peers/engine_parity.py. `SWIFTLET_PARITY` names another file of
/// them, fresh from a live run.
struct Parity {
  static let engine = Result { try Engine(threads: 2) }
  static let file = Result {
    try SafeTensors(
      contentsOf: ProcessInfo.processInfo.environment["SWIFTLET_PARITY"]
        ?? golden("engine_parity.safetensors"))
  }

  let tensors: [String: Tensor]
  let engine: Engine

  init() throws {
    tensors = try Self.file.get().tensors
    engine = try Self.engine.get()
  }

  func tensor(_ key: String) throws -> Tensor {
    try #require(tensors[key], "'\(key)' is not in the file")
  }

  /// The last parts of the keys that start with `prefix`.
  func names(_ prefix: String) -> [String] {
    tensors.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }.sorted()
  }

  /// The largest difference that rounding explains: each sum of `terms` numbers loses about
  /// sqrt(terms) roundings of 2^-24 relative to its terms (errors of either sign), the terms are as
  /// large as the largest element or the largest upstream gradient (sums may cancel), and
  /// a case is a handful of sums and elementary functions, each good to a few ulps.
  static func tolerance(_ reference: Tensor, terms: Float, upstream: Float) -> Float {
    let largest = max(upstream, reference.array.map(abs).max() ?? 0)
    return 16 * 0x1p-24 * max(1, terms).squareRoot() * max(largest, 0x1p-10)
  }

  func compare(_ ours: Tensor, _ key: String, terms: Float) throws {
    let reference = try tensor(key)
    try #require(ours.shape == reference.shape, "\(key): \(ours.shape), not \(reference.shape)")
    let upstream = key.contains("/grad.") ? try largest(upstreamOf: key) : 0
    let limit = Self.tolerance(reference, terms: terms, upstream: upstream)
    let furthest = zip(ours.array, reference.array).map { abs($0 - $1) }.max() ?? 0
    #expect(furthest <= limit, "\(key): off by \(furthest), allowed \(limit)")
  }

  private func largest(upstreamOf key: String) throws -> Float {
    try tensor(key.prefix { $0 != "/" } + "/g").array.map(abs).max() ?? 0
  }

  /// Runs one case on its inputs and compares the value and every gradient.
  /// - Parameter weight: the layout of the input `weight`.
  func check(
    _ name: String, weight role: Role = .table, layer: (any Layer)? = nil, training: Bool = true,
    _ body: (_ inputs: [String: Variable], _ pass: Pass) throws -> Variable
  ) throws {
    let terms = try tensor("\(name)/terms").scalar
    if let layer {
      var state: [String: Tensor] = [:]
      for path in names("\(name)/param.") { state[path] = try tensor("\(name)/param.\(path)") }
      try layer.load(state)
    }
    let tape = Tape(engine)
    let pass = Pass(tape, isTraining: training)
    var inputs: [String: Variable] = [:]
    var parameters: [String: Parameter] = [:]
    for key in names("\(name)/in.") {
      let value = try (key == "weight" ? role : .table).fromFile(tensor("\(name)/in.\(key)"))
      if tensors["\(name)/grad.in.\(key)"] != nil {
        parameters[key] = Parameter(value)
        inputs[key] = tape.parameter(parameters[key]!)
      } else {
        inputs[key] = tape.constant(value)
      }
    }
    let output = try body(inputs, pass)
    try compare(output.value, "\(name)/out", terms: terms)
    try output.backward(seed: tensor("\(name)/g"))
    for (key, parameter) in parameters {
      let gradient = try #require(parameter.gradient, "\(name): no gradient for \(key)")
      let ours = try (key == "weight" ? role : .table).toFile(gradient)
      try compare(ours, "\(name)/grad.in.\(key)", terms: terms)
    }
    for item in layer?.namedParameters ?? [] {
      if item.role == .statistic {
        try compare(item.parameter.value, "\(name)/after.\(item.path)", terms: terms)
      } else {
        let gradient = try #require(item.parameter.gradient, "\(name): no gradient: \(item.path)")
        try compare(item.role.toFile(gradient), "\(name)/grad.param.\(item.path)", terms: terms)
      }
    }
  }
}

extension Tensor {
  /// Whole numbers stored as floats.
  var integers: [Int] { array.map { Int($0) } }
}
