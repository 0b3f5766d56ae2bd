import Foundation
internal import Tensors

/// The file of a predictor: tensors, and metadata that say what it is.
struct PredictorFile {
  let path: String
  let content: SafeTensors

  /// - Throws: `badPredictor` naming the file.
  init(contentsOf path: String) throws {
    do {
      content = try SafeTensors(contentsOf: path)
    } catch let error as TensorError {
      throw PredictorsError(.badPredictor, error.message)
    }
    self.path = path
  }

  /// - Parameter what: what the file is meant to be, such as `kernel predictor`.
  /// - Throws: `badPredictor` also for a file of another format or of another version of it.
  init(contentsOf path: String, format: String, what: String) throws {
    try self.init(contentsOf: path)
    try check(format: format, what: what)
  }

  /// - Throws: `badPredictor` for a file of another format or of another version of it.
  func check(format: String, what: String) throws {
    guard content.metadata["format"] == format else { throw failure("no \(what)") }
    guard content.metadata["version"] == "1" else {
      throw failure(
        "a \(what) of format \(content.metadata["version"] ?? "unknown"); this Swiftlet reads "
          + "format 1")
    }
  }

  /// What is wrong with the file.
  func failure(_ what: String) -> PredictorsError {
    PredictorsError(.badPredictor, "\(path): \(what)")
  }

  /// What the metadata hold under a key, as JSON.
  func decode<Value: Decodable>(_ key: String) throws -> Value {
    do {
      return try JSONDecoder().decode(Value.self, from: Data((content.metadata[key] ?? "").utf8))
    } catch {
      throw failure("its \(key) can't be read; it was written by another version, or is damaged")
    }
  }

  /// JSON for the metadata; equal values give equal bytes.
  static func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self)
    } catch {
      throw PredictorsError(.failed, "the predictor can't be written as JSON: \(error)")
    }
  }

  /// Writes a file of format 1.
  /// - Throws: `failed` naming the file.
  static func write(
    _ content: SafeTensors, format: String, to path: String
  ) throws {
    var content = content
    content.metadata["format"] = format
    content.metadata["version"] = "1"
    do {
      try content.write(to: path)
    } catch let error as TensorError {
      throw PredictorsError(.failed, error.message)
    }
  }
}
