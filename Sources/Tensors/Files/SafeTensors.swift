internal import Files
public import Foundation

/// A safetensors file: named tensors, whole numbers and metadata.
///
/// Format: 8 bytes with the header's length, a JSON header, then the data; see
/// https://github.com/huggingface/safetensors. Every number of the header is checked against the
/// file before it is used. F32, F16, BF16 and F64 are read as float32 tensors; I64, I32, I16, I8,
/// U8 and BOOL as whole numbers. F32 (or F16) and I64 are written.
public struct SafeTensors: Sendable {
  /// Whole numbers with a shape.
  public struct Integers: Sendable, Equatable {
    public var shape: [Int]
    public var values: [Int64]

    public init(_ values: [Int64], shape: [Int]? = nil) {
      self.values = values
      self.shape = shape ?? [values.count]
    }
  }

  public enum Precision: String, Sendable {
    case float32 = "F32"
    case float16 = "F16"
  }

  public var tensors: [String: Tensor]
  public var integers: [String: Integers]
  public var metadata: [String: String]

  public init(
    tensors: [String: Tensor] = [:], integers: [String: Integers] = [:],
    metadata: [String: String] = [:]
  ) {
    self.tensors = tensors
    self.integers = integers
    self.metadata = metadata
  }

  struct Entry: Codable {
    var dtype: String
    var shape: [Int]
    var dataOffsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case dataOffsets = "data_offsets"
    }
  }

  static let elementBytes = [
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1,
    "BOOL": 1,
  ]

  /// Reads a file.
  /// - Throws: `TensorError` with code `.file` if it can't be read, `.format` if it is malformed.
  public init(contentsOf path: String) throws {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      let isThere = FileManager.default.fileExists(atPath: path)
      throw TensorError(.file, "\(path): \(isThere ? error.localizedDescription : "no such file")")
    }
    try self.init(data: data, name: path)
  }

  /// Reads a file's bytes; `name` is used in messages.
  public init(data: Data, name: String = "safetensors") throws {
    func malformed(_ what: String) -> TensorError { TensorError(.format, "\(name): \(what)") }
    guard data.count >= 8 else { throw malformed("\(data.count) bytes are no safetensors file") }
    let length = data.prefix(8).enumerated().reduce(UInt64(0)) {
      $0 | UInt64($1.element) << (8 * UInt64($1.offset))
    }
    guard length <= 100_000_000, Int(length) <= data.count - 8 else {
      throw malformed(
        "no safetensors file, or one that was cut short: a header of \(length) bytes in a file of "
          + "\(data.count)")
    }
    let json = data.dropFirst(8).prefix(Int(length))
    let header: Header
    do {
      header = try JSONDecoder().decode(Header.self, from: Data(json))
    } catch {
      throw malformed("the header isn't the JSON it should be: \(error)")
    }
    self.init(metadata: header.metadata)
    let body = data.dropFirst(8 + Int(length))
    for (key, entry) in header.entries {
      guard let size = Self.elementBytes[entry.dtype] else {
        throw malformed("'\(key)' has the unknown type \(entry.dtype)")
      }
      var count = 1
      for extent in entry.shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard extent >= 0, !overflow, product <= data.count else {
          throw malformed("'\(key)': shape \(entry.shape) is larger than the file")
        }
        count = product
      }
      guard entry.dataOffsets.count == 2, entry.dataOffsets[0] >= 0,
        entry.dataOffsets[1] <= body.count,
        entry.dataOffsets[1] >= entry.dataOffsets[0],
        entry.dataOffsets[1] - entry.dataOffsets[0] == count * size
      else {
        throw malformed(
          "'\(key)': \(entry.dtype) \(entry.shape) at \(entry.dataOffsets) of \(body.count) bytes")
      }
      let bytes = body.dropFirst(entry.dataOffsets[0]).prefix(count * size)
      if let tensor = Tensor(littleEndian: bytes, type: entry.dtype, shape: entry.shape) {
        tensors[key] = tensor
      } else {
        integers[key] = Integers(
          Self.integers(littleEndian: bytes, type: entry.dtype), shape: entry.shape)
      }
    }
  }

  /// Writes a file: to a temporary name beside it first, then renamed, so that a reader (or a
  /// crash) never meets half a file. Equal contents give equal bytes.
  /// - Throws: `TensorError` with code `.unwritable` naming the file and the system's reason, or
  ///   `.argument` where float16 is too narrow; the file is then what it was before.
  public func write(to path: String, precision: Precision = .float32) throws {
    var entries: [(String, Entry)] = []
    var body = Data()
    func add(_ name: String, _ type: String, _ shape: [Int], _ bytes: Data) {
      entries.append(
        (
          name,
          Entry(dtype: type, shape: shape, dataOffsets: [body.count, body.count + bytes.count])
        )
      )
      body.append(bytes)
    }
    // Wide elements first keeps all of them aligned.
    for (name, numbers) in integers.sorted(by: { $0.key < $1.key }) {
      guard numbers.shape.reduce(1, *) == numbers.values.count else {
        throw TensorError(
          .argument, "'\(name)': \(numbers.values.count) values of shape \(numbers.shape)")
      }
      add(name, "I64", numbers.shape, Self.bytes(numbers.values))
    }
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      guard integers[name] == nil else {
        throw TensorError(.argument, "'\(name)' names a tensor and whole numbers")
      }
      if precision == .float16, let large = tensor.array.first(where: Self.overflowsHalf) {
        throw TensorError(
          .argument, "'\(name)': \(large) is too large for float16 (65504); write float32")
      }
      add(name, precision.rawValue, tensor.shape, tensor.littleEndian(precision))
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var json = try encoder.encode(Header(metadata: metadata, entries: entries))
    json.append(contentsOf: [UInt8](repeating: 0x20, count: (8 - json.count % 8) % 8))
    var file = Data((0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) })
    file.append(json)
    file.append(body)
    do {
      try AtomicFile.replace(path, with: file, isDurable: true)
    } catch {
      throw TensorError(.unwritable, "\(error)")
    }
  }

  /// Whether float16 makes an infinity of a number that is none.
  private static func overflowsHalf(_ value: Float) -> Bool {
    value.isFinite && value.magnitude >= 65520
  }

  /// The header: an entry for each name, and `__metadata__`.
  struct Header: Codable {
    var metadata: [String: String] = [:]
    var entries: [(String, Entry)] = []

    struct Key: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(metadata: [String: String], entries: [(String, Entry)]) {
      self.metadata = metadata
      self.entries = entries
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      for key in container.allKeys {
        if key.stringValue == "__metadata__" {
          metadata = try container.decode([String: String].self, forKey: key)
        } else {
          entries.append((key.stringValue, try container.decode(Entry.self, forKey: key)))
        }
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      if !metadata.isEmpty {
        try container.encode(metadata, forKey: Key(stringValue: "__metadata__"))
      }
      for (name, entry) in entries { try container.encode(entry, forKey: Key(stringValue: name)) }
    }
  }
}
