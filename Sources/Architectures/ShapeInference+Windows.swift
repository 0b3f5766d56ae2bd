// Convolutions and pools.
extension ShapeInference {
  static let windowRules: [(String, Rule)] = [
    ("Conv", { try convolution($0, weight: 1) }),
    (
      "ConvInteger",
      { try convolution($0, weight: 1)?.map { TensorType($0.shape, .int32) } }
    ),
    (
      "QLinearConv",
      { use in
        let element = use.type(7)?.elementType
        return try convolution(use, weight: 3)?.map { TensorType($0.shape, element ?? .uint8) }
      }
    ),
    ("ConvTranspose", transposedConvolution),
    ("MaxPool AveragePool LpPool", pool),
    (
      "GlobalAveragePool GlobalMaxPool GlobalLpPool",
      { use in
        guard let type = use.type(0), let shape = type.shape, shape.count >= 2 else { return nil }
        return [
          TensorType(
            Array(shape[..<2]) + Array(repeating: 1, count: shape.count - 2), type.elementType)
        ]
      }
    ),
  ]

  static func convolution(_ use: Application, weight position: Int) throws -> [TensorType]? {
    guard let input = use.type(0), let weight = use.type(position), let shape = input.shape,
      let filter = weight.fixedShape
    else { return nil }
    guard shape.count >= 3, filter.count == shape.count else {
      throw use.mismatch("input and weight need the same rank, 3 or more")
    }
    let group = use.attributes.int("group") ?? 1
    guard group > 0, filter[0] % group == 0 else {
      throw use.mismatch("\(filter[0]) filters in \(group) groups")
    }
    if let channels = shape[1].value,
      filter[1].multipliedReportingOverflow(by: group) != (channels, false)
    {
      throw use.mismatch("\(channels) channels in \(group) groups of \(filter[1])")
    }
    let spatial = try window(
      use, shape, kernel: use.attributes.ints("kernel_shape") ?? Array(filter[2...]))
    return [TensorType([shape[0], .fixed(filter[0])] + spatial, input.elementType)]
  }

  static let pool: Rule = { use in
    guard let input = use.type(0), let shape = input.shape, shape.count >= 3 else { return nil }
    guard let kernel = use.attributes.ints("kernel_shape") else {
      throw use.mismatch("kernel_shape is missing")
    }
    let result = Array(shape[..<2]) + (try window(use, shape, kernel: kernel))
    return [TensorType(result, input.elementType), TensorType(result, .int64)]
  }

  /// How a window slides.
  private struct Sliding {
    var strides: [Int]
    var dilations: [Int]
    var pads: [Int]
    var automatic: String

    init(_ use: Application, rank: Int, kernel: [Int]) throws {
      strides = use.attributes.ints("strides") ?? Array(repeating: 1, count: rank)
      dilations = use.attributes.ints("dilations") ?? Array(repeating: 1, count: rank)
      pads = use.attributes.ints("pads") ?? Array(repeating: 0, count: 2 * rank)
      automatic = use.attributes.string("auto_pad") ?? "NOTSET"
      guard kernel.count == rank, strides.count == rank, dilations.count == rank,
        pads.count == 2 * rank, strides.allSatisfy({ $0 > 0 }), kernel.allSatisfy({ $0 > 0 }),
        dilations.allSatisfy({ $0 > 0 })
      else { throw use.mismatch("kernel_shape, strides, dilations or pads do not fit") }
    }
  }

  /// Spatial axes after a sliding window.
  private static func window(
    _ use: Application, _ shape: [Dimension], kernel: [Int]
  ) throws -> [Dimension] {
    let rank = shape.count - 2
    let sliding = try Sliding(use, rank: rank, kernel: kernel)
    let ceiling = use.attributes.int("ceil_mode") == 1
    return try (0..<rank).map { axis in
      guard let size = shape[axis + 2].value else { return .unknown }
      let stride = sliding.strides[axis]
      if sliding.automatic.hasPrefix("SAME") {
        return .fixed(size == 0 ? 0 : (size - 1) / stride + 1)
      }
      let reach = try use.product(kernel[axis] - 1, sliding.dilations[axis])
      let isValid = sliding.automatic == "VALID"
      let before = isValid ? 0 : sliding.pads[axis]
      let after = isValid ? 0 : sliding.pads[axis + rank]
      let span = try use.difference(use.sum(use.sum(size, before), after), reach)
      guard span >= 1 else {
        // In ceiling mode it is one partial window, as long as less than a stride is missing.
        if ceiling, span > 1 - stride, try use.sum(size, before) > 0 { return 1 }
        throw use.mismatch("the window is larger than the padded input")
      }
      var steps = (span - 1) / stride
      // A last partial window counts in ceiling mode unless it starts in the padding.
      if ceiling, (span - 1) % stride != 0,
        try use.product(steps + 1, stride) < use.sum(size, before)
      {
        steps += 1
      }
      return .fixed(steps + 1)
    }
  }

  private static let transposedConvolution: Rule = { use in
    guard let input = use.type(0), let shape = input.shape, let filter = use.type(1)?.fixedShape
    else { return nil }
    guard shape.count >= 3, filter.count == shape.count else {
      throw use.mismatch("input and weight need the same rank, 3 or more")
    }
    if let channels = shape[1].value, channels != filter[0] {
      throw use.mismatch("\(channels) channels for \(filter[0]) filters")
    }
    let rank = shape.count - 2
    let group = use.attributes.int("group") ?? 1
    guard group > 0 else { throw use.mismatch("\(group) groups") }
    let kernel = use.attributes.ints("kernel_shape") ?? Array(filter[2...])
    let sliding = try Sliding(use, rank: rank, kernel: kernel)
    let extra = use.attributes.ints("output_padding") ?? Array(repeating: 0, count: rank)
    guard extra.count == rank else { throw use.mismatch("output_padding does not fit") }
    var sizes: [Dimension] = []
    if let stated = use.attributes.ints("output_shape") {
      guard stated.count == rank || stated.count == rank + 2, stated.allSatisfy({ $0 > 0 }) else {
        throw use.mismatch("output_shape \(stated) does not fit")
      }
      sizes = stated.suffix(rank).map(Dimension.fixed)
    } else {
      sizes = try (0..<rank).map { axis in
        guard let size = shape[axis + 2].value else { return .unknown }
        if sliding.automatic.hasPrefix("SAME") {
          return .fixed(try use.product(size, sliding.strides[axis]))
        }
        let reach = try use.product(kernel[axis] - 1, sliding.dilations[axis])
        var total = try use.product(sliding.strides[axis], use.sum(size, -1))
        for part in [extra[axis], reach, 1] { total = try use.sum(total, part) }
        if sliding.automatic != "VALID" {
          total = try use.difference(total, use.sum(sliding.pads[axis], sliding.pads[axis + rank]))
        }
        guard total >= 0 else { throw use.mismatch("the pads are larger than the result") }
        return .fixed(total)
      }
    }
    return [
      TensorType(
        [shape[0], .fixed(try use.product(filter[1], group))] + sizes, input.elementType)
    ]
  }
}
