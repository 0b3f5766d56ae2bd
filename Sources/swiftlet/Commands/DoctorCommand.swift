import Architectures
import ArgumentParser
import Devices
import Foundation
import Store

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Check that everything a search needs is there.")
  @OptionGroup var common: CommonOptions

  private struct Check {
    var name: String
    var isGood: Bool
    var detail: String
  }

  func run() throws {
    let checks = [
      check("search spaces") {
        let catalog = SpaceCatalog.standard
        let spaces = try catalog.names.map { try catalog.space($0).name }
        guard !spaces.isEmpty else { throw Failure(.unavailable, "no space file found") }
        return "\(spaces.count): \(spaces.joined(separator: ", "))"
      },
      check("store") {
        let store = try Store()
        return
          "\(store.path): \(try store.devices().count) devices, \(try store.samples().count) samples"
      },
      check("worker") {
        let device = Device(name: "doctor", worker: try BundledWorker.command())
        let client = WorkerClient(device: device)
        defer { client.close() }
        return "\(try client.start())"
      },
      check("accuracy predictor") {
        try BundledFiles.accuracyPredictor(SpaceCatalog.standard.space("ofa-mobilenetv3")).path
      },
      check("lookup table") { try BundledFiles.table(space: "ofa-mobilenetv3", device: "-").path },
    ]
    if common.json {
      try Output.json(
        "doctor",
        [
          "checks": .array(
            checks.map {
              ["name": .string($0.name), "ok": .bool($0.isGood), "detail": .string($0.detail)]
            })
        ])
    } else {
      Output.table(
        ["check", "ok", "detail"], checks.map { [$0.name, $0.isGood ? "yes" : "NO", $0.detail] })
    }
    guard checks.allSatisfy(\.isGood) else {
      throw Failure(.unavailable, "\(checks.count { !$0.isGood }) of \(checks.count) checks failed")
    }
  }

  private func check(_ name: String, _ body: () throws -> String) -> Check {
    do { return Check(name: name, isGood: true, detail: try body()) } catch {
      return Check(name: name, isGood: false, detail: Failure.message(of: error))
    }
  }
}
