public import Tensors

/// A part of a network that owns parameters, or other layers.
///
/// `members` names them as PyTorch would, so that a parameter's path
/// (`blocks.3.conv.depth_conv.conv.weight`) and a file of weights mean the same in both.
public protocol Layer: AnyObject {
  var members: [Member] { get }
}

/// A layer from one variable to one variable.
public protocol UnaryLayer: Layer {
  func callAsFunction(_ x: Variable, _ pass: Pass) throws -> Variable
}

/// Something a layer owns, by its name in the layer.
public enum Member {
  case parameter(String, Parameter, Role)
  case layer(String, any Layer)
}

/// What a parameter is for: decides about weight decay and about its layout in files.
public enum Role: Sendable {
  /// `[in, out]`; PyTorch has `[out, in]`.
  case linear
  /// `[kernelHeight, kernelWidth, in / groups, out]`; PyTorch has the output first.
  case convolution
  /// `[kernelHeight, kernelWidth, channels]`; PyTorch has `[channels, 1, height, width]`.
  case depthwise
  /// A table of rows, decayed like other weights.
  case table
  /// Biases, scales and shifts of norms: no weight decay.
  case vector
  /// Running statistics: stored, but not trained.
  case statistic

  var isDecayed: Bool { self != .vector && self != .statistic }

  /// A value in the layout of files, which is PyTorch's.
  public func toFile(_ tensor: Tensor) throws -> Tensor {
    switch self {
    case .linear, .convolution: try tensor.toOutputFirst()
    case .depthwise:
      try tensor.permuted([2, 0, 1])
        .reshaped([tensor.shape[2], 1, tensor.shape[0], tensor.shape[1]])
    case .table, .vector, .statistic: tensor
    }
  }

  /// A value from the layout of files; one that does not fit is returned as it is.
  public func fromFile(_ tensor: Tensor) throws -> Tensor {
    switch self {
    case .linear, .convolution: return try tensor.fromOutputFirst()
    case .depthwise:
      guard tensor.rank == 4, tensor.shape[1] == 1 else { return tensor }
      return try tensor.reshaped([tensor.shape[0], tensor.shape[2], tensor.shape[3]])
        .permuted([1, 2, 0])
    case .table, .vector, .statistic: return tensor
    }
  }
}

/// A parameter with its path from the root of a network.
public struct NamedParameter {
  public let path: String
  public let parameter: Parameter
  public let role: Role
}

extension Layer {
  /// Everything the layer and its parts own, in the order of `members`.
  public var namedParameters: [NamedParameter] {
    var found: [NamedParameter] = []
    func visit(_ layer: any Layer, _ prefix: String) {
      for member in layer.members {
        switch member {
        case .parameter(let name, let parameter, let role):
          found.append(NamedParameter(path: prefix + name, parameter: parameter, role: role))
        case .layer(let name, let part): visit(part, "\(prefix)\(name).")
        }
      }
    }
    visit(self, "")
    return found
  }

  /// How many numbers are trained.
  public var parameterCount: Int {
    namedParameters.reduce(0) { $0 + ($1.role == .statistic ? 0 : $1.parameter.value.count) }
  }

  /// All values by path, in PyTorch's layouts.
  public func state() throws -> [String: Tensor] {
    try Dictionary(
      uniqueKeysWithValues: namedParameters.map {
        ($0.path, try $0.role.toFile($0.parameter.value))
      })
  }

  /// Takes over values by path, in PyTorch's layouts. Nothing is changed if anything is wrong.
  /// - Parameter strict: whether every path must be there, and no other; PyTorch's counters
  ///   (`num_batches_tracked`) are passed over.
  /// - Throws: `NetworksError` naming the path and the shapes.
  public func load(_ state: [String: Tensor], strict: Bool = true) throws {
    var ready: [(Parameter, Tensor)] = []
    let named = namedParameters
    for item in named {
      guard let stored = state[item.path] else {
        if strict { throw NetworksError(.parameter, "'\(item.path)' is missing") }
        continue
      }
      let value = try item.role.fromFile(stored)
      guard value.shape == item.parameter.value.shape else {
        throw NetworksError(
          .parameter,
          "'\(item.path)': \(stored.shape) does not fit, the network needs "
            + "\(try item.role.toFile(item.parameter.value).shape)")
      }
      ready.append((item.parameter, value))
    }
    if strict {
      let known = Set(named.map(\.path))
      let extra = state.keys.sorted().first {
        !known.contains($0) && !$0.hasSuffix("num_batches_tracked")
      }
      if let extra {
        throw NetworksError(.parameter, "'\(extra)' is not a parameter of this network")
      }
    }
    for (parameter, value) in ready { parameter.value = value.copied() }
  }

  /// Forgets all gradients.
  public func zeroGradients() {
    for item in namedParameters { item.parameter.zeroGradient() }
  }
}

/// What a network needs to know while it computes: the tape, whether this is training, and the
/// random numbers of this step.
public final class Pass {
  public let tape: Tape
  public let isTraining: Bool
  /// Drawn from by dropout and its like; depends on the seed and the step only.
  public var random: RandomStream

  public init(_ tape: Tape, isTraining: Bool, random: RandomStream = RandomStream(seed: 0)) {
    self.tape = tape
    self.isTraining = isTraining
    self.random = random
  }

  private var foldedNorms: [ObjectIdentifier: (owner: BatchNorm, scale: Tensor, shift: Tensor)] =
    [:]

  /// A norm of its first `channels` as a scale and a shift, worked out once a pass: keep the pass
  /// for all batches of an evaluation, and make a new one when weights have changed.
  func folded(_ norm: BatchNorm, channels: Int) -> (scale: Tensor, shift: Tensor) {
    if let known = foldedNorms[ObjectIdentifier(norm)], known.scale.count == channels {
      return (known.scale, known.shift)
    }
    let folded = norm.folded(channels)
    foldedNorms[ObjectIdentifier(norm)] = (norm, folded.scale, folded.shift)
    return folded
  }

  /// A pass that computes without remembering how to go back.
  public static func inference(_ engine: Engine) -> Pass {
    Pass(Tape(engine, recording: false), isTraining: false)
  }
}
