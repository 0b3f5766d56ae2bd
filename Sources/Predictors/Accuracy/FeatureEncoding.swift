public import Architectures

/// How a genotype becomes the columns of a predictor's first layer: a one for each active choice.
///
/// Columns stand group by group, in a group gene by gene in the space's order, for a gene choice by
/// choice. Genes of blocks that don't exist have no column set, so what they hold doesn't matter;
/// depths need no columns of their own.
public struct FeatureEncoding: Codable, Equatable, Sendable {
  /// Genes of one role.
  public struct Group: Codable, Equatable, Sendable {
    public var role: Role
    /// Names of the genes; all of the role if absent.
    public var genes: [String]?
    /// Values that have columns, ascending; a gene's value sets the largest one not above it, and
    /// the first one if all are above. All choices of the gene if absent.
    public var values: [Double]?

    public init(_ role: Role, genes: [String]? = nil, values: [Double]? = nil) {
      self.role = role
      self.genes = genes
      self.values = values
    }
  }

  /// `Gene.Role` as files name it.
  public enum Role: String, Codable, Sendable {
    case resolution, depth, width, kernel, expand, operation
  }

  public var groups: [Group]

  public init(_ groups: [Group]) { self.groups = groups }

  /// All kernels, expansions, widths and operations of a space, and its resolutions if wanted.
  public static func blocks(
    of space: SearchSpace, withResolution: Bool = false
  ) -> FeatureEncoding {
    let roles = Set(space.genes.map(\.role))
    let resolution: [(Gene.Role, Role)] = withResolution ? [(.resolution, .resolution)] : []
    let order: [(Gene.Role, Role)] =
      resolution + [
        (.width, .width), (.kernel, .kernel), (.expand, .expand), (.operation, .operation),
      ]
    return FeatureEncoding(order.filter { roles.contains($0.0) }.map { Group($0.1) })
  }

  /// The columns of each choice of each gene; -1 for genes without columns.
  /// - Parameter name: of the predictor's file, for errors.
  /// - Throws: `badPredictor` naming the group that the space has no genes for, or whose values
  ///   can't be columns.
  func layOut(for space: SearchSpace, name: String) throws -> (columns: [[Int]], count: Int) {
    var columns = space.genes.map { [Int](repeating: -1, count: $0.count) }
    var count = 0
    for group in groups {
      let genes = space.genes.indices.filter { index in
        space.genes[index].role.rawValue == group.role.rawValue
          && (group.genes?.contains(space.genes[index].name) ?? true)
      }
      guard !genes.isEmpty, genes.count == group.genes?.count ?? genes.count else {
        throw PredictorsError(
          .badPredictor,
          "\(name): the predictor reads \(group.role.rawValue) genes"
            + (group.genes.map { " \($0.joined(separator: ", "))" } ?? "")
            + " that the space \(space.name) doesn't have")
      }
      if let values = group.values {
        guard !values.isEmpty, zip(values, values.dropFirst()).allSatisfy(<),
          !genes.contains(where: { space.genes[$0].values.isEmpty })
        else {
          throw PredictorsError(
            .badPredictor,
            "\(name): the predictor's values of \(group.role.rawValue) genes are \(values); "
              + "ascending numbers, one at least, are meant, for genes that stand for numbers")
        }
      }
      for gene in genes {
        guard columns[gene].allSatisfy({ $0 < 0 }) else {
          throw PredictorsError(
            .badPredictor,
            "\(name): the predictor reads the gene \(space.genes[gene].name) twice")
        }
        for choice in 0..<space.genes[gene].count {
          columns[gene][choice] = count + Self.place(choice, of: space.genes[gene], group)
        }
        count += group.values?.count ?? space.genes[gene].count
      }
    }
    return (columns, count)
  }

  private static func place(_ choice: Int, of gene: Gene, _ group: Group) -> Int {
    guard let values = group.values else { return choice }
    return values.lastIndex { $0 <= gene.values[choice] } ?? 0
  }
}
