import Architectures
import Foundation

@testable import Predictors

/// The spaces of the repository; tests run in its root.
let catalog = SpaceCatalog(folders: ["searchspaces"])

/// Published data for scoring, when it is there (`SWIFTLET_DATA`); it is not in the repository.
let publishedData: String? = {
  let path = ProcessInfo.processInfo.environment["SWIFTLET_DATA"] ?? "../shared/data"
  return FileManager.default.fileExists(atPath: path) ? path : nil
}()

/// A file among the published tables.
func table(_ name: String) -> String { "\(publishedData ?? "")/lut/\(name)" }

/// Rows of a simple CSV file without quoted fields, by column name.
func rows(_ file: String) throws -> [[String: String]] {
  let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
  let header = lines[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  return lines.dropFirst().map { line in
    let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    return Dictionary(uniqueKeysWithValues: zip(header, fields))
  }
}

/// Random genotypes of a space, canonical.
func genotypes(_ count: Int, of space: SearchSpace, seed: UInt64 = 1) -> [Genotype] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in space.canonical(space.sample(using: &generator)) }
}
