/// A search space file as read, before its genes are laid out. Keys: `Docs/search-spaces.md`.
struct SpaceSchema: Sendable {
  var name = ""
  var title = ""
  var source = ""
  var resolutions: [Int] = [224]
  var inputChannels = 3
  var classes = 1000
  var width = 1.0
  var divisor = 8
  var epsilon: Float = 1e-5
  var layers: [Layer] = []

  /// A number that is fixed or one of several.
  typealias Choices = [Double]

  struct Prototype: Sendable {
    var kind: Block.Kind
    var name = ""
    var out: Int?
    var kernel: Choices = [3]
    var expand: Choices = [1]
    var stride = 1
    var groups = 1
    var squeezeExcite = false
    var activation = Activation.none
    var hasNorm = true
    var hasBias = false
    var isResidual = false
    var isPreActivated = false
    /// Choices of a width multiplier for `out`.
    var widths: Choices = []
    /// `out` as it stands, not scaled by the space's width.
    var keepsWidth = false
    /// Identity where it cannot keep the shape becomes a pointwise convolution of this kind.
    var projection: [Prototype] = []

    /// Whether the block can stand where channels and size are kept or not.
    func fits(keepsChannels: Bool, keepsSize: Bool) -> Bool {
      switch kind {
      case .identity where !projection.isEmpty: true
      case .identity, .zero, .normActivation: keepsChannels && keepsSize
      case .maxPool, .averagePool: keepsChannels
      default: true
      }
    }
  }

  /// One of several blocks that a position can hold.
  struct Candidate: Sendable {
    var id: String
    var block: Prototype
  }

  enum Layer: Sendable {
    case block(Prototype)
    case stage(Stage)
    case cells(Cells)
  }

  struct Stage: Sendable {
    var name = ""
    var depths: [Int]
    /// Channels of the result; `nil` keeps those of the layer before.
    var out: Int?
    var widths: Choices = []
    var stride = 1
    /// One candidate without id: no choice of operation.
    var candidates: [Candidate]
  }

  /// Cells whose nodes sum one operation an edge from every earlier node.
  struct Cells: Sendable {
    var name = "cells"
    var nodes: Int
    var count: Int
    var out: Int
    var candidates: [Candidate]
  }
}
