import CKernels
import Foundation

// Elements are little endian, as every machine this runs on; the conversion says so anyway.
extension SafeTensors {
  static func bytes(_ values: [Int64]) -> Data {
    values.map(\.littleEndian).withUnsafeBytes { Data($0) }
  }

  static func integers(littleEndian bytes: Data, type: String) -> [Int64] {
    switch type {
    case "I64": load(bytes, Int64.self).map { Int64(littleEndian: $0) }
    case "I32": load(bytes, Int32.self).map { Int64(Int32(littleEndian: $0)) }
    case "I16": load(bytes, Int16.self).map { Int64(Int16(littleEndian: $0)) }
    case "I8": load(bytes, Int8.self).map { Int64($0) }
    default: bytes.map { Int64($0) }
    }
  }

  static func load<Element: BitwiseCopyable>(_ bytes: Data, _ type: Element.Type) -> [Element] {
    bytes.withUnsafeBytes { raw in
      (0..<raw.count / MemoryLayout<Element>.size).map {
        raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Element>.size, as: type)
      }
    }
  }
}

extension Tensor {
  /// A tensor from the bytes of a file; nil if the type is no floating-point type.
  init?(littleEndian bytes: Data, type: String, shape: [Int]) {
    self.init(uninitialized: shape, engine: nil)
    let (to, count) = (storage.pointer, self.count)
    switch type {
    case "F32":
      _ = bytes.copyBytes(to: UnsafeMutableRawBufferPointer(start: to, count: count * 4))
    case "F16":
      ck_half_to_float(Int64(count), SafeTensors.load(bytes, UInt16.self), to)
    case "BF16":
      for (i, half) in SafeTensors.load(bytes, UInt16.self).enumerated() {
        to[i] = Float(bitPattern: UInt32(half) << 16)
      }
    case "F64":
      for (i, value) in SafeTensors.load(bytes, Double.self).enumerated() { to[i] = Float(value) }
    default: return nil
    }
  }

  func littleEndian(_ precision: SafeTensors.Precision) -> Data {
    let source = contiguous()
    switch precision {
    case .float32: return Data(bytes: source.base, count: count * 4)
    case .float16:
      var halves = [UInt16](repeating: 0, count: count)
      ck_float_to_half(Int64(count), source.base, &halves)
      return halves.withUnsafeBytes { Data($0) }
    }
  }
}
