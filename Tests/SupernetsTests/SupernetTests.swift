import Architectures
import Networks
import Testing

@testable import Supernets
@testable import Tensors

@Suite struct SupernetTests {
  /// A subnet and its extraction are the same function, with running statistics and recalibrated.
  @Test(arguments: ["ofa-mobilenetv3-cifar"])
  func extractionKeepsTheFunction(name: String) throws {
    let space = try SpaceCatalog.standard.space(name)
    var random = RandomStream(seed: 1)
    let supernet = try Supernet(space, random: &random)
    let engine = try Engine(threads: 2)
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<3 {
      let genotype = space.sample(using: &generator)
      let subnet = try supernet.subnet(genotype)
      let x = random.normal([4, subnet.resolution, subnet.resolution, 3])
      let pass = Pass.inference(engine)
      let whole = try supernet(pass.tape.constant(x), subnet, pass).value
      let extracted = try supernet.extracted(genotype, engine: engine)
      let own = Pass.inference(engine)
      let alone = try extracted(own.tape.constant(x), own).value
      #expect(whole.isIdentical(to: alone))
    }
  }
}
