import Architectures
import Devices
import Foundation
import Searchers
import Store

/// Keeps the budget a hard limit on the device: exports the best architecture, measures it, and
/// while it breaks the budget or leaves room, corrects the prediction by what was measured and
/// searches again. The winner is the best architecture that was measured inside the budget.
struct BudgetKeeper {
  /// An architecture that was measured.
  struct Trial {
    var found: Evaluated
    var measured: Sample
  }

  /// A winner this close to the budget, as a share of it, leaves no room worth searching for.
  static let room = 0.03
  static let rounds = 8

  let session: SearchSession
  /// Measures an architecture; `again` also where the store knows it.
  let measure: (_ genotype: Genotype, _ again: Bool) throws -> Sample
  let note: (String) -> Void

  /// - Parameter first: the finished run under the uncorrected budget.
  /// - Returns: the run the winner came from, the winner if any kept the budget, all trials.
  func keep(first: SearchRun) throws -> (run: SearchRun, winner: Trial?, trials: [Trial]) {
    let budget = session.spec.latencyBudget
    var run = first
    var trials: [Trial] = []
    var winner: (trial: Trial, run: SearchRun)?
    var correction = 1.0
    var ratios: [Double] = []
    var triesFastest = false
    while trials.count < Self.rounds,
      let candidate = candidate(of: run, trials, fastest: triesFastest)
    {
      var sample = try measure(candidate.genotype, false)
      if sample.latencyMedian.value <= budget {
        // The best of several measurements is too good to be true; the slower of two counts.
        let second = try measure(candidate.genotype, true)
        if second.latencyMedian > sample.latencyMedian { sample = second }
      }
      let trial = Trial(found: candidate, measured: sample)
      trials.append(trial)
      let measured = sample.latencyMedian.value
      if measured <= budget, winner.map({ $0.trial.found.score < candidate.score }) ?? true {
        winner = (trial, run)
      }
      if measured <= budget, measured >= (1 - Self.room) * budget { break }
      // What is slower won't keep it either.
      if triesFastest { break }
      // Asked for confidence, room is what the budget was kept by.
      if measured <= budget, session.spec.confidence != nil { break }
      ratios.append(measured / candidate.costs[0])
      // The median, so that one measurement beside a busy neighbour does not throw the search off.
      var next = ratios.sorted()[ratios.count / 2]
      // The best inside a limit lie at the limit, where half of them break it by a little: while
      // none has kept it, each miss asks for twice the distance, 0.5 % after the first.
      if winner == nil { next *= 1 + 0.005 * pow(2, Double(trials.count - 1)) }
      if measured <= budget, next > correction * (1 - Self.room) { break }
      guard trials.count < Self.rounds, abs(next / correction - 1) > Self.room / 3 else { continue }
      note(
        String(
          format:
            "measured %.3f ms where %.3f ms was predicted; searching again with predictions x %.3f",
          measured, candidate.costs[0], next))
      correction = next
      do {
        var again = try session.start(latencyLimit: budget / correction)
        if case .stopped = try again.run(shouldStop: { Interrupt.isRequested }) { break }
        run = again
      } catch let error as SearchersError where error.code == .infeasible {
        // Perhaps nothing keeps the budget here; the fastest there is will tell, once.
        guard let fastest = error.nearest?[0], fastest > budget / correction else { break }
        do {
          var again = try session.start(latencyLimit: fastest)
          if case .stopped = try again.run(shouldStop: { Interrupt.isRequested }) { break }
          run = again
          correction = budget / fastest
        } catch let error as SearchersError where error.code == .infeasible {
          // That one breaks another limit; the fastest of the last front keeps them all.
          triesFastest = true
        }
      }
    }
    return (winner?.run ?? run, winner?.trial, trials)
  }

  /// The best of the run, which keeps its limit, that was not measured yet; or the fastest.
  private func candidate(
    of run: SearchRun, _ trials: [Trial], fastest: Bool
  ) -> Evaluated? {
    let untried = run.front.filter { entry in
      !trials.contains { $0.found.genotype == entry.genotype }
    }
    if fastest { return untried.min { $0.costs[0] < $1.costs[0] } }
    return untried.max { ($0.score, -$0.costs[0]) < ($1.score, -$1.costs[0]) }
  }
}
