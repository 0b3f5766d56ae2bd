internal import Architectures
internal import Foundation

/// Embeds operators as vectors whose sum over a network's operators says what it costs.
///
/// Two parts: physical quantities in the columns of the operator's kind, and random Fourier
/// features (Rahimi and Recht 2007) of the quantities' logarithms, which make a linear function of
/// the sum a smooth function of each operator's sizes.
struct LineEmbedding: Sendable {
  static let quantities = [
    "count", "MMACs", "input MB", "output MB", "weight MB", "kernel area",
  ]
  /// Columns of physical quantities.
  static let physical = OperatorKind.allCases.count * quantities.count
  static let waves = 192
  static let count = physical + waves

  static var names: [String] {
    OperatorKind.allCases.flatMap { kind in quantities.map { "\(kind) \($0)" } }
      + (0..<waves).map { "wave \($0)" }
  }

  /// Columns of logarithms and of the operator's signature that waves run along.
  private static let axes = 10
  private static let signatureAxes = 6
  /// A factor of 2^width in a size is one radian for a wave of slope one.
  private static let width = 3.0
  private let slopes: [Double]
  private let phases: [Double]

  init() {
    var generator = SeededGenerator(seed: 1, stream: "line embedding")
    func normal() -> Double {
      (-2 * log(1 - generator.nextUniform())).squareRoot()
        * cos(2 * .pi * generator.nextUniform())
    }
    slopes = (0..<Self.waves * (Self.axes + Self.signatureAxes)).map { _ in normal() }
    phases = (0..<Self.waves).map { _ in 2 * .pi * generator.nextUniform() }
  }

  /// `[LineEmbedding.count]` numbers, each exact to 2^-24.
  func callAsFunction(_ line: OperatorLine) -> [Double] {
    var vector = [Double](repeating: 0, count: Self.count)
    let base = line.kind.rawValue * Self.quantities.count
    for (offset, value) in [
      1, Double(line.macs) * 0x1p-20, Double(line.inputBytes) * 0x1p-20,
      Double(line.outputBytes) * 0x1p-20, Double(line.weightBytes) * 0x1p-20,
      Double(line.kernelArea),
    ].enumerated() { vector[base + offset] = exactly(value) }
    let axes = axes(line)
    for wave in 0..<Self.waves {
      var angle = phases[wave]
      for (axis, value) in axes.enumerated() { angle += slopes[wave * axes.count + axis] * value }
      vector[Self.physical + wave] = exactly(cos(angle))
    }
    return vector
  }

  private func axes(_ line: OperatorLine) -> [Double] {
    func size(_ value: Int) -> Double { log2(1 + Double(value)) / Self.width }
    var axes = [
      size(line.macs), size(line.inputBytes), size(line.outputBytes), size(line.weightBytes),
      size(line.kernelArea), size(line.stride), size(line.groups), size(line.inputChannels),
      size(line.outputChannels), size(line.pixels),
    ]
    // Operators of different types lie apart, those that differ in an attribute close by.
    var type = SeededGenerator(seed: UInt64(line.kind.rawValue), stream: "kind")
    var detail = SeededGenerator(seed: line.signature)
    for _ in 0..<Self.signatureAxes {
      axes.append(2 * (type.nextUniform() - 0.5) + 0.2 * (detail.nextUniform() - 0.5))
    }
    return axes
  }
}

/// `value` to a multiple of 2^-24, so that sums of such numbers below 2^28 are exact in any order:
/// a network gives the same encoding whatever order its operators come in.
func exactly(_ value: Double) -> Double { (value * 0x1p24).rounded() * 0x1p-24 }
