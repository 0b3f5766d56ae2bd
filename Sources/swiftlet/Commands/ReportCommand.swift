import Architectures
import ArgumentParser
import Foundation
import Searchers
import Store

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write a search as one self-contained HTML file.")
  @Argument(help: "The study's id.") var study: String
  @Option(name: .shortAndLong, help: "File to write.") var output: String
  @OptionGroup var common: CommonOptions

  func run() throws {
    let store = try Store()
    let study = try store.study(study)
    let (session, run) = try StudyRunner.open(study, goesOn: false)
    guard let run, run.best != nil else {
      throw Failure(.input, "study \(study.id) has found nothing yet; resume it first")
    }
    let trials = try store.trials(of: study.id).map {
      try BudgetKeeper.Trial(stored: $0, session: session)
    }
    let inside = trials.filter { $0.measured.latencyMedian.value <= session.spec.latencyBudget }
    let result = try SearchResult(
      study: study.id, session: session, run: run,
      winner: inside.max { $0.found.score < $1.found.score }, trials: trials, seconds: 0)
    try OutputFile.write(try result.html(), to: output)
    if common.json {
      try Output.json("report", ["study": .string(study.id), "file": .string(output)])
    } else {
      Output.line("\(output): study \(study.id)")
    }
  }
}

extension BudgetKeeper.Trial {
  /// A trial as the store keeps it.
  fileprivate init(stored trial: Trial, session: SearchSession) throws {
    struct Result: Decodable {
      var latencyMs: Double
      var measuredLatencyMs: Double
      var accuracy: Double?
      var rank: Double?
    }
    guard let result = try? JSONDecoder().decode(Result.self, from: Data(trial.result.utf8)),
      let score = result.accuracy ?? result.rank
    else {
      throw Failure(.input, "trial \(trial.number) can't be read by this version")
    }
    self.init(
      found: Evaluated(
        genotype: try session.space.genotype(id: trial.architecture), score: score,
        costs: [result.latencyMs]),
      measured: Sample(
        id: trial.architecture, space: session.space.name, device: session.spec.device,
        latencyMedian: Milliseconds(result.measuredLatencyMs)))
  }
}
