import Testing

@testable import Predictors

@Suite struct StatisticsTests {
  /// Values of scipy.stats 1.17: kendalltau, spearmanr, pearsonr.
  @Test(arguments: [
    ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], 1.0, 1.0, 1.0),
    ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1], -1, -1, -1),
    (
      [12, 2, 1, 12, 2], [1, 4, 7, 1, 0], -0.4714045207910316, -0.5407380704358752,
      -0.5566399985665696
    ),
    (
      [1, 1, 2, 3, 3, 3, 4], [2, 1, 2, 5, 5, 4, 4], 0.6288281455225324, 0.7597558850114101,
      0.8380524814062784
    ),
    ([3, 3, 3], [1, 2, 3], 0, 0, 0),
  ]) func known(
    _ x: [Double], _ y: [Double], _ kendall: Double, _ spearman: Double, _ pearson: Double
  ) {
    let ranks = RankStatistics(x, y)
    #expect(abs(ranks.kendall - kendall) < 1e-12)
    #expect(abs(ranks.spearman - spearman) < 1e-12)
    #expect(abs(ranks.pearson - pearson) < 1e-12)
  }

  @Test(arguments: 0..<100) func kendallCountsPairs(seed: Int) {
    var random = SystemLike(state: UInt64(seed) &* 77 &+ 1)
    let count = 2 + Int.random(in: 0..<60, using: &random)
    let x = (0..<count).map { _ in Double(Int.random(in: 0..<20, using: &random)) }
    let y = (0..<count).map { _ in Double(Int.random(in: 0..<20, using: &random)) }
    var (excess, untiedX, untiedY) = (0.0, 0.0, 0.0)
    for i in 0..<count {
      for j in 0..<i {
        let (a, b) = (x[i] - x[j], y[i] - y[j])
        excess += a * b > 0 ? 1 : a * b < 0 ? -1 : 0
        untiedX += a != 0 ? 1 : 0
        untiedY += b != 0 ? 1 : 0
      }
    }
    let scale = untiedX.squareRoot() * untiedY.squareRoot()
    #expect(abs(RankStatistics.kendall(x, y) - (scale > 0 ? excess / scale : 0)) < 1e-12)
  }

  @Test func errors() {
    let statistics = ErrorStatistics([102, 90, 100, 120], [100, 100, 100, 100])
    #expect(abs(statistics.mean - 0.08) < 1e-12)
    #expect(abs(statistics.median - 0.06) < 1e-12)
    #expect(abs(statistics.bias - 0.03) < 1e-12)
    #expect(statistics.within10 == 0.75)
    #expect(statistics.within5 == 0.5)
    #expect(statistics.largest == 0.2)
    #expect(abs(statistics.p95 - 0.185) < 1e-12)
    #expect(ErrorStatistics([], []).median.isNaN)
  }

  @Test func digests() {
    #expect(
      SHA256.hex("abc".utf8) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      SHA256.hex("".utf8) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    // Lengths around a block's end: 55, 56 and 64 bytes.
    #expect(SHA256.hex([UInt8](repeating: 97, count: 56)).hasPrefix("b35439a4ac6f0948"))
  }
}

private struct SystemLike: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}
