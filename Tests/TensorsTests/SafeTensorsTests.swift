import Foundation
import Testing

@testable import Tensors

@Suite struct SafeTensorsTests {
  func path() -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
  }

  @Test func roundTrip() throws {
    var random = RandomStream(seed: 1)
    let file = SafeTensors(
      tensors: ["blocks.3.weight": random.normal([3, 5]), "scalar": Tensor(2.5)],
      integers: ["step": .init([7, -1])], metadata: ["made by": "a test \"quoted\""])
    let path = path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try file.write(to: path)
    let read = try SafeTensors(contentsOf: path)
    #expect(read.metadata == file.metadata)
    #expect(read.integers == file.integers)
    #expect(read.tensors.keys.sorted() == file.tensors.keys.sorted())
    for (name, tensor) in file.tensors {
      #expect(read.tensors[name]?.isIdentical(to: tensor) == true)
    }
    try file.write(to: path, precision: .float16)
    let half = try #require(SafeTensors(contentsOf: path).tensors["blocks.3.weight"])
    for (a, b) in zip(half.array, file.tensors["blocks.3.weight"]!.array) {
      #expect(abs(a - b) <= abs(b) * 0x1p-11)
    }
  }

  @Test func whatIsNoSuchFileIsSaidSo() throws {
    let missing = #expect(throws: TensorError.self) { try SafeTensors(contentsOf: "/nowhere/a.x") }
    #expect(missing?.message == "/nowhere/a.x: no such file")
    let text = #expect(throws: TensorError.self) { try SafeTensors(contentsOf: #filePath) }
    #expect(text?.message.contains("no safetensors file, or one that was cut short") == true)
  }

  /// One line with the system's reason, and nothing left behind.
  @Test func whatCannotBeWrittenStaysAsItWas() throws {
    let file = SafeTensors(tensors: ["a": Tensor([1, 2])])
    let missing = #expect(throws: TensorError.self) { try file.write(to: "/nowhere/at/all.x") }
    #expect(missing?.code == .unwritable)
    #expect(missing?.message == "can't write /nowhere/at/all.x: No such file or directory")
    let folder = path()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // A folder is no place for a file.
    let taken = "\(folder)/weights"
    try FileManager.default.createDirectory(
      atPath: "\(taken)/inside", withIntermediateDirectories: true)
    let error = #expect(throws: TensorError.self) { try file.write(to: taken) }
    #expect(error?.message == "can't write \(taken): Is a directory")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["weights"])
  }

  @Test func halvesRoundToNearestEven() {
    let values: [Float] = [
      0, -0.0, 1, 65504, 65519.996, 65520, 1e-8, 0x1p-24, 0x1.8p-24, .infinity,
    ]
    let expected: [UInt16] = [0, 0x8000, 0x3C00, 0x7BFF, 0x7BFF, 0x7C00, 0, 1, 2, 0x7C00]
    let data = Tensor(values).littleEndian(.float16)
    #expect(SafeTensors.load(data, UInt16.self) == expected)
  }

  @Test func numbersBeyondHalvesAreRefused() throws {
    let path = NSTemporaryDirectory() + "halves-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let error = #expect(throws: TensorError.self) {
      try SafeTensors(tensors: ["w": Tensor([1, -65520])]).write(to: path, precision: .float16)
    }
    #expect(error?.message == "'w': -65520.0 is too large for float16 (65504); write float32")
    #expect(!FileManager.default.fileExists(atPath: path))
    try SafeTensors(tensors: ["w": Tensor([65519, .infinity])]).write(to: path, precision: .float16)
  }

  static let hostile: [String] = [
    #"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
    #"{"a":{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#,
    #"{"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#,
    #"{"a":7}"#, #"["#, #"{"__metadata__":{"a":1}}"#,
  ]

  @Test(arguments: hostile) func malformedFilesThrow(_ header: String) {
    var data = Data((0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) })
    data.append(Data(header.utf8))
    data.append(Data(count: 8))
    #expect(throws: TensorError.self) { try SafeTensors(data: data) }
    #expect(throws: TensorError.self) { try SafeTensors(data: data.prefix(5)) }
  }

  @Test func hugeHeaderThrows() {
    #expect(throws: TensorError.self) { try SafeTensors(data: Data(repeating: 255, count: 64)) }
  }
}
