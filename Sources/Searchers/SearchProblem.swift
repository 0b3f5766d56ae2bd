internal import Architectures

/// What is searched: genes, a score to raise, costs to lower or to keep within limits.
public struct SearchProblem: Sendable {
  public let domain: SearchDomain
  public let scorer: any ArchitectureScorer
  public let metrics: [Metric]
  /// The first `objectives` metrics span the Pareto front together with the score.
  public let objectives: Int
  /// Costs and limits without the words, for the inner loop; no limit is infinity.
  let models: [any CostModel]
  let limits: [Double]
  let floors: [Double]

  /// - Parameter metrics: at least one; the first is the cost axis of the front.
  /// - Throws: `invalidProblem`.
  public init(
    domain: SearchDomain, scorer: any ArchitectureScorer, metrics: [Metric], objectives: Int = 1
  ) throws {
    guard !domain.counts.isEmpty else {
      throw SearchersError(.invalidProblem, "space '\(domain.name)' has no genes to search")
    }
    guard (1...3).contains(objectives), objectives <= metrics.count else {
      throw SearchersError(
        .invalidProblem,
        "a search takes 1 to 3 cost objectives, got \(objectives) of \(metrics.count) metrics")
    }
    guard Set(metrics.map(\.name)).count == metrics.count else {
      throw SearchersError(
        .invalidProblem, "a metric stands twice: \(metrics.map(\.name).joined(separator: ", "))")
    }
    for metric in metrics {
      guard (metric.limit ?? 0).isFinite, (metric.floor ?? 0).isFinite else {
        throw SearchersError(.invalidProblem, "the limits of \(metric.name) must be numbers")
      }
      if let limit = metric.limit, let floor = metric.floor, floor > limit {
        throw SearchersError(
          .invalidProblem,
          "\(metric.name) cannot be at least \(metric.text(floor)) and at most "
            + metric.text(limit))
      }
    }
    self.domain = domain
    self.scorer = scorer
    self.metrics = metrics
    self.objectives = objectives
    models = metrics.map(\.model)
    limits = metrics.map { $0.limit ?? .infinity }
    floors = metrics.map { $0.floor ?? -.infinity }
  }

  /// What must be equal for a checkpoint to continue.
  var signature: ProblemSignature {
    ProblemSignature(
      space: domain.name, choices: domain.counts, metrics: metrics.map(\.name),
      limits: metrics.map { $0.limit }, floors: metrics.map { $0.floor }, objectives: objectives)
  }

  /// All costs of a canonical genotype.
  func costs(_ genotype: Genotype) throws -> [Double] { try models.map { try $0.cost(genotype) } }

  /// The failure of a search without a feasible architecture, with the nearest miss.
  func infeasible(tries: Int, nearest: Genotype) throws -> SearchersError {
    let costs = try costs(nearest)
    let limited = metrics.indices.filter { metrics[$0].limit != nil || metrics[$0].floor != nil }
    let count = grouped(tries)
    let id = domain.id(nearest)
    if limited.count == 1, metrics[limited[0]].floor == nil {
      let metric = metrics[limited[0]]
      let isTime = ["ms", "us", "s"].contains(metric.unit)
      let found =
        isTime
        ? "the fastest found takes \(metric.text(costs[limited[0]]))"
        : "the smallest found has \(metric.name) \(metric.text(costs[limited[0]]))"
      let limit = (isTime ? "" : "\(metric.name) ") + metric.text(limits[limited[0]])
      return SearchersError(
        .infeasible, "no architecture within \(limit) in \(count) tries; \(found): \(id)",
        nearest: costs)
    }
    let wanted = limited.map { index in
      let metric = metrics[index]
      let least = metric.floor.map { "at least \(metric.text($0))" }
      let most = metric.limit.map { metric.text($0) }
      return "\(metric.name) " + [least, most].compactMap { $0 }.joined(separator: " and at most ")
    }
    let found = limited.map { "\(metrics[$0].name) \(metrics[$0].text(costs[$0]))" }
    return SearchersError(
      .infeasible,
      "no architecture within \(wanted.joined(separator: ", ")) together in \(count) tries; "
        + "the nearest found has \(found.joined(separator: ", ")): \(id)", nearest: costs)
  }
}

/// The part of a problem that a checkpoint remembers.
struct ProblemSignature: Codable, Hashable, Sendable {
  var space: String
  var choices: [Int]
  var metrics: [String]
  var limits: [Double?]
  var floors: [Double?]
  var objectives: Int
}

/// Digits in groups of three: `10,000`.
func grouped(_ number: Int) -> String {
  var digits = Array(String(number))
  var place = digits.count - 3
  while place > 0 {
    digits.insert(",", at: place)
    place -= 3
  }
  return String(digits)
}
