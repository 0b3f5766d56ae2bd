/// Where runtimes that compute images in blocks of 16 channels change the layout.
///
/// Convolutions and pools whose channels fit blocks are computed blocked, and what works element by
/// element follows its operands; everything else wants plain tensors. The rules are those
/// of ONNX Runtime's NCHWc layout (oneDNN's are similar). They only make features: what a change of
/// layout costs, if anything, is learned.
enum KernelLayout {
  static let block = 16.0

  /// - Parameters:
  ///   - operands: for each kernel, what it reads: another kernel's result or, where that is `nil`,
  ///     something from outside.
  ///   - isOutsideBlocked: whether what comes from outside is blocked.
  static func mark(
    _ kernels: inout [Kernel], operands: [[(kernel: Int?, bytes: Double)]],
    isOutsideBlocked: Bool = false
  ) {
    for index in kernels.indices {
      let areBlocked = operands[index].allSatisfy {
        $0.kernel.map { kernels[$0].isBlocked } ?? isOutsideBlocked
      }
      kernels[index].isBlocked = isBlocked(
        kernels[index], operands: operands[index], areOperandsBlocked: areBlocked)
    }
    for index in kernels.indices {
      // A first convolution takes few channels as they come.
      let takesPlain = kernels[index].groups == 1 && kernels[index].inputChannels < block
      for operand in operands[index] {
        let isOperandBlocked =
          operand.kernel.map { kernels[$0].isBlocked } ?? isOutsideBlocked
        if kernels[index].isBlocked, !isOperandBlocked, !takesPlain {
          kernels[index].packedBytes += operand.bytes
        } else if !kernels[index].isBlocked, isOperandBlocked, let producer = operand.kernel {
          kernels[producer].unpackedBytes = operand.bytes
        }
      }
      if kernels[index].isBlocked, kernels[index].writesOutput {
        kernels[index].unpackedBytes = kernels[index].outputBytes
      }
    }
  }

  private static func isBlocked(
    _ kernel: Kernel, operands: [(kernel: Int?, bytes: Double)], areOperandsBlocked: Bool
  ) -> Bool {
    func isMultiple(_ channels: Double, of count: Double) -> Bool {
      channels.remainder(dividingBy: count) == 0
    }
    switch kernel.kind {
    case .convolution, .pointwise:
      return kernel.inputChannels < block || isMultiple(kernel.inputChannels, of: 4)
    case .depthwise: return isMultiple(kernel.outputChannels, of: 4)
    case .grouped:
      return isMultiple(kernel.inputChannels / kernel.groups, of: block)
        && isMultiple(kernel.outputChannels / kernel.groups, of: block)
    case .pool: return isMultiple(kernel.outputChannels, of: block)
    case .globalPool:
      return isMultiple(kernel.outputChannels, of: block) && kernel.op.hasPrefix("Global")
    case .activation, .normalization: return areOperandsBlocked
    case .elementwise:
      // A gate that is broadcast is applied to plain tensors.
      return areOperandsBlocked && operands.allSatisfy { $0.bytes == operands[0].bytes }
    case .movement:
      return areOperandsBlocked && kernel.op == "Concat"
        && isMultiple(kernel.outputChannels, of: block)
    case .linear, .view, .other: return false
    }
  }
}
