import Architectures
import Foundation

/// The building stones of convolutional networks, drawn at random: what probe networks consist of.
enum NetworkMotif: CaseIterable {
  case dense, separable, inverted, basic, bottleneck, fire, denseLayer, shuffle, grouped, inception
  case pool, single

  /// Appends the motif with about `out` channels.
  func append(
    to sketch: inout NetworkSketch, out: Int, stride: Int, style: NetworkStyle,
    _ random: inout SeededGenerator
  ) throws {
    let kernel = random.pick([3, 3, 3, 5, 7])
    let (norm, activation) = (style.norm, style.activation)
    let input = sketch.value
    switch self {
    case .dense:
      try sketch.convolution(
        out, kernel: random.pick([1, 3, 3, 5]), stride: stride, norm: norm, activation)
    case .separable:
      try sketch.depthwise(kernel: kernel, stride: stride, norm: norm, activation)
      try sketch.convolution(out, norm: norm, activation)
    case .inverted:
      let isResidual = stride == 1 && sketch.channels == out
      let mid = sketch.channels * random.pick([1, 2, 3, 4, 6])
      if mid != sketch.channels { try sketch.convolution(mid, norm: norm, activation) }
      try sketch.depthwise(kernel: kernel, stride: stride, norm: norm, activation)
      if style.squeezes { try sketch.squeezeExcite(mid: max(8, mid / 4)) }
      try sketch.convolution(out, norm: norm, .none)
      if isResidual { try sketch.add(input) }
    case .basic:
      try sketch.convolution(out, kernel: 3, stride: stride, norm: norm, activation)
      try sketch.convolution(out, kernel: 3, norm: norm, .none)
      try join(input, &sketch, stride: stride, norm: norm)
      try sketch.activate(activation)
    case .bottleneck:
      let mid = max(8, out / random.pick([2, 4]))
      let groups = random.pick([1, 1, 2, 8])
      try sketch.convolution(mid, norm: norm, activation)
      try sketch.convolution(
        mid, kernel: 3, stride: stride, groups: mid % groups == 0 ? groups : 1, norm: norm,
        activation)
      try sketch.convolution(out, norm: norm, .none)
      try join(input, &sketch, stride: stride, norm: norm)
      try sketch.activate(activation)
    case .fire:
      if stride > 1 { try sketch.pool(stride: stride) }
      try sketch.convolution(max(8, out / random.pick([4, 8])), norm: norm, activation)
      let squeezed = sketch.value
      try sketch.convolution(out / 2, norm: norm, activation)
      let left = sketch.value
      sketch.value = squeezed
      try sketch.convolution(out / 2, kernel: 3, norm: norm, activation)
      try sketch.concatenate([left, sketch.value])
    case .denseLayer:
      if stride > 1 { try sketch.pool("AveragePool", kernel: 2, stride: 2) }
      let growth = random.pick([8, 16, 24, 32, 48])
      for _ in 0..<random.pick([1, 2, 3]) {
        let before = sketch.value
        try sketch.normalize(activation)
        if random.pick([true, false]) {
          try sketch.convolution(4 * growth, norm: true, activation)
        }
        try sketch.convolution(growth, kernel: 3, norm: norm, .none)
        try sketch.concatenate([before, sketch.value])
      }
    case .shuffle:
      try shuffleUnit(&sketch, out: out, stride: stride, kernel: kernel, style: style)
    case .grouped:
      let groups = random.pick([2, 3, 4, 8])
      let width = max(1, out / groups) * groups
      if sketch.channels % groups != 0 { try sketch.convolution(width, norm: norm, activation) }
      try sketch.convolution(
        width, kernel: random.pick([1, 3]), stride: stride, groups: groups, norm: norm, activation)
      if random.pick([true, false]) { try sketch.shuffle(groups: groups) }
    case .inception:
      try inception(&sketch, out: out, stride: stride, style: style)
    case .pool:
      try sketch.pool(
        random.pick(["MaxPool", "AveragePool"]),
        kernel: sketch.size > 1 ? random.pick([2, 3, 3]) : 1,
        stride: max(stride, random.pick([1, 2])))
    case .single:
      switch random.next(below: 4) {
      case 0: try sketch.normalize(activation)
      case 1: try sketch.activate(random.pick([.relu, .relu6, .hswish, .swish, .hsigmoid]))
      case 2: try sketch.squeezeExcite(mid: max(8, sketch.channels / random.pick([2, 4, 8])))
      default: try sketch.depthwise(kernel: kernel, stride: stride, norm: norm, activation)
      }
    }
  }

  /// Adds the shortcut, projected where the shapes differ.
  private func join(
    _ input: ValueReference, _ sketch: inout NetworkSketch, stride: Int, norm: Bool
  ) throws {
    let (main, shape) = (sketch.value, sketch.shape)
    sketch.value = input
    if sketch.shape != shape {
      try sketch.convolution(shape[0], stride: stride, norm: norm, .none)
    }
    let shortcut = sketch.value
    sketch.value = main
    try sketch.add(shortcut)
  }

  private func shuffleUnit(
    _ sketch: inout NetworkSketch, out: Int, stride: Int, kernel: Int, style: NetworkStyle
  ) throws {
    let half = max(8, out / 2)
    let input = sketch.value
    let channels = sketch.channels
    let left: ValueReference
    if stride > 1 || channels < 16 || channels % 2 == 1 {
      try sketch.depthwise(kernel: kernel, stride: stride, norm: style.norm, .none)
      try sketch.convolution(half, norm: style.norm, style.activation)
      left = sketch.value
      sketch.value = input
    } else {
      try sketch.slice(0..<channels / 2)
      left = sketch.value
      sketch.value = input
      try sketch.slice(channels / 2..<channels)
    }
    let width = stride > 1 || channels < 16 || channels % 2 == 1 ? half : channels / 2
    try sketch.convolution(width, norm: style.norm, style.activation)
    try sketch.depthwise(kernel: kernel, stride: stride, norm: style.norm, .none)
    try sketch.convolution(width, norm: style.norm, style.activation)
    try sketch.concatenate([left, sketch.value])
    try sketch.shuffle(groups: 2)
  }

  private func inception(
    _ sketch: inout NetworkSketch, out: Int, stride: Int, style: NetworkStyle
  ) throws {
    if stride > 1 { try sketch.pool(stride: stride) }
    let (input, part) = (sketch.value, max(8, out / 4))
    var branches: [ValueReference] = []
    for kernel in [1, 3, 5] {
      sketch.value = input
      if kernel > 1 { try sketch.convolution(max(8, part / 2), norm: style.norm, style.activation) }
      try sketch.convolution(part, kernel: kernel, norm: style.norm, style.activation)
      branches.append(sketch.value)
    }
    sketch.value = input
    try sketch.pool(kernel: 3, stride: 1)
    try sketch.convolution(part, norm: style.norm, style.activation)
    try sketch.concatenate(branches + [sketch.value])
  }
}

/// What the layers of one network have in common.
struct NetworkStyle {
  var norm: Bool
  var activation: Activation
  var squeezes: Bool

  static func random(_ random: inout SeededGenerator) -> NetworkStyle {
    NetworkStyle(
      norm: random.pick([true, true, false]),
      activation: random.pick([.relu, .relu, .relu, .relu6, .hswish, .swish, .none]),
      squeezes: random.pick([true, false, false]))
  }
}

extension SeededGenerator {
  mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[next(below: choices.count)]
  }

  /// A whole number in `range`, evenly spread in the logarithm.
  mutating func logarithmic(_ range: ClosedRange<Int>) -> Int {
    let (low, high) = (log2(Double(range.lowerBound)), log2(Double(range.upperBound)))
    return Int(exp2(low + (high - low) * nextUniform()).rounded())
  }
}
