import Foundation
internal import Store

/// The protocol's messages; `Docs/worker-protocol.md` is their reference.
enum WorkerMessages {
  static let version = 1

  /// Any request: what a type doesn't use stays out of the line.
  struct Request: Encodable {
    var type: String
    var request = 0
    var `protocol`: Int?
    var path: String?
    var inline: String?
    var threads: Int?
    var batch: Int?
    var precision: String?
    var optimization: String?
    var cpus: [Int]?
    var seed: Int?
    var network: Int?
    var warmUp: Int?
    var repeats: Int?
    var seconds: Double?

    init(_ type: String) { self.type = type }

    func line() throws -> [UInt8] {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return Array(try encoder.encode(self))
    }
  }

  /// Any answer.
  struct Answer: Decodable {
    var type: String
    var request: Int?
    var code: String?
    var message: String?
    var `protocol`: Int?
    var runtime: String?
    var runtimeVersion: String?
    var cpu: String?
    var cpuCount: Int?
    var capabilities: [String]?
    var network: Int?
    var inputs: [NetworkInput]?
    var cpus: [Int]?
    var times: [Double]?
    var warmUp: Int?
  }

  /// The answer in `line`.
  ///
  /// - Throws: `DevicesError.workerGarbage`.
  static func answer(_ line: [UInt8]) throws -> Answer {
    do {
      return try JSONDecoder().decode(Answer.self, from: Data(line))
    } catch {
      throw DevicesError(.workerGarbage, "answered no message of the protocol: \(excerpt(line))")
    }
  }

  /// The start of what a worker wrote, fit for an error line.
  static func excerpt(_ bytes: [UInt8]) -> String {
    "'\(oneLine(String(decoding: bytes.prefix(400), as: UTF8.self), limit: 80))'"
  }

  /// `text` of a stranger on one line, without control characters, of at most `limit` characters.
  static func oneLine(_ text: String, limit: Int = 300) -> String {
    let start = text.prefix(limit + 1).map { character in
      let scalars = character.unicodeScalars
      let isControl = scalars.contains { $0.properties.generalCategory == .control }
      return character.isNewline || isControl ? " " : character
    }
    return String(start.count > limit ? start.prefix(limit - 3) + "..." : start[...])
  }
}

/// What a worker says of itself.
public struct WorkerDescription: Equatable, Sendable {
  public var runtime: String
  public var runtimeVersion: String
  /// The processor's model name.
  public var cpu: String
  public var cpuCount: Int
  /// `path`, `inline`, `pinning`, precisions, `optimization:LEVEL`.
  public var capabilities: Set<String>
}

extension WorkerDescription: CustomStringConvertible {
  public var description: String { "\(runtime) \(runtimeVersion) on \(cpu)" }

  /// What it says of how latencies are taken.
  var circumstances: Circumstances { Circumstances(runtime: runtime, cpu: cpu) }
}

/// One input of a loaded network; the shape is the one that is measured.
public struct NetworkInput: Codable, Equatable, Sendable {
  public var name: String
  public var shape: [Int]
  public var elementType: String
}

/// A network that a worker has loaded.
public struct LoadedNetwork: Equatable, Sendable {
  var number: Int
  public var inputs: [NetworkInput]
  /// The processors it runs on; empty where the worker cannot pin.
  public var cpus: [Int]
}

/// A network to measure: a file, or the bytes of one.
public enum NetworkSource: Equatable, Sendable {
  case path(String)
  case bytes([UInt8])
}
