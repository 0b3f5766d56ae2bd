import Architectures
import Foundation
import Searchers
import Testing

struct ParetoArchiveTests {
  /// Against comparing every pair, with many ties.
  @Test(arguments: 1...3)
  func holdsExactlyTheFront(objectives: Int) throws {
    for seed in 0..<200 {
      var generator = SeededGenerator(seed: UInt64(seed))
      var archive = ParetoArchive(objectives: objectives)
      var all: [(score: Double, costs: [Double])] = []
      for index in 0..<60 {
        let score = Double(generator.next(below: 8))
        let costs = (0..<3).map { _ in Double(generator.next(below: 8)) }
        let isNew = archive.insert(
          score: score, costs: costs[...], genotype: Genotype([UInt8(index)]))
        let isBeaten = all.contains { other in
          other.score >= score
            && (0..<objectives).allSatisfy { other.costs[$0] <= costs[$0] }
        }
        #expect(isNew == !isBeaten, "seed \(seed)")
        all.append((score, costs))
      }
      func values(_ score: Double, _ costs: [Double]) -> [Double] {
        [-score] + costs.prefix(objectives)
      }
      let points = all.map { values($0.score, $0.costs) }
      let front = Set(NonDominatedSort.fronts(points)[0].map { points[$0] })
      #expect(Set(archive.entries.map { values($0.score, $0.costs) }) == front, "seed \(seed)")
      #expect(archive.entries.count == front.count, "seed \(seed)")
      #expect(
        zip(archive.entries, archive.entries.dropFirst()).allSatisfy {
          $0.costs[0] <= $1.costs[0]
        })
      #expect(archive.best?.score == all.map(\.score).max())
      let copy = try JSONDecoder().decode(
        ParetoArchive.self, from: JSONEncoder().encode(archive))
      #expect(copy.entries == archive.entries)
    }
  }
}
