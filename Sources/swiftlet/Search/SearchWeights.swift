import Architectures
import Foundation
import Networks
import ONNXFormat
import Supernets
import Tensors

/// The weights that a search's result gets: those of the space's supernet where there is one, else
/// seeded ones.
struct SearchWeights {
  /// Weights of one architecture.
  struct Found {
    var source: any WeightSource
    /// Share of the test images (of the held-out ones where there are none) that it gets right with
    /// them; nil without the images.
    var accuracy: Double?
    /// What feeding the network takes, for its file.
    var properties: [String: String] = [:]
  }

  let supernet: SupernetArgument?
  private let data: TrainingData?
  private let seed: UInt64

  /// - Throws: a failure if the supernet is one of another space, or the images are not its own.
  init(_ spec: SearchSpec) throws {
    seed = spec.seed
    let supernet = try spec.checkpoint.map { try SupernetArgument($0) }
    self.supernet = supernet
    if let supernet, let path = spec.checkpoint {
      let space = try SpaceCatalog.standard.space(spec.space)
        .withClasses(supernet.space.classes)
      let isSame = try supernet.space.fingerprint() == space.fingerprint()
      guard isSame, supernet.space.name == space.name else {
        throw Failure(
          .input,
          "\(path): a supernet of the space '\(supernet.space.name)', not of '\(spec.space)'")
      }
    } else if let data = spec.data {
      throw Failure(.usage, "--data \(data): images need the --checkpoint trained on them")
    }
    data = try spec.data.flatMap { try supernet?.data($0) }
  }

  func find(for genotype: Genotype) throws -> Found {
    guard let supernet else { return Found(source: HeInitialization(seed: seed)) }
    let engine = try Engine(threads: 2)
    let network = try supernet.supernet.extracted(genotype, engine: engine)
    let statistics = try supernet.recalibrate(network, data, engine: engine)
    let accuracy = try data.map { data in
      try SubnetEvaluator(
        data, on: data.test ?? data.validation, recalibration: supernet.recipe.recalibration,
        threads: 2
      ).evaluate(network, recalibrates: false).accuracy
    }
    return Found(
      source: try NamedWeights(
        network.state().mapValues(\.array), provenance: supernet.provenance(statistics)),
      accuracy: accuracy, properties: supernet.properties)
  }
}
