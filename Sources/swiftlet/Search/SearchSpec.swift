import Architectures
import Foundation
import Predictors

/// Everything that decides a search's result; kept in the study, so that a resumed search is the
/// same search.
struct SearchSpec: Codable {
  var space: String
  var device: String
  /// Milliseconds.
  var latencyBudget: Double
  /// Path of the lookup table, kernel predictor or few-shot model; empty for the few-shot model that
  /// came along.
  var latencyFile: String
  /// Samples of the device that the few-shot predictor is made from.
  var samples: [MeasuredNetwork]?
  /// The probability with which the measured latency is to keep the budget; `nil` for the mean.
  var confidence: Double?
  /// Path of the accuracy predictor.
  var accuracyPredictor: String
  /// Path of the supernet whose weights the result gets; seeded ones without it.
  var checkpoint: String?
  /// Folder of the supernet's images; for statistics and the result's own accuracy.
  var data: String?
  var searcher = "evolution"
  /// JSON object with the searcher's options.
  var searcherOptions = "{}"
  var seed: UInt64 = 0
  var maxMacs: Double?
  var maxParameters: Double?
  var maxWeightBytes: Double?
  var maxActivationBytes: Double?
  var minResolution: Double?
  var maxResolution: Double?
  /// Whether the winner is measured on the device.
  var measures = true
  /// Where the results go.
  var output: String?
  /// SHA-256 of the files that decide the result, and of what the space builds, when the search
  /// began; nil in older studies.
  var digests: [String: String]?
}

/// A network's id and its measured latency, as a search keeps them. What came from a file is there as
/// its text, since files move and change.
struct MeasuredNetwork: Codable {
  var id: String
  /// The digest of what an id of a space stood for.
  var network: String?
  var latencyMs: Double
}

extension SearchSpec {
  /// Where latencies come from, for people.
  var latencySource: String {
    guard let samples else {
      let kind = try? PredictorKind(ofFile: latencyFile)
      return [kind?.text, latencyFile].compactMap { $0 }.joined(separator: ", ")
    }
    let confidence = confidence.map { ", budget kept with probability \($0)" } ?? ""
    let model = latencyFile.isEmpty ? "" : " by \(latencyFile)"
    return "few-shot predictor from \(samples.count) samples\(model)\(confidence)"
  }
}

extension SearchSpec {
  /// What `digests` says, now.
  func currentDigests() throws -> [String: String] {
    var digests = [
      "the space \(space)": SHA256.hex(
        Array(try SpaceCatalog.standard.space(space).fingerprint().utf8))
    ]
    let usesBundledModel = samples != nil && latencyFile.isEmpty
    let latency = usesBundledModel ? try FewShotAdaptation.bundledModel() : latencyFile
    for file in [latency, accuracyPredictor, checkpoint].compactMap({ $0 }) where !file.isEmpty {
      guard let data = FileManager.default.contents(atPath: file) else {
        throw Failure(.input, "\(file): cannot be read")
      }
      digests[file] = SHA256.hex(data)
    }
    return digests
  }

  /// - Throws: a failure that names what has changed since the search began: it would go on as
  ///   another search.
  func checkUnchanged() throws {
    guard let digests else { return }
    let now = try currentDigests()
    if let changed = digests.keys.sorted().first(where: { now[$0] != digests[$0] }) {
      throw Failure(
        .input, "\(changed) has changed since the search began; begin a new one with it")
    }
  }
}

/// Quantities as users write them.
enum Quantity {
  /// `25ms`, `0.025s`, `800us` in milliseconds.
  static func milliseconds(_ text: String) throws -> Double {
    for (suffix, factor) in [("ms", 1.0), ("us", 1e-3), ("µs", 1e-3), ("s", 1e3)]
    where text.hasSuffix(suffix) {
      guard let value = Double(text.dropLast(suffix.count).trimmingCharacters(in: .whitespaces)),
        value > 0, value * factor < 1e9
      else { break }
      return value * factor
    }
    throw Failure(
      .usage,
      "latency budget '\(text)': write a number above zero with its unit, 25ms; below 1e6 s")
  }

  /// `300M`, `1.5G`, `40k` or a plain count.
  static func count(_ text: String, _ option: String) throws -> Double {
    let factors: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9]
    let factor = text.last.flatMap { factors[$0] }
    guard let value = Double(factor == nil ? text : String(text.dropLast())), value > 0,
      value * (factor ?? 1) < 1e18
    else { throw Failure(.usage, "\(option) \(text): write a count such as 300M or 5000000") }
    return value * (factor ?? 1)
  }

  /// `176` or `160..192` in pixels.
  static func range(_ text: String) throws -> (Double, Double) {
    let ends = text.components(separatedBy: "..").map { Int($0) }
    guard (1...2).contains(ends.count), let low = ends.first ?? nil, let high = ends.last ?? nil,
      low <= high, low > 0
    else { throw Failure(.usage, "--resolution \(text): write 176 or 160..192") }
    return (Double(low), Double(high))
  }
}
