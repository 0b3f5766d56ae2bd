internal import Architectures

// What the networks of published tables are made of.
extension GraphBuilder {
  /// Convolution without bias, normalisation, activation.
  mutating func activated(
    _ value: ValueReference, out: Int, kernel: Int = 1, stride: Int = 1, groups: Int = 1,
    _ activation: Activation = .relu
  ) throws -> ValueReference {
    let value = try convolution(value, out: out, kernel: kernel, stride: stride, groups: groups)
    return try activate(try batchNorm(value), activation)
  }

  /// `nil` for no operands.
  mutating func sum(_ operands: [ValueReference]) throws -> ValueReference? {
    guard var sum = operands.first else { return nil }
    for other in operands.dropFirst() { sum = try add("Add", [sum, other]) }
    return sum
  }

  mutating func firstChannels(_ value: ValueReference, _ count: Int) throws -> ValueReference {
    let bounds = [constant("from", ints: [0]), constant("to", ints: [count])]
    return try add("Slice", [value] + bounds + [constant("axis", ints: [1])])
  }

  mutating func pool(_ value: ValueReference, _ op: String, kernel: Int, stride: Int = 1) throws
    -> ValueReference
  {
    var attributes: [String: Attribute] = ["kernel_shape": .ints([kernel, kernel])]
    if stride > 1 { attributes["strides"] = .ints([stride, stride]) }
    let padding = stride > 1 ? 0 : kernel / 2
    if padding > 0 { attributes["pads"] = .ints([padding, padding, padding, padding]) }
    return try add(op, [value], attributes)
  }

  /// Global average pooling and a fully connected layer.
  mutating func classifier(_ value: ValueReference, classes: Int) throws -> ValueReference {
    let flat = try add("Flatten", [try add("GlobalAveragePool", [value])])
    let weights = [
      weight("classifier.weight", [classes, channels(flat)]), weight("classifier.bias", [classes]),
    ]
    return try add("Gemm", [flat] + weights, ["transB": 1])
  }
}
