internal import Foundation

/// A perceptron that corrects the base of parts of all kinds, where trees know one kind each: what is
/// alike between kinds is learned from all of them.
struct PartNetwork: Equatable, Sendable {
  /// What parts are as inputs.
  struct Inputs: Codable, Equatable, Sendable {
    var kinds: Int
    /// Of each feature over the parts that were learned from.
    var means: [Float]
    var deviations: [Float]
    /// Features that are numbers of a category, and how many categories each has.
    var categories: [Int: Int]

    var width: Int { 2 * means.count + kinds + categories.values.reduce(0, +) }

    /// Features in deviations, which of them are 0, the kind and the categories.
    func row(_ part: SumPart) -> [Float] {
      var row = part.features.indices.map { column in
        max(-4, min(4, (part.features[column] - means[column]) / deviations[column]))
      }
      row += part.features.map { $0 == 0 ? 1 : 0 }
      row += (0..<kinds).map { $0 == part.kind ? 1 : 0 }
      for (column, count) in categories.sorted(by: { $0.key < $1.key }) {
        let category = min(count - 1, Int(part.features[column]))
        row += (0..<count).map { $0 == category ? 1 : 0 }
      }
      return row
    }
  }

  let inputs: Inputs
  let perceptron: DensePerceptron

  /// No correction is further from 0.
  static let reach: Float = 2

  /// Logarithm of what the part's base is to be multiplied with.
  func correction(_ part: SumPart) -> Double {
    Double(max(-Self.reach, min(Self.reach, perceptron.output(inputs.row(part)))))
  }
}
