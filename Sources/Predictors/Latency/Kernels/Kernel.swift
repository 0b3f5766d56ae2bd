/// What a device computes in one go: an operator with what is fused into it.
public struct Kernel: Sendable {
  public let kind: KernelKind
  /// The operators, such as `Conv+Relu`; folded normalisations are left out.
  public let chain: String
  /// Positions of the operators in the graph.
  public internal(set) var nodes: [Int]

  public internal(set) var macs = 0.0
  /// Bytes of the operands that other kernels computed, of the result, and of the weights.
  public internal(set) var inputBytes = 0.0
  public internal(set) var outputBytes = 0.0
  public internal(set) var weightBytes = 0.0
  /// Channels of the first operand and of the result.
  public internal(set) var inputChannels = 1.0
  public internal(set) var outputChannels = 1.0
  /// Pixels of the result, all images together, and its width.
  public internal(set) var pixels = 1.0
  public internal(set) var width = 1.0
  public internal(set) var kernel = 1.0
  public internal(set) var stride = 1.0
  public internal(set) var groups = 1.0
  /// The first operator that is no normalisation, and the activation fused last.
  public internal(set) var op = ""
  public internal(set) var activation = ""
  public internal(set) var fusesAddition = false
  /// Whether a runtime with blocked layouts computes it in one; see `KernelLayout`.
  public internal(set) var isBlocked = false
  /// Bytes of operands that are converted to a blocked layout, and of the result if it is converted
  /// back.
  public internal(set) var packedBytes = 0.0
  public internal(set) var unpackedBytes = 0.0
  /// Whether an operand comes from, or the result goes to, the outside.
  public internal(set) var readsInput = false
  public internal(set) var writesOutput = false
  /// Bytes of all weights and of all results of the network, which tell what caches hold.
  public internal(set) var networkWeightBytes = 0.0
  public internal(set) var networkActivationBytes = 0.0

  init(kind: KernelKind, chain: String, nodes: [Int]) {
    self.kind = kind
    self.chain = chain
    self.nodes = nodes
  }
}
