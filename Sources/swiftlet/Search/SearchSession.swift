import Architectures
import Foundation
import Predictors
import Searchers
import Supernets

/// One search: the problem that a spec describes, and the run through it.
struct SearchSession {
  let spec: SearchSpec
  let space: SearchSpace
  let accuracy: SearchAccuracy
  let weights: SearchWeights
  private let latency: any CostModel
  private let metrics: [Metric]
  /// What of the space is searched: weights that were never trained are no result.
  private let domain: SearchDomain

  init(_ spec: SearchSpec) throws {
    self.spec = spec
    weights = try SearchWeights(spec)
    space = try weights.supernet?.space ?? SpaceCatalog.standard.space(spec.space)
    accuracy = try SearchAccuracy(contentsOf: spec.accuracyPredictor, space: space)
    latency = try SearchLatency.model(spec, space)
    var metrics = [Metric("latency", unit: "ms", model: latency)]
    for (name, limit, cost) in [
      ("macs", spec.maxMacs, StaticCost.macs), ("parameters", spec.maxParameters, .parameters),
      ("weight bytes", spec.maxWeightBytes, .weightBytes),
      ("activation bytes", spec.maxActivationBytes, .activationBytes),
    ] {
      guard let limit else { continue }
      metrics.append(
        Metric(name, unit: "", limit: limit, model: try cost.table(for: space)))
    }
    if spec.minResolution != nil || spec.maxResolution != nil {
      metrics.append(
        Metric(
          "resolution", unit: "px", limit: spec.maxResolution, floor: spec.minResolution,
          model: ResolutionCost(space: space)))
    }
    self.metrics = metrics
    if let trained = try weights.supernet?.choices(), !trained.isWholeSpace {
      domain = SearchDomain(
        space, allowed: trained.allowed,
        tied: trained.tied.mapValues { (depthGene: $0.depthGene, choices: $0.choices) })
    } else {
      domain = SearchDomain(space)
    }
  }

  /// The problem with a limit on predicted latency, in milliseconds.
  func problem(latencyLimit: Double) throws -> SearchProblem {
    var metrics = metrics
    metrics[0].limit = latencyLimit
    return try SearchProblem(domain: domain, scorer: accuracy, metrics: metrics)
  }

  /// The latency that is expected of `entry`, in milliseconds; with a confidence its cost is more.
  func expectedLatency(_ entry: Evaluated) throws -> Double {
    try (latency as? FewShotCost)?.mean(entry.genotype) ?? entry.costs[0]
  }

  func searcher() throws -> any Searcher {
    try SearcherRegistry.standard.searcher(
      spec.searcher, options: Data(spec.searcherOptions.utf8), seed: spec.seed)
  }

  /// A run from the start.
  func start(latencyLimit: Double) throws -> SearchRun {
    func open<S: Searcher>(_ searcher: S, _ problem: SearchProblem) throws -> SearchRun {
      try SearchRun(searcher, problem)
    }
    return try open(try searcher(), try problem(latencyLimit: latencyLimit))
  }
}

private struct ResolutionCost: CostModel {
  let space: SearchSpace
  func cost(_ genotype: Genotype) throws -> Double { Double(space.resolution(genotype)) }
}
