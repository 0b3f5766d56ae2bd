import Architectures
import Devices
import Foundation
import Store

/// Finds tables and predictors that a search was not told about.
enum BundledFiles {
  /// The lookup table for a space on a device: one built here, else the one that came with the
  /// command, which was measured on another machine.
  static func table(space: String, device: String) throws -> (path: String, isOwn: Bool) {
    let own = tablePath(space: space, device: device)
    if FileManager.default.fileExists(atPath: own) { return (own, true) }
    if let folder = SpaceCatalog.bundledFolder("datasets") {
      let bundled = "\(folder)/\(space)-table.json"
      if FileManager.default.fileExists(atPath: bundled) { return (bundled, false) }
    }
    throw Failure(
      .unavailable,
      "no lookup table of \(space) for '\(device)'; measure one with: "
        + "swiftlet table build --space \(space) --device \(device)")
  }

  /// What to say of a device's own table where later samples are of another runtime or processor:
  /// the folder may have moved to another machine.
  static func doubt(ofTable path: String, device: String, _ store: Store) throws -> String? {
    let made = try LookupTable(path: path).provenance
    let measured = Circumstances(runtime: made.runtime, cpu: made.cpu)
    let later = try store.samples(device: device)
      .filter { ($0.date ?? "") > (made.date ?? "") }
      .max { ($0.date ?? "") < ($1.date ?? "") }
      .map { Circumstances(runtime: $0.runtime, cpu: $0.cpu) }
    guard let later, !measured.agrees(with: later) else { return nil }
    return "\(path) was measured otherwise (\(measured)) than the latest samples of '\(device)' "
      + "(\(later)); measure it anew with: swiftlet table build --again"
  }

  /// Where `table build` puts a table.
  static func tablePath(space: String, device: String) -> String {
    ".swiftlet/tables/\(device)/\(space).json"
  }

  /// The accuracy predictor that came with the command: the space's own, else the model that ranks
  /// networks of any space.
  static func accuracyPredictor(_ space: SearchSpace) throws -> (path: String, isOwn: Bool) {
    if let folder = SpaceCatalog.bundledFolder("checkpoints"), try knows(space) {
      let path = "\(folder)/\(space.name)-accuracy.safetensors"
      if FileManager.default.fileExists(atPath: path) { return (path, true) }
    }
    return (try networkRanking(), false)
  }

  /// The model that ranks networks of any space.
  static func networkRanking() throws -> String {
    if let folder = SpaceCatalog.bundledFolder("checkpoints") {
      let path = "\(folder)/networks-ranking.safetensors"
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    throw Failure(
      .unavailable,
      "no accuracy predictor came with the command; train one with 'swiftlet predictor train' and "
        + "name it with --accuracy-predictor")
  }

  /// The supernet that came with the command, if there is one for the space.
  static func supernet(_ space: SearchSpace) throws -> String? {
    guard let folder = SpaceCatalog.bundledFolder("checkpoints") else { return nil }
    let path = "\(folder)/\(space.name).safetensors"
    return try FileManager.default.fileExists(atPath: path) && knows(space) ? path : nil
  }

  /// Whether a space is the one that came along under its name, and not another of the same name.
  static func knows(_ space: SearchSpace) throws -> Bool {
    guard let folder = SpaceCatalog.bundledFolder("searchspaces"),
      let own = try? SpaceCatalog(folders: [folder]).space(space.name)
    else { return false }
    return try own.fingerprint() == space.fingerprint()
  }
}
