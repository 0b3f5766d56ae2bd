import Architectures
import Testing

@testable import Devices

@Suite struct MeasurementStatisticsTests {
  let settings = MeasurementSettings()

  @Test func quantiles() {
    #expect(MeasurementStatistics.quantile(0.5, of: [3]) == 3)
    #expect(MeasurementStatistics.quantile(0.5, of: [1, 2]) == 1.5)
    #expect(MeasurementStatistics.quantile(0.1, of: [0, 10, 20, 30, 40]) == 4)
    #expect(MeasurementStatistics.quantile(1, of: [1, 5]) == 5)
    #expect(MeasurementStatistics.median([5, 1, 3]) == 3)
  }

  @Test func equalRoundsAreStable() {
    let statistics = MeasurementStatistics(
      Array(repeating: MeasurementRound(times: [10, 11, 12]), count: 6), settings: settings)
    #expect(statistics.isStable)
    #expect(statistics.latencyMedian.value == 11)
    #expect(statistics.latencyP10.value == 10)
    #expect(statistics.latencyP90.value == 12)
    #expect(statistics.repeats == 18)
    #expect(statistics.error == 0)
  }

  @Test func fewOrScatteredRoundsAreNot() {
    let few = MeasurementStatistics(
      Array(repeating: MeasurementRound(times: [10]), count: 5), settings: settings)
    #expect(!few.isStable)
    let scattered = MeasurementStatistics(
      [10.0, 13, 9, 14, 12, 8].map { MeasurementRound(times: [$0]) }, settings: settings)
    #expect(!scattered.isStable)
    #expect(scattered.error > 0.05)
  }

  @Test func aBurstDoesNotMoveTheMedian() {
    let statistics = MeasurementStatistics(
      [10.0, 10.01, 20, 10.02, 10.01, 10, 35, 10.01].map { MeasurementRound(times: [$0]) },
      settings: settings)
    #expect(statistics.isStable)
    #expect(abs(statistics.latencyMedian.value - 10.01) < 0.01)
  }

  @Test func slowTimesAreScaledBack() throws {
    var settings = settings
    settings.referenceShare = 1
    let rounds = [1, 1.1, 1.2, 1.1, 1, 1.3].map {
      MeasurementRound(times: [10 * $0, 10 * $0], slowdown: $0)
    }
    let statistics = MeasurementStatistics(rounds, settings: settings)
    #expect(statistics.isStable)
    #expect(abs(statistics.latencyMedian.value - 10) < 1e-9)
    #expect(abs(try #require(statistics.slowdown) - 1.1) < 1e-9)
    settings.referenceShare = 0
    let raw = MeasurementStatistics(rounds, settings: settings)
    #expect(abs(raw.latencyMedian.value - 11) < 1e-9)
    #expect(!raw.isStable)
  }

  @Test func settingsOutOfRangeAreNamed() throws {
    try settings.validate()
    var wrong = settings
    wrong.tolerance = 0
    let error = #expect(throws: DevicesError.self) { try wrong.validate() }
    #expect(error?.message.contains("'tolerance' is 0.0") == true)
    #expect(error?.exitCode == 64)
  }
}
