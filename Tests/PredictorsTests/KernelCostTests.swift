import Architectures
import Foundation
import Testing

@testable import Predictors

struct KernelCostTests {
  /// With a few trees and a perceptron of a few steps.
  static let predictor: KernelPredictor = {
    let probes = try! KernelPredictorTests.samples("datasets/kernel-probes.csv")
    var options = SumModel.Options.kernels
    (options.rounds, options.rate, options.networkSteps) = (15, 0.3, 20)
    return try! KernelPredictor.train(KernelSamples(probes, spaces: catalog), options: options)
  }()

  /// Sums over blocks between their neighbours equal predictions of whole networks.
  @Test(arguments: [
    "fbnet", "nasbench201", "ofa-mobilenetv3", "ofa-mobilenetv3-cifar", "ofa-proxylessnas",
    "ofa-resnet50", "proxylessnas",
  ])
  func equalsWholeNetworks(name: String) throws {
    let space = try catalog.space(name)
    let cost = try KernelCost(Self.predictor, space: space)
    // Asked twice, so that what is remembered is asked too.
    let drawn = genotypes(6, of: space, seed: 3)
    for genotype in drawn + drawn {
      let whole = Self.predictor.latency(try space.graph(genotype)).value
      let found = try cost.cost(genotype)
      #expect(abs(found - whole) <= 1e-9 * whole, "\(space.id(genotype)): \(found), \(whole)")
    }
  }

  /// The same where nothing is fused, so that sums are kernels of their own.
  @Test func equalsWholeNetworksWithoutFusion() throws {
    let space = try catalog.space("ofa-resnet50")
    let plain = KernelPredictor(
      rules: FusionRules(), model: Self.predictor.model, provenance: Self.predictor.provenance)
    let cost = try KernelCost(plain, space: space)
    for genotype in genotypes(6, of: space, seed: 4) {
      let whole = plain.latency(try space.graph(genotype)).value
      #expect(abs(try cost.cost(genotype) - whole) <= 1e-9 * whole)
    }
  }
}
