import Architectures
import Devices
import Foundation
import ONNXFormat
import Searchers
import Store

/// Takes a search from where it is to its end: runs it with checkpoints, keeps the budget on the
/// device, writes the results.
struct StudyRunner {
  let study: String
  let session: SearchSession
  let store: Store
  let common: CommonOptions

  /// The search that a study describes, and its run as far as it was saved.
  /// - Parameter goesOn: whether it is to go on: what decides its result must be what it was.
  static func open(_ study: Study, goesOn: Bool) throws -> (session: SearchSession, run: SearchRun?)
  {
    let spec: SearchSpec
    do {
      spec = try JSONDecoder().decode(SearchSpec.self, from: Data(study.options.utf8))
    } catch {
      throw Failure(.input, "study \(study.id): its options can't be read by this version")
    }
    if goesOn { try spec.checkUnchanged() }
    let session = try SearchSession(spec)
    let run = try study.state.map { state in
      // The run that the winner came from may have had a corrected limit.
      let limit = try SearchRun.saved(in: state).limits.first ?? nil
      return try SearchRun(
        checkpoint: state, try session.problem(latencyLimit: limit ?? spec.latencyBudget))
    }
    return (session, run)
  }

  func finish(_ start: SearchRun) throws {
    Terminal.note("study \(study)", quiet: common.quiet)
    let began = ContinuousClock.now
    var run = start
    var searchSeconds = 0.0
    let kept: (run: SearchRun, winner: BudgetKeeper.Trial?, trials: [BudgetKeeper.Trial])
    do {
      // Noticed now, not after everything was measured.
      if let output = session.spec.output { try OutputFile.makeFolder(of: "\(output)/result.json") }
      kept = try Interrupt.guarding(resume: "go on with: swiftlet study resume \(study)") {
        try search(&run)
        searchSeconds = (ContinuousClock.now - began).seconds
        try store.checkpoint(study: study, state: try run.checkpoint(), status: .running)
        return try session.spec.measures ? keepBudget(run) : (run: run, winner: nil, trials: [])
      }
    } catch let error as SearchersError where error.code == .infeasible {
      try store.checkpoint(study: study, state: nil, status: .failed)
      throw error
    } catch {
      // A device that fell silent, a signal: the search is kept, and goes on from here.
      try store.checkpoint(study: study, state: try run.checkpoint(), status: .stopped)
      throw error
    }
    try store.checkpoint(
      study: study, state: try kept.run.checkpoint(), status: .finished,
      trials: try trials(kept.trials))
    let result = try SearchResult(
      study: study, session: session, run: kept.run, winner: kept.winner, trials: kept.trials,
      seconds: searchSeconds)
    if common.json {
      try result.printJSON()
    } else {
      try result.printText()
      if let best = result.best, session.accuracy.isAccuracy,
        try session.accuracy.isExtrapolated(best.genotype)
      {
        Terminal.note(
          "note: the best network's accuracy is extrapolated from what the predictor learned",
          quiet: common.quiet)
      }
    }
    try result.write()
    if session.spec.measures, kept.winner == nil {
      throw Failure(
        .failed,
        String(
          format:
            "no architecture kept the budget of %g ms on '%@' in %d measurements; the nearest "
            + "took %.3f ms", session.spec.latencyBudget, session.spec.device, kept.trials.count,
          kept.trials.map(\.measured.latencyMedian.value).min() ?? .nan))
    }
  }

  /// Runs to the end; the state is saved every second and when the user stops the search.
  private func search(_ run: inout SearchRun) throws {
    var progress = Progress("searching", quiet: common.quiet)
    var saved = ContinuousClock.now
    let outcome = try run.run(
      shouldStop: { Interrupt.isRequested },
      onStep: { run in
        if let best = run.best {
          progress.update(
            run.searcher.step, of: run.searcher.steps,
            String(format: "%.2f %% at %.3f ms", best.score * 100, best.costs[0]))
        }
        if ContinuousClock.now - saved > .seconds(1) {
          try store.checkpoint(study: study, state: try run.checkpoint(), status: .running)
          saved = ContinuousClock.now
        }
      })
    progress.finish()
    if case .stopped = outcome {
      try store.checkpoint(study: study, state: try run.checkpoint(), status: .stopped)
      throw Failure(.interrupted, "stopped")
    }
  }

  private func keepBudget(_ run: SearchRun) throws
    -> (run: SearchRun, winner: BudgetKeeper.Trial?, trials: [BudgetKeeper.Trial])
  {
    let device = try store.device(named: session.spec.device)
    let export = try NetworkExport(batch: device.batch)
    let client = WorkerClient(device: device, isInterrupted: { Interrupt.isRequested })
    defer { client.close() }
    let quiet = common.quiet
    let measurer = Measurer(client: client) { Terminal.note("note: \($0)", quiet: quiet) }
    let collector = SampleCollector(store: store, measurer: measurer)
    let keeper = BudgetKeeper(
      session: session,
      measure: { genotype, again in
        let graph = try session.space.graph(genotype)
        let id = session.space.id(genotype)
        let network = NetworkToMeasure(id: id, space: session.space.name, digest: graph.digest) {
          try export.source(graph)
        }
        return try collector.sample(of: network, again: again)
      },
      note: { Terminal.note($0, quiet: common.quiet) })
    return try keeper.keep(first: run)
  }

  private func trials(_ trials: [BudgetKeeper.Trial]) throws -> [Trial] {
    let score = session.accuracy.isAccuracy ? "accuracy" : "rank"
    return try trials.enumerated().map { number, trial in
      Trial(
        number: number + 1, architecture: trial.measured.id,
        result: String(
          format: "{\"latencyMs\":%.6f,\"measuredLatencyMs\":%.6f,\"\(score)\":%.6f}",
          try session.expectedLatency(trial.found), trial.measured.latencyMedian.value,
          trial.found.score))
    }
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
