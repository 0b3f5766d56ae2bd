import Architectures
import ArgumentParser
import Foundation
import Searchers
import Store

struct StudyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "study", abstract: "Searches of the store: list, show, resume.",
    subcommands: [List.self, Show.self, Resume.self])

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List all searches.")
    @OptionGroup var common: CommonOptions

    func run() throws {
      let studies = try Store().studies()
      if common.json {
        try Output.json("studies", ["studies": .array(studies.map { .object($0.summary) })])
      } else {
        Output.table(
          ["study", "status", "space", "device", "searcher", "seed", "updated"],
          studies.map {
            [$0.id, $0.status.rawValue, $0.space, $0.device, $0.searcher, "\($0.seed)", $0.updated]
          })
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show a search and what it measured.")
    @Argument(help: "The study's id.") var study: String
    @OptionGroup var common: CommonOptions

    func run() throws {
      let store = try Store()
      let study = try store.study(study)
      let trials = try store.trials(of: study.id)
      if common.json {
        var body = study.summary
        let saved = try study.state.map { try SearchRun.saved(in: $0).steps } ?? 0
        body["steps"] = .integer(saved)
        body["options"] = .string(study.options)
        body["trials"] = .array(
          trials.map { trial in
            [
              "number": .integer(trial.number), "id": .string(trial.architecture),
              "result": .string(trial.result),
            ]
          })
        try Output.json("study", body)
      } else {
        Output.line("study \(study.id), \(study.status.rawValue)")
        Output.line("options: \(study.options)")
        Output.table(
          ["trial", "architecture", "result"],
          trials.map { ["\($0.number)", $0.architecture, $0.result] })
      }
    }
  }

  struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Go on with a search that was stopped.",
      discussion: "The result is the one that the search would have had without the stop.")
    @Argument(help: "The study's id.") var study: String
    @OptionGroup var common: CommonOptions

    func run() throws {
      let store = try Store()
      let study = try store.study(study)
      let (session, stored) = try StudyRunner.open(study, goesOn: true)
      // The state of a search that has ended is that of its last run, under a corrected limit.
      let goesOn = study.status == .finished ? nil : stored
      let run = try goesOn ?? session.start(latencyLimit: session.spec.latencyBudget)
      try StudyRunner(study: study.id, session: session, store: store, common: common).finish(run)
    }
  }
}

extension Study {
  fileprivate var summary: [String: JSON] {
    [
      "id": .string(id), "status": .string(status.rawValue), "space": .string(space),
      "device": .string(device), "searcher": .string(searcher), "seed": .unsigned(seed),
      "created": .string(created), "updated": .string(updated),
    ]
  }
}
