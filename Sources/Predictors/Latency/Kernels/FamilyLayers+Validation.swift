import Architectures

// The families that choices are made on.
extension FamilyLayers {
  /// Krizhevsky et al. 2012, in one column (arXiv 1404.5997), with smaller hidden layers.
  static func alexnet(_ net: inout Net, _ vary: inout Vary) throws {
    try net.convolution(vary.width(64), kernel: 11, stride: 4, norm: false)
    try net.pool()
    try net.convolution(vary.width(192), kernel: 5, norm: false)
    try net.pool()
    for width in [384, 256, 256] { try net.convolution(vary.width(width), kernel: 3, norm: false) }
    try net.pool()
    try net.linear(vary.width(1024), .relu)
    try net.linear(vary.width(1024), .relu)
    try net.linear(1000)
  }

  /// Redmon and Farhadi 2017, arXiv 1612.08242; 19 layers at half width.
  static func darknet(_ net: inout Net, _ vary: inout Vary) throws {
    for (width, depth) in [(16, 1), (32, 1), (64, 3), (128, 3), (256, 5), (512, 5)] {
      let out = vary.width(width)
      for layer in 0..<depth {
        try net.convolution(layer % 2 == 0 ? out : out / 2, kernel: layer % 2 == 0 ? 3 : 1)
      }
      if width < 512 { try net.pool(kernel: 2, stride: 2) }
    }
    try net.convolution(1000, norm: false)
    try net.globalPool()
  }

  /// Szegedy et al. 2015, arXiv 1409.4842, with normalisation.
  static func googlenet(_ net: inout Net, _ vary: inout Vary) throws {
    try resnetStem(&net, &vary)
    try net.convolution(vary.width(64))
    try net.convolution(vary.width(192), kernel: 3)
    try net.pool()
    let rows = [
      (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), (0, 0, 0, 0, 0, 0),
      (192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64),
      (112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128), (0, 0, 0, 0, 0, 0),
      (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128),
    ]
    for (one, reduce3, three, reduce5, five, pooled) in rows {
      if one == 0 {
        try net.pool()
        continue
      }
      let input = net.value
      try net.convolution(vary.width(one))
      var branches = [net.value]
      for (reduce, out, kernel) in [(reduce3, three, 3), (reduce5, five, 5)] {
        net.value = input
        try net.convolution(vary.width(reduce))
        try net.convolution(vary.width(out), kernel: kernel)
        branches.append(net.value)
      }
      net.value = input
      try net.pool(kernel: 3, stride: 1)
      try net.convolution(vary.width(pooled))
      try net.concatenate(branches + [net.value])
    }
    try classify(&net)
  }

  /// Radosavovic et al. 2020, arXiv 2003.13678; X-400MF.
  static func regnet(_ net: inout Net, _ vary: inout Vary) throws {
    try net.convolution(32, kernel: 3, stride: 2)
    for (width, depth) in [(32, 1), (64, 2), (160, 7), (400, 12)] {
      let out = max(1, vary.width(width) / 16) * 16
      for layer in 0..<vary.depth(depth) {
        try bottleneck(&net, mid: out, out: out, stride: layer == 0 ? 2 : 1, groups: out / 16)
      }
    }
    try classify(&net)
  }

  /// Tan et al. 2019, arXiv 1807.11626; B1.
  static func mnasnet(_ net: inout Net, _ vary: inout Vary) throws {
    try net.convolution(32, kernel: 3, stride: 2)
    let rows = [
      (1, 16, 1, 1, 3), (3, 24, 3, 2, 3), (3, 40, 3, 2, 5), (6, 80, 3, 2, 5), (6, 96, 2, 1, 3),
      (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
    ]
    for (expand, width, depth, stride, kernel) in rows {
      let (out, kernel) = (vary.width(width), vary.kernel(kernel))
      for layer in 0..<vary.depth(depth) {
        try inverted(
          &net, mid: net.channels * expand, out: out, kernel: kernel,
          stride: layer == 0 ? stride : 1, .relu)
      }
    }
    try net.convolution(vary.width(1280))
    try classify(&net)
  }

  /// Zagoruyko and Komodakis 2016, arXiv 1605.07146: normalisation and activation come first.
  static func wideresnet(_ net: inout Net, _ vary: inout Vary) throws {
    try net.convolution(16, kernel: 3, stride: 2, .none)
    for width in [32, 64, 128] {
      let out = vary.width(width)
      for layer in 0..<vary.depth(2) {
        let stride = layer == 0 ? 2 : 1
        let input = net.value
        try net.normalize()
        try net.convolution(out, kernel: 3, stride: stride)
        try net.convolution(out, kernel: 3, norm: false, .none)
        try addShortcut(&net, from: input, stride: stride, norm: false)
      }
    }
    try net.normalize()
    try classify(&net)
  }
}

// What several families share.
extension FamilyLayers {
  static func resnetStem(_ net: inout Net, _ vary: inout Vary) throws {
    try net.convolution(vary.width(64), kernel: 7, stride: 2)
    try net.pool()
  }

  static func classify(_ net: inout Net) throws {
    try net.globalPool()
    try net.linear(1000)
  }

  static func basicBlock(_ net: inout Net, out: Int, stride: Int) throws {
    let input = net.value
    try net.convolution(out, kernel: 3, stride: stride)
    try net.convolution(out, kernel: 3, .none)
    try addShortcut(&net, from: input, stride: stride)
    try net.activate(.relu)
  }

  static func bottleneck(_ net: inout Net, mid: Int, out: Int, stride: Int, groups: Int) throws {
    let input = net.value
    try net.convolution(mid)
    try net.convolution(mid, kernel: 3, stride: stride, groups: groups)
    try net.convolution(out, .none)
    try addShortcut(&net, from: input, stride: stride)
    try net.activate(.relu)
  }

  /// Inverted residual; `squeeze` is the ratio of squeeze-and-excite.
  static func inverted(
    _ net: inout Net, mid: Int, out: Int, kernel: Int, stride: Int, squeeze: Int? = nil,
    _ activation: Activation
  ) throws {
    let (input, isResidual) = (net.value, stride == 1 && net.channels == out)
    if mid != net.channels { try net.convolution(mid, activation) }
    try net.depthwise(kernel: kernel, stride: stride, activation)
    if let squeeze { try net.squeezeExcite(mid: max(8, mid / squeeze)) }
    try net.convolution(out, .none)
    if isResidual { try net.add(input) }
  }

  /// Adds what `input` is, projected where the shapes differ.
  static func addShortcut(
    _ net: inout Net, from input: ValueReference, stride: Int, norm: Bool = true
  ) throws {
    let (main, shape) = (net.value, net.shape)
    net.value = input
    if net.shape != shape { try net.convolution(shape[0], stride: stride, norm: norm, .none) }
    let shortcut = net.value
    net.value = main
    try net.add(shortcut)
  }
}
