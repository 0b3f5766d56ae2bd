import Architectures

/// The layers of the families whose variants score predictors; sources beside each.
enum FamilyLayers {
  typealias Net = NetworkSketch
  typealias Vary = FamilyVariation

  /// He et al. 2016, arXiv 1512.03385; 18 layers.
  static func resnet18(_ net: inout Net, _ vary: inout Vary) throws {
    try resnetStem(&net, &vary)
    for (stage, width) in [64, 128, 256, 512].enumerated() {
      let out = vary.width(width)
      for layer in 0..<vary.depth(2) {
        try basicBlock(&net, out: out, stride: layer == 0 && stage > 0 ? 2 : 1)
      }
    }
    try classify(&net)
  }

  /// He et al. 2016; 50 layers.
  static func resnet50(_ net: inout Net, _ vary: inout Vary) throws {
    try resnetStem(&net, &vary)
    for (stage, (width, depth)) in [(64, 3), (128, 4), (256, 6), (512, 3)].enumerated() {
      let mid = vary.width(width)
      for layer in 0..<vary.depth(depth) {
        try bottleneck(
          &net, mid: mid, out: 4 * mid, stride: layer == 0 && stage > 0 ? 2 : 1, groups: 1)
      }
    }
    try classify(&net)
  }

  /// Howard et al. 2017, arXiv 1704.04861.
  static func mobilenetv1(_ net: inout Net, _ vary: inout Vary) throws {
    try net.convolution(vary.width(32), kernel: 3, stride: 2)
    let rows = [
      (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1),
      (512, 1), (512, 1), (1024, 2), (1024, 1),
    ]
    for (width, stride) in rows {
      try net.depthwise(kernel: vary.kernel(3), stride: stride)
      try net.convolution(vary.width(width))
    }
    try classify(&net)
  }

  /// Sandler et al. 2018, arXiv 1801.04381.
  static func mobilenetv2(_ net: inout Net, _ vary: inout Vary) throws {
    try net.convolution(vary.width(32), kernel: 3, stride: 2, .relu6)
    let rows = [
      (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
      (6, 320, 1, 1),
    ]
    for (expand, width, depth, stride) in rows {
      let (out, kernel) = (vary.width(width), vary.kernel(3))
      for layer in 0..<vary.depth(depth) {
        try inverted(
          &net, mid: net.channels * expand, out: out, kernel: kernel,
          stride: layer == 0 ? stride : 1, .relu6)
      }
    }
    try net.convolution(vary.width(1280), .relu6)
    try classify(&net)
  }

  /// Howard et al. 2019, arXiv 1905.02244; large.
  static func mobilenetv3(_ net: inout Net, _ vary: inout Vary) throws {
    try net.convolution(16, kernel: 3, stride: 2, .hswish)
    let rows: [(Int, Int, Int, Bool, Activation, Int)] = [
      (3, 16, 16, false, .relu, 1), (3, 64, 24, false, .relu, 2), (3, 72, 24, false, .relu, 1),
      (5, 72, 40, true, .relu, 2), (5, 120, 40, true, .relu, 1), (5, 120, 40, true, .relu, 1),
      (3, 240, 80, false, .hswish, 2), (3, 200, 80, false, .hswish, 1),
      (3, 184, 80, false, .hswish, 1), (3, 184, 80, false, .hswish, 1),
      (3, 480, 112, true, .hswish, 1), (3, 672, 112, true, .hswish, 1),
      (5, 672, 160, true, .hswish, 2), (5, 960, 160, true, .hswish, 1),
      (5, 960, 160, true, .hswish, 1),
    ]
    for (kernel, mid, out, squeezes, activation, stride) in rows {
      try inverted(
        &net, mid: vary.width(mid), out: out, kernel: vary.kernel(kernel), stride: stride,
        squeeze: squeezes ? 4 : nil, activation)
    }
    try net.convolution(vary.width(960), .hswish)
    try net.globalPool()
    try net.linear(vary.width(1280), .hswish)
    try net.linear(1000)
  }

  /// Tan and Le 2019, arXiv 1905.11946; B0.
  static func efficientnet(_ net: inout Net, _ vary: inout Vary) throws {
    try net.convolution(32, kernel: 3, stride: 2, .swish)
    let rows = [
      (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5),
      (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
    ]
    for (expand, width, depth, stride, kernel) in rows {
      let (out, kernel) = (vary.width(width), vary.kernel(kernel, [3, 5]))
      for layer in 0..<vary.depth(depth) {
        try inverted(
          &net, mid: net.channels * expand, out: out, kernel: kernel,
          stride: layer == 0 ? stride : 1, squeeze: 4 * expand, .swish)
      }
    }
    try net.convolution(vary.width(1280), .swish)
    try classify(&net)
  }

  /// Iandola et al. 2016, arXiv 1602.07360; 1.1.
  static func squeezenet(_ net: inout Net, _ vary: inout Vary) throws {
    try net.convolution(vary.width(64), kernel: 3, stride: 2, norm: false)
    for (index, width) in [128, 128, 256, 256, 384, 384, 512, 512].enumerated() {
      if [0, 2, 4].contains(index) { try net.pool() }
      let half = vary.width(width / 2)
      try net.convolution(vary.width(width / 8), norm: false)
      let squeezed = net.value
      try net.convolution(half, norm: false)
      let left = net.value
      net.value = squeezed
      try net.convolution(half, kernel: 3, norm: false)
      try net.concatenate([left, net.value])
    }
    try net.convolution(1000, norm: false)
    try net.globalPool()
  }

  /// Simonyan and Zisserman 2015, arXiv 1409.1556; 11 layers at half width, one hidden layer.
  static func vgg(_ net: inout Net, _ vary: inout Vary) throws {
    for (width, depth) in [(32, 1), (64, 1), (128, 2), (256, 2), (256, 2)] {
      let out = vary.width(width)
      for _ in 0..<vary.depth(depth) { try net.convolution(out, kernel: 3) }
      try net.pool(kernel: 2, stride: 2)
    }
    try net.linear(vary.width(512), .relu)
    try net.linear(1000)
  }

  /// Huang et al. 2017, arXiv 1608.06993; 121 layers with half the layers a block.
  static func densenet(_ net: inout Net, _ vary: inout Vary) throws {
    let growth = vary.width(32)
    try resnetStem(&net, &vary)
    for (stage, depth) in [3, 6, 12, 8].enumerated() {
      if stage > 0 {
        try net.normalize()
        try net.convolution(net.channels / 2, norm: false, .none)
        try net.pool("AveragePool", kernel: 2, stride: 2)
      }
      for _ in 0..<vary.depth(depth) {
        let before = net.value
        try net.normalize()
        try net.convolution(4 * growth)
        try net.convolution(growth, kernel: 3, norm: false, .none)
        try net.concatenate([before, net.value])
      }
    }
    try net.normalize()
    try classify(&net)
  }

  /// Ma et al. 2018, arXiv 1807.11164; version 2.
  static func shufflenet(_ net: inout Net, _ vary: inout Vary) throws {
    try net.convolution(24, kernel: 3, stride: 2)
    try net.pool()
    for (width, depth) in [(116, 3), (232, 7), (464, 3)] {
      let half = vary.width(width) / 2
      let input = net.value
      try net.depthwise(stride: 2, .none)
      try net.convolution(half)
      let left = net.value
      net.value = input
      try net.convolution(half)
      try net.depthwise(stride: 2, .none)
      try net.convolution(half)
      try net.concatenate([left, net.value])
      try net.shuffle(groups: 2)
      for _ in 0..<vary.depth(depth) {
        let whole = net.value
        try net.slice(0..<half)
        let left = net.value
        net.value = whole
        try net.slice(half..<2 * half)
        try net.convolution(half)
        try net.depthwise(.none)
        try net.convolution(half)
        try net.concatenate([left, net.value])
        try net.shuffle(groups: 2)
      }
    }
    try net.convolution(vary.width(1024))
    try classify(&net)
  }
}
