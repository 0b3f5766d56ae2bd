import ArgumentParser
import Foundation

/// The command: parses arguments, wires the libraries together, prints.
@main
struct Swiftlet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "swiftlet",
    abstract: "Finds neural networks that fit a device, with measured latency.",
    version: "0.1.0",
    subcommands: [
      SpaceCommand.self, DescribeCommand.self, DeviceCommand.self, MeasureCommand.self,
      SamplesCommand.self, TableCommand.self, KernelsCommand.self, PredictorCommand.self,
      PredictCommand.self, SearchCommand.self, SupernetCommand.self, StudyCommand.self,
      ReportCommand.self,
      ExportCommand.self, BenchCommand.self, DoctorCommand.self,
    ])

  static func main() {
    // A closed pipe and a full disk are errors to report, not deaths to die.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      if let status = Failure.exitCode(of: error) {
        Terminal.error("error: \(Failure.message(of: error))")
        Foundation.exit(status)
      }
      exit(withError: error)
    }
  }
}
