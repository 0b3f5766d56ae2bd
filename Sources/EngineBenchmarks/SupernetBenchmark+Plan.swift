internal import Architectures

extension SupernetBenchmark {
  /// What another program needs to know to do the same work.
  public struct Plan: Codable, Sendable {
    public struct Cost: Codable, Sendable {
      /// Multiply-accumulates of one image.
      var macs: Int
      var parameters: Int
    }

    var space: String
    var classes: Int
    /// Of the images, in pixels; subnets may ask for smaller ones.
    var side: Int
    var batch: Int
    var validation: Int
    var recalibration: Int
    /// Ids of the subnets of each step, by kind.
    var steps: [String: [[String]]]
    /// Ids of the subnets to evaluate.
    var evaluated: [String]
    /// Of the largest, the smallest and the evaluated subnets.
    var costs: [String: Cost]
  }

  /// The first `count` steps of each kind and subnets to evaluate.
  public func plan(_ count: Int) throws -> Plan {
    var costs: [String: Plan.Cost] = [:]
    let judged = (0..<count).map(evaluated)
    for genotype in extremes + judged {
      let cost = try space.graph(genotype).cost
      costs[space.id(genotype)] = Plan.Cost(macs: cost.macs, parameters: cost.parameters)
    }
    var steps: [String: [[String]]] = [:]
    for step in Step.allCases {
      steps[step.rawValue] = (0..<count).map { subnets(step, $0).map(space.id) }
    }
    return Plan(
      space: space.name, classes: space.classes, side: side, batch: options.batch,
      validation: options.validation, recalibration: options.recalibration, steps: steps,
      evaluated: judged.map(space.id), costs: costs)
  }
}
