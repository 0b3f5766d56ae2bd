import Architectures
import ArgumentParser
import Devices
import Foundation
import Predictors
import Store

struct TableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table", abstract: "Lookup tables: build one by measuring, import published ones.",
    subcommands: [Build.self, Calibrate.self, Import.self])

  struct Build: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Measure each distinct block of a space on a device.",
      discussion: """
        Each block is kept as it is measured: run the same command again to go on. A finished table \
        of the device is left as it is unless --again.
        """)
    @Option(help: "Name of a space, or path of a space file.") var space: String
    @Option(help: "Device, as added with 'swiftlet device add'.") var device: String
    @Option(
      name: .shortAndLong,
      help: "File to write (JSON); .swiftlet/tables/DEVICE/SPACE.json when left out.")
    var output: String?
    @Flag(help: "Measure also what a finished table has; its calibration goes.") var again = false
    @OptionGroup var common: CommonOptions

    func run() throws {
      let space = try SpaceCatalog.standard.space(space)
      let output = output ?? BundledFiles.tablePath(space: space.name, device: device)
      let store = try Store()
      let device = try store.device(named: device)
      try OutputFile.makeFolder(of: output)
      let export = try NetworkExport(batch: device.batch)
      let blocks = try space.distinctBlocks()
      let client = WorkerClient(device: device, isInterrupted: { Interrupt.isRequested })
      defer { client.close() }
      let quiet = common.quiet
      let measurer = Measurer(client: client, store: store) {
        Terminal.note("note: \($0)", quiet: quiet)
      }
      let builder = LookupTableBuilder(measurer: measurer, space: space.name, path: output)
      if !again, let table = try builder.finished(for: blocks.map(\.key)) {
        Terminal.note("note: the table is there already; --again measures it anew", quiet: quiet)
        return try report(table, output)
      }
      let earlier = try? LookupTable(path: output)
      if let earlier, !again,
        (earlier.space, earlier.provenance.device) != (space.name, device.name)
      {
        throw Failure(
          .input,
          "\(output): a table of \(earlier.space) on '\(earlier.provenance.device)'; choose "
            + "another file, or replace it with --again")
      }
      if earlier?.calibration != nil {
        Terminal.note(
          "note: \(output) was calibrated, and is not any more once it is measured anew: "
            + "swiftlet table calibrate", quiet: quiet)
      }
      var progress = Progress("measuring blocks on \(device.name)", quiet: common.quiet)
      let table = try Interrupt.guarding {
        try builder.build(
          blocks.map { entry in
            BlockToMeasure(key: entry.key) { try export.source(try entry.block.graph()) }
          }
        ) { step in
          progress.update(
            step.done, of: step.total,
            (step.isSecondTry ? "again: " : "")
              + "\(Output.milliseconds(step.entry.milliseconds.value)) ms")
        }
      }
      progress.finish()
      try report(table, output)
    }

    private func report(_ table: LookupTable, _ output: String) throws {
      if common.json {
        try Output.json(
          "table",
          [
            "file": .string(output), "space": .string(table.space), "device": .string(device),
            "entries": .integer(table.entries.count),
          ])
      } else {
        Output.line("\(table.entries.count) blocks of \(table.space) on \(device) in \(output)")
      }
    }
  }

  struct Calibrate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fit a table's sums to whole networks that were measured.",
      discussion: """
        Runtimes fuse operators and have fixed costs, so a network is not the sum of its blocks. \
        Samples are divided by seed as in 'predictor evaluate': those held out are not touched.
        """)
    @Argument(help: "The table.") var table: String
    @Option(help: "Name of a space, or path of a space file.") var space: String
    @Option(help: "Samples as CSV (see 'swiftlet samples export').") var samples: String
    @Option(help: "Device whose samples are taken, where the file has several.") var device: String?
    @Option(name: [.customShort("n"), .long], help: "How many samples to fit.") var count = 20
    @Option(help: "How many samples to leave alone.") var holdout = 0
    @Option(help: "Seed of the division.") var seed: UInt64 = 0
    @OptionGroup var common: CommonOptions

    func run() throws {
      let space = try SpaceCatalog.standard.space(space)
      let split = try SampleSplit(
        file: samples, space: space, device: device, holdout: holdout, seed: seed)
      var fitted = try LookupTable(path: table)
      let calibration = try TableCalibration.fit(fitted, space, split, count: count)
      fitted.calibration = calibration
      try fitted.write(to: table)
      if common.json {
        try Output.json(
          "calibration",
          [
            "file": .string(table), "samples": .integer(calibration.samples),
            "error": .number(calibration.error),
          ])
      } else {
        Output.line(
          "\(table): calibrated on \(calibration.samples) networks, median error left out "
            + "\(Output.percent(calibration.error)) %")
      }
    }
  }

  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read a published lookup table into the table format.")
    @Argument(help: "The published file, or a folder of them for a table in several files.")
    var path: String
    @Option(
      help: "Format: \(PublishedTable.allCases.map(\.rawValue).joined(separator: ", ")).",
      transform: { text in
        guard let format = PublishedTable(rawValue: text) else {
          throw ValidationError(
            "format is one of \(PublishedTable.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return format
      })
    var format: PublishedTable
    @Option(help: "Space whose blocks the table prices.") var space: String
    @Option(help: "Name of the device that was measured.") var device: String
    @Option(name: .shortAndLong, help: "File to write (JSON).") var output: String
    @OptionGroup var common: CommonOptions

    func run() throws {
      let space = try SpaceCatalog.standard.space(space)
      let table = try format.read(path: path, space: space.name, device: device)
      try check(table, space)
      try OutputFile.makeFolder(of: output)
      try table.write(to: output)
      if common.json {
        try Output.json(
          "table",
          [
            "file": .string(output), "space": .string(space.name), "device": .string(device),
            "entries": .integer(table.entries.count),
          ])
      } else {
        Output.line("\(table.entries.count) entries in \(output)")
      }
    }

    /// - Throws: `Failure` for a table of another format, or of none of the space's blocks.
    private func check(_ table: LookupTable, _ space: SearchSpace) throws {
      let found = BlockKeyFormat(of: table)
      guard found.rawValue == format.rawValue else {
        throw Failure(
          .input,
          "\(path): its keys, such as '\(table.entries.keys.min() ?? "")', are "
            + (found == .text ? "of no format known" : "those of --format \(found.rawValue)"))
      }
      let (priced, missing) = try LookupTablePredictor.coverage(of: space, by: table)
      guard let first = missing.first else { return }
      let total = priced + missing.count
      guard priced > 0 else {
        throw Failure(
          .input,
          "\(path): none of the \(total) blocks of \(space.name) is there, such as '\(first)'; it has "
            + "'\(table.entries.keys.min() ?? "")'; choose the --space it was measured for")
      }
      let few = missing.prefix(3).joined(separator: "', '")
      Terminal.note(
        "note: the table lacks \(missing.count) of \(total) blocks of \(space.name), such as '\(few)'; "
          + "it predicts only at resolutions with all of them", quiet: common.quiet)
    }
  }
}
