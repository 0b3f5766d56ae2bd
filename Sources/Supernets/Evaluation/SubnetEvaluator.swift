public import Architectures
internal import Foundation
public import Networks
internal import Tensors

/// Measures subnets with the supernet's weights: recalibrates the norms of each on training images,
/// then counts hits (Cai et al. 2020, arXiv 1908.09791). Subnets are independent of each other, so
/// each thread evaluates its own.
public final class SubnetEvaluator {
  /// One subnet's result.
  public struct Evaluation: Sendable, Equatable {
    public var genotype: Genotype
    /// Share of images whose largest logit is their label, 0...1.
    public var accuracy: Double
    public var images: Int
  }

  private let data: TrainingData
  private let engine: Engine
  private let images: EvaluationImages
  private let recalibrator: Recalibrator

  /// - Parameters:
  ///   - dataset: images to count hits on.
  ///   - recalibration: training images to take statistics from, drawn by the data's seed.
  public init(
    _ data: TrainingData, on dataset: any ImageDataset, recalibration: Int, threads: Int
  ) throws {
    self.data = data
    engine = try Engine(threads: threads)
    images = try EvaluationImages(data, dataset)
    recalibrator = try Recalibrator(data, images: recalibration)
  }

  /// Accuracies of subnets of `supernet`, in order.
  /// - Parameter finished: told of each result as it comes, from any thread but one at a time;
  ///   what it throws ends the evaluation.
  public func evaluate(
    _ genotypes: [Genotype], of supernet: Supernet,
    finished: (Evaluation) throws -> Void = { _ in }
  ) throws -> [Evaluation] {
    var results = [Evaluation?](repeating: nil, count: genotypes.count)
    var failure: (any Error)?
    let lock = NSLock()
    engine.parallel(genotypes.count) { index in
      guard lock.withLock({ failure == nil }) else { return }
      let result = Result {
        let engine = try Engine(threads: 1)
        let network = try supernet.extracted(genotypes[index], engine: engine)
        return try evaluate(network, engine, recalibrates: true)
      }
      lock.withLock {
        do {
          let evaluation = try result.get()
          results[index] = evaluation
          try finished(evaluation)
        } catch {
          failure = failure ?? error
        }
      }
    }
    if let failure { throw failure }
    return results.compactMap { $0 }
  }

  /// The accuracy of one network, by all threads.
  /// - Parameter recalibrates: whether its norms take new statistics first.
  public func evaluate(
    _ network: ExtractedNetwork, recalibrates: Bool = true
  ) throws -> Evaluation {
    try evaluate(network, engine, recalibrates: recalibrates)
  }

  private func evaluate(
    _ network: ExtractedNetwork, _ engine: Engine, recalibrates: Bool
  ) throws -> Evaluation {
    if recalibrates { try recalibrator(network, engine) }
    let inference = try Inference(engine: engine, chunk: 4) { try network($0, $1) }
    var (hits, count) = (0, 0)
    try images.read { batch in
      let x = try data.images(batch.images, at: network.subnet.resolution, engine: engine)
      hits += try inference(x).hits(batch.labels)
      count += batch.labels.count
    }
    return Evaluation(
      genotype: network.subnet.genotype, accuracy: Double(hits) / Double(max(1, count)),
      images: count)
  }
}
