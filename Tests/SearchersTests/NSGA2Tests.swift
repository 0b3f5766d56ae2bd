import Architectures
import Foundation
import Searchers
import Testing

/// Against pymoo; the golden file is made by `Tests/peers/nsga2_pymoo.py`.
struct NSGA2Tests {
  struct Golden: Decodable {
    struct Case: Decodable {
      var points: [[Double]]
      var fronts: [[Int]]
      var crowding: [[Double]]
      var hypervolume: Double
    }
    var cases: [Case]
    var genes: Int
    var choices: Int
    var population: Int
    var generations: Int
    var zdt1: [Double]
    var zdt2: [Double]
  }

  static let golden = Result {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Goldens/nsga2.json")
    return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
  }

  @Test func frontsCrowdingAndHypervolumeAreThoseOfPymoo() throws {
    for sample in try Self.golden.get().cases {
      let fronts = NonDominatedSort.fronts(sample.points)
      #expect(fronts == sample.fronts)
      // pymoo gives a lone point 0; nothing depends on it.
      for (front, expected) in zip(fronts, sample.crowding) where front.count > 1 {
        let crowding = NonDominatedSort.crowding(front.map { sample.points[$0] })
        for (mine, peer) in zip(crowding, expected) {
          #expect(peer == -1 ? mine == .infinity : abs(mine - peer) < 1e-14)
        }
      }
      let reference = sample.points[0].map { _ in 1.1 }
      let volume = Hypervolume.of(sample.points, reference: reference)
      // Sums of up to some thousand positive boxes.
      #expect(abs(volume - sample.hypervolume) <= 1e-13 * max(1, sample.hypervolume))
    }
  }

  /// Same operators, same number of evaluations: the hypervolumes come from one distribution, so
  /// the median of one sample lies between the quartiles of the other but for bad luck, which a
  /// fixed seed rules out.
  @Test(arguments: [("zdt1", 0.5), ("zdt2", 2.0)])
  func wholeRunsReachPymoo(name: String, power: Double) throws {
    let golden = try Self.golden.get()
    let peers = name == "zdt1" ? golden.zdt1 : golden.zdt2
    let genes = golden.genes
    let top = Double(golden.choices - 1)
    @Sendable func objectives(_ genotype: Genotype) -> (Double, Double) {
      let x = genotype.genes.map { Double($0) / top }
      let g = 1 + 9 * x.dropFirst().reduce(0, +) / Double(genes - 1)
      return (x[0], g * (1 - Foundation.pow(x[0] / g, power)))
    }
    let problem = try SearchProblem(
      domain: SearchDomain(name: name, counts: Array(repeating: golden.choices, count: genes)),
      scorer: FormulaScorer { -objectives($0).1 },
      metrics: [Metric("f1", unit: "", model: FormulaCost { objectives($0).0 })])
    var options = NSGA2Options()
    options.population = golden.population
    options.generations = golden.generations
    let volumes = try (0..<11).map { seed in
      var run = try SearchRun(NSGA2Searcher(options: options, seed: UInt64(seed)), problem)
      _ = try run.run()
      return Hypervolume.of(
        run.searcher.members.map { [objectives($0).0, objectives($0).1] }, reference: [1.1, 1.1])
    }.sorted()
    #expect(volumes[5] >= peers[2], "\(volumes) against \(peers)")
  }

  @Test func hypervolumeOfKnownSets() {
    #expect(Hypervolume.of([], reference: [1, 1]) == 0)
    #expect(Hypervolume.of([[2, 0]], reference: [1, 1]) == 0)
    #expect(Hypervolume.of([[0, 0.5], [0.5, 0], [0.5, 0.5]], reference: [1, 1]) == 0.75)
    // Against counting the cells of a grid, in up to four dimensions.
    for seed in 0..<100 {
      var generator = SeededGenerator(seed: UInt64(seed))
      let dimensions = 1 + generator.next(below: 4)
      let side = 6
      let points = (0..<(1 + generator.next(below: 12))).map { _ in
        (0..<dimensions).map { _ in Double(generator.next(below: side)) }
      }
      var cells = 0
      for index in 0..<Int(Foundation.pow(Double(side), Double(dimensions))) {
        var rest = index
        let cell = (0..<dimensions).map { _ in
          defer { rest /= side }
          return Double(rest % side)
        }
        if points.contains(where: { zip($0, cell).allSatisfy { $0 <= $1 } }) { cells += 1 }
      }
      let volume = Hypervolume.of(
        points, reference: Array(repeating: Double(side), count: dimensions))
      #expect(volume == Double(cells), "seed \(seed)")
    }
  }
}
