internal import Foundation
internal import Tensors

/// Ranks networks by accuracy in spaces of which no accuracy is known: learned from other spaces'
/// ranks and kept as a sparse Gaussian process, without any of the accuracies it learned from.
///
/// What larger or deeper means is measured by networks drawn from the space that is asked about
/// (``NetworkRanking``).
public struct NetworkRankingModel: Sendable {
  /// What it learned from, and how well models that lacked one of the tables ranked its networks.
  public struct Provenance: Codable, Equatable, Sendable {
    public struct Table: Codable, Equatable, Sendable {
      public var name: String
      public var networks: Int
      /// SHA-256 of the file's text.
      public var digest: String
      /// Spearman on this table's networks of a model of the other tables.
      public var spearman: Double
    }

    public var tables: [Table]
    /// UTC, ISO 8601.
    public var date: String?
  }

  public let recipe: NetworkRankingRecipe
  public let provenance: Provenance
  /// Features of the tables' networks taken together, and which of them are used.
  let scale: FeatureScale
  let isKept: [Bool]
  let process: SparseGaussianProcess
  /// Factor on deviations by which 90 % intervals held networks of tables that were left out.
  let calibration: Double

  init(
    recipe: NetworkRankingRecipe, provenance: Provenance, scale: FeatureScale, isKept: [Bool],
    process: SparseGaussianProcess, calibration: Double
  ) {
    self.recipe = recipe
    self.provenance = provenance
    self.scale = scale
    self.isKept = isKept
    self.process = process
    self.calibration = calibration
  }

  /// Networks with accuracies that are learned from.
  struct Table: Sendable {
    var name: String
    var features: NetworkFeatures
    var accuracies: [Double]
    /// SHA-256 of the file's text.
    var digest: String
  }

  /// Networks of a table that score a model without it.
  private static let scored = 2000

  /// Trains on tables, an equal share of each; each of them is left out once, which says how sure
  /// the ranks of a space are of which nothing is known.
  ///
  /// - Parameter tables: those of the recipe.
  /// - Throws: `badRecipe`; `badSamples` for fewer than two tables, or tables with too few rows.
  init(
    fitting tables: [Table], recipe: NetworkRankingRecipe,
    date: String? = nil, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws {
    if let problem = recipe.problem { throw PredictorsError(.badRecipe, problem) }
    guard tables.count > 1 else {
      throw PredictorsError(
        .badSamples, "ranks that carry over are learned from two tables or more")
    }
    var surprises: [Double] = []
    var found: [Provenance.Table] = []
    let sources = tables.map { (features: $0.features, accuracies: $0.accuracies) }
    for (number, table) in tables.enumerated() {
      let others = sources.indices.filter { $0 != number }.map { sources[$0] }
      let model = try Self(others, recipe: recipe)
      var random = RandomStream(seed: recipe.seed).derived("scored")
      let rows = random.permutation(table.features.count).filter { table.features.isConnected[$0] }
        .prefix(Self.scored)
      let measured = rows.map { table.accuracies[$0] }
      let ranking = try NetworkRanking(model, population: table.features)
      let predictions = try ranking.predict(table.features[rows])
      let scores = NormalScores(measured)
      // As many of each table, so that a large one doesn't decide.
      for place in stride(from: 0, to: rows.count, by: max(1, rows.count / 200)) {
        surprises.append(
          abs(scores.score(measured[place]) - predictions[place].score)
            / predictions[place].deviation)
      }
      found.append(
        .init(
          name: table.name, networks: table.features.count, digest: table.digest,
          spearman: RankStatistics.spearman(predictions.map(\.score), measured)))
      progress(number + 1, tables.count + 1)
    }
    surprises.sort()
    let model = try Self(sources, recipe: recipe)
    progress(tables.count + 1, tables.count + 1)
    self.init(
      recipe: recipe, provenance: Provenance(tables: found, date: date), scale: model.scale,
      isKept: model.isKept, process: model.process,
      calibration: ErrorStatistics.quantile(0.9, ofSorted: surprises) / NormalScores.quantile(0.95))
  }

  /// Without calibration.
  private init(_ sources: [PooledSamples.Source], recipe: NetworkRankingRecipe) throws {
    let pool = try PooledSamples(sources, limit: recipe.limit, seed: recipe.seed)
    let isKept = pool.varies
    let points = pool.points(recipe.groups, isKept: isKept)
    let few = min(recipe.choosing, points.count)
    var fit = try KernelFit(points[0..<few], targets: Array(pool.targets[0..<few]))
    fit.steps = recipe.steps
    let kernel = try fit(from: GroupedKernel(groups: recipe.groups.count, hasTrend: false))
    let centres = try points.centres(recipe.inducing, weights: kernel.scales.map { exp(-$0) })
    var scale = pool.scale
    // As precise as files are, so that a file holds the same model.
    scale.means = scale.means.map { Double(Float($0)) }
    scale.spreads = scale.spreads.map { Double(Float($0)) }
    self.init(
      recipe: recipe, provenance: Provenance(tables: []), scale: scale, isKept: isKept,
      process: try SparseGaussianProcess(
        kernel, inducing: centres, points, targets: pool.targets), calibration: 1)
  }
}
