import Architectures

/// A dense two-dimensional convolution as a linear map: what can become one with another.
struct LinearConvolution {
  /// Names of the weight `[outputs, inputs, height, width]` and of the bias, if there is one.
  let weight: String
  let bias: String?
  let elementType: ElementType
  let outputs: Int
  let inputs: Int
  /// Height and width of the kernel.
  let size: [Int]
  let strides: [Int]
  /// Top, left, bottom, right.
  let pads: [Int]
  /// Height times width of the result.
  let positions: Int

  /// `nil` if the node is none: another operator, groups, dilation, or shapes that are not known.
  init?(_ node: Node, in graph: OperatorGraph) {
    func name(_ position: Int) -> String? {
      guard case .parameter(let index)? = node.inputs[position],
        graph.parameters[index].constant == nil
      else { return nil }
      return graph.parameters[index].name.text
    }
    guard node.op == "Conv", node.domain.isEmpty, node.inputs.count >= 2,
      let kernel = node.inputs[1], let shape = graph.type(of: kernel).fixedShape, shape.count == 4,
      let result = node.outputs.first?.shape, result.count == 4,
      let height = result[2].value, let width = result[3].value,
      node.attributes.int("group") ?? 1 == 1,
      node.attributes.string("auto_pad") ?? "NOTSET" == "NOTSET",
      (node.attributes.ints("dilations") ?? []).allSatisfy({ $0 == 1 }),
      let weight = name(1)
    else { return nil }
    if node.inputs.count > 2, node.inputs[2] != nil {
      guard let bias = name(2) else { return nil }
      self.bias = bias
    } else {
      bias = nil
    }
    self.weight = weight
    elementType = graph.type(of: kernel).elementType
    outputs = shape[0]
    inputs = shape[1]
    size = Array(shape[2...])
    strides = node.attributes.ints("strides") ?? [1, 1]
    pads = node.attributes.ints("pads") ?? [0, 0, 0, 0]
    positions = height * width
  }

  /// Multiply-accumulates of one image.
  var macs: Double { Self.macs(positions, outputs, inputs, size) }

  private static func macs(_ positions: Int, _ outputs: Int, _ inputs: Int, _ size: [Int])
    -> Double
  {
    Double(positions) * Double(outputs) * Double(inputs) * Double(size[0] * size[1])
  }

  private var isPointwise: Bool { size == [1, 1] }
  private var isUnpadded: Bool { pads.allSatisfy { $0 == 0 } }

  /// Whether the result has the operand's shape, each element at the kernel's centre.
  var keepsShape: Bool {
    inputs == outputs && strides == [1, 1] && size.allSatisfy { $0 % 2 == 1 }
      && pads == [size[0] / 2, size[1] / 2, size[0] / 2, size[1] / 2]
  }

  /// Where the convolution that equals this one and then `next` looks.
  struct Window {
    var size: [Int]
    var strides: [Int]
    var pads: [Int]
  }

  /// `nil` if the two differ from every single convolution at the borders, where `next` reads
  /// zeros and not what this one would give there.
  /// - Parameter isBiased: whether this one adds something to zeros.
  func window(with next: LinearConvolution, isBiased: Bool) -> Window? {
    if next.isPointwise, next.isUnpadded {
      return Window(
        size: size, strides: zip(strides, next.strides).map { $0 * $1 }, pads: pads)
    }
    guard strides == [1, 1], next.isUnpadded || isPointwise && isUnpadded && !isBiased else {
      return nil
    }
    return Window(
      size: zip(size, next.size).map { $0 + $1 - 1 }, strides: next.strides,
      pads: zip(pads, next.pads).map { $0 + $1 })
  }

  /// Whether one convolution takes fewer multiply-accumulates than this one and then `next`.
  func isDearer(with next: LinearConvolution, than window: Window) -> Bool {
    Self.macs(next.positions, next.outputs, inputs, window.size) < macs + next.macs
  }
}

extension LinearConvolution {
  /// The numbers of a kernel and a bias.
  struct Values {
    /// Row-major `[outputs, inputs, height, width]`.
    var kernel: [Double]
    /// `[outputs]`.
    var bias: [Double]?
  }

  /// - Throws: `missingWeights` naming the weight that is not there.
  func values(_ weights: NamedWeights) throws -> Values {
    func numbers(_ name: String, _ count: Int) throws -> [Double] {
      guard let values = weights.tensors[name], values.count == count else {
        throw ONNXFormatError(
          .missingWeights, "the convolution's weight \(quoted(name)) is not there to be folded")
      }
      return values.map(Double.init)
    }
    return Values(
      kernel: try numbers(weight, outputs * inputs * size[0] * size[1]),
      bias: try bias.map { try numbers($0, outputs) })
  }

  /// The kernel and bias of this convolution and then `next` as one: the kernels convolved with
  /// each other, summed over the channels between.
  func joined(
    _ own: Values, with next: LinearConvolution, _ other: Values
  ) -> Values {
    let (height, width) = (size[0] + next.size[0] - 1, size[1] + next.size[1] - 1)
    var kernel = [Double](repeating: 0, count: next.outputs * inputs * height * width)
    var bias = other.bias ?? [Double](repeating: 0, count: next.outputs)
    var position = 0
    for output in 0..<next.outputs {
      for middle in 0..<outputs {
        for y in 0..<next.size[0] {
          for x in 0..<next.size[1] {
            let factor = other.kernel[position]
            position += 1
            if let shift = own.bias { bias[output] += factor * shift[middle] }
            for row in 0..<inputs * size[0] {
              let (input, line) = row.quotientAndRemainder(dividingBy: size[0])
              let to = ((output * inputs + input) * height + line + y) * width + x
              let from = (middle * inputs * size[0] + row) * size[1]
              for i in 0..<size[1] { kernel[to + i] += factor * own.kernel[from + i] }
            }
          }
        }
      }
    }
    return Values(kernel: kernel, bias: own.bias == nil ? other.bias : bias)
  }

  /// The kernel that also adds the operand.
  func addingOperand(_ values: Values) -> Values {
    var values = values
    for channel in 0..<outputs {
      let plane = (channel * inputs + channel) * size[0] * size[1]
      values.kernel[plane + size[0] / 2 * size[1] + size[1] / 2] += 1
    }
    return values
  }
}
