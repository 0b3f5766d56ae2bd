import Networks
import Tensors
import Testing

@Suite struct ResamplerTests {
  /// The way back is the transpose: `<R x, y> = <x, R' y>`.
  @Test(arguments: [(8, 6), (6, 9), (7, 7)])
  func gradientsAreTheTranspose(from: Int, to: Int) throws {
    let engine = try Engine(threads: 2)
    var random = RandomStream(seed: 3)
    let (x, y) = (random.normal([2, from, from, 3]), random.normal([2, to, to, 3]))
    let tape = Tape(engine)
    let leaf = tape.leaf(x)
    let product = try (BatchResampler(from: from, to: to)(leaf) * tape.constant(y)).sum()
    let gradient = try tape.gradients(of: product, for: [leaf])[0].value
    let back = zip(gradient.array, x.array).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    #expect(abs(back - Double(product.scalar)) < 1e-3)
  }
}
