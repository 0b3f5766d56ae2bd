import Architectures
import ArgumentParser
import Devices
import Foundation
import Searchers
import Store

struct SearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Find the most accurate architecture inside a latency budget, export and measure it.",
    discussion: """
      The budget is a hard limit. The best architecture is exported and measured on the device; if \
      it breaks the budget, the next best is tried, with predictions corrected by what was measured. \
      A search that is stopped (Ctrl-C, a kill) goes on with 'swiftlet study resume ID' to the result \
      it would have had.
      """)
  @Option(help: "Name of a space, or path of a space file.") var space: String
  @Option(help: "Device, as added with 'swiftlet device add', or the name in the table.")
  var device: String
  @Option(help: "Limit on the latency, with its unit: 25ms.") var latencyBudget: String
  @Option(
    name: [.long, .customLong("table")],
    help: ArgumentHelp(
      "Lookup table, kernel predictor or few-shot model.",
      discussion: """
        By default the few-shot predictor where the device has 10 samples of the space, else the \
        device's own table, else the one that came along.
        """))
  var latencyPredictor: String?
  @Option(
    help: ArgumentHelp(
      "Probability with which the measured latency keeps the budget, such as 0.95.",
      discussion: "Needs samples of the space on the device, 10 or more."))
  var confidence: Double?
  @Option(
    help: ArgumentHelp(
      "Accuracy predictor, of the space or of any networks.",
      discussion: """
        By default the space's that came along, else a model that ranks networks of any space.
        """))
  var accuracyPredictor: String?
  @Option(help: "Supernet whose weights the network gets; by default the space's that came along.")
  var checkpoint: String?
  @Option(
    help: "Folder of the images it was trained on: for the network's statistics and test accuracy.")
  var data: String?
  @Option(help: "Searcher: \(SearcherRegistry.standard.names.joined(separator: ", ")).")
  var searcher = "evolution"
  @Option(help: "Options of the searcher as JSON, such as '{\"generations\": 100}'.")
  var options = "{}"
  @Option(help: "Seed of the search.") var seed: UInt64 = 0
  @Option(help: "Limit on multiply-accumulates: 300M.") var maxMacs: String?
  @Option(help: "Limit on parameters: 5M.") var maxParameters: String?
  @Option(help: "Limit on the bytes of the weights: 20M.") var maxWeightBytes: String?
  @Option(help: "Limit on the bytes of all activations: 40M.") var maxActivationBytes: String?
  @Option(help: "Input resolution: 176, or a range 160..192.") var resolution: String?
  @Option(name: .shortAndLong, help: "Folder for network, front and report.") var output: String?
  @Flag(help: "Predict only; export the winner without measuring it.") var noMeasure = false
  @OptionGroup var common: CommonOptions

  func run() throws {
    let budget = try Quantity.milliseconds(latencyBudget)
    let space = try SpaceCatalog.standard.space(space)
    let store = try Store()
    let isMeasurable = !noMeasure
    if isMeasurable { _ = try store.device(named: device) }
    if let confidence, !(confidence >= 0.5 && confidence < 1) {
      throw Failure(.usage, "--confidence \(confidence): from 0.5 to below 1, such as 0.95")
    }
    let latency = try LatencyChoice(
      named: latencyPredictor, space: space, device: device, confidence: confidence,
      measures: isMeasurable, store: store, quiet: common.quiet)
    let accuracy =
      try accuracyPredictor.map { (path: $0, isOwn: true) }
      ?? BundledFiles.accuracyPredictor(space)
    var spec = SearchSpec(
      space: self.space, device: device, latencyBudget: budget, latencyFile: latency.file,
      accuracyPredictor: accuracy.path)
    spec.samples = latency.samples
    spec.checkpoint = try checkpoint ?? BundledFiles.supernet(space)
    spec.data = data
    spec.confidence = confidence
    for note in latency.notes { Terminal.note("note: \(note)", quiet: common.quiet) }
    Terminal.note("latency by \(spec.latencySource)", quiet: common.quiet)
    if !accuracy.isOwn {
      Terminal.note(
        "note: no accuracies of \(space.name) came along; its networks are ranked by a model of any "
          + "network", quiet: common.quiet)
    }
    if accuracy.isOwn, accuracyPredictor == nil, let checkpoint,
      try checkpoint != BundledFiles.supernet(space)
    {
      Terminal.note(
        "note: accuracies are predicted for the supernet that came along or was published, not for "
          + "\(checkpoint); --accuracy-predictor takes one of its own", quiet: common.quiet)
    }
    spec.searcher = searcher
    spec.searcherOptions = options
    spec.seed = seed
    spec.maxMacs = try maxMacs.map { try Quantity.count($0, "--max-macs") }
    spec.maxParameters = try maxParameters.map { try Quantity.count($0, "--max-parameters") }
    spec.maxWeightBytes = try maxWeightBytes.map { try Quantity.count($0, "--max-weight-bytes") }
    spec.maxActivationBytes = try maxActivationBytes.map {
      try Quantity.count($0, "--max-activation-bytes")
    }
    if let resolution {
      (spec.minResolution, spec.maxResolution) = try Quantity.range(resolution)
    }
    spec.measures = isMeasurable
    spec.output = output
    spec.digests = try spec.currentDigests()
    let study = Study(
      id: StudyName.make(), space: space.name, device: device, searcher: searcher, seed: seed,
      options: String(decoding: try JSONEncoder().encode(spec), as: UTF8.self))
    let session = try SearchSession(spec)
    if let mismatch = session.accuracy.mismatch {
      Terminal.note("note: \(mismatch); accuracies are extrapolated", quiet: common.quiet)
    }
    let run = try session.start(latencyLimit: budget)
    try store.addStudy(study)
    try StudyRunner(study: study.id, session: session, store: store, common: common).finish(run)
  }
}

/// Names of studies: readable, sortable by date, different for two at a time.
enum StudyName {
  static func make() -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.dateFormat = "yyyyMMdd-HHmmss"
    return
      "\(formatter.string(from: Date()))-\(String(UInt16.random(in: 0...UInt16.max), radix: 16))"
  }
}
