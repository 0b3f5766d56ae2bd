internal import CImages
internal import Foundation

extension Image {
  /// Reads a JPEG or PNG file of any size. Grey becomes RGB, alpha is dropped, 16 bits become 8.
  /// - Throws: `NetworksError` naming the file (`.file`, or `.damaged` for broken or cut-off data).
  public init(contentsOf path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw NetworksError(.file, "image '\(path)': cannot be read")
    }
    try self.init(encoded: [UInt8](data), name: path)
  }

  /// Decodes the bytes of a JPEG or PNG file; `name` is used in errors only.
  public init(encoded bytes: [UInt8], name: String) throws {
    var rgb: UnsafeMutablePointer<UInt8>?
    var width: Int32 = 0
    var height: Int32 = 0
    var message = [CChar](repeating: 0, count: Int(CIMAGES_MESSAGE))
    let status = cimages_decode(bytes, Int64(bytes.count), &rgb, &width, &height, &message)
    guard status == 0, let rgb else {
      throw NetworksError(.damaged, "image '\(name)': \(Self.text(message))")
    }
    defer { cimages_free(rgb) }
    let pixels = [UInt8](UnsafeBufferPointer(start: rgb, count: Int(width) * Int(height) * 3))
    self.init(width: Int(width), height: Int(height), pixels: pixels)
  }

  /// The bytes of a PNG file (`quality` nil) or of a JPEG file of quality 1...100, without chroma
  /// subsampling. The image needs three channels.
  public func encoded(jpegQuality quality: Int? = nil) throws -> [UInt8] {
    guard channels == 3, quality.map({ (1...100).contains($0) }) ?? true else {
      throw NetworksError(.option, "encode: needs 3 channels and a quality in 1...100")
    }
    var bytes: UnsafeMutablePointer<UInt8>?
    var count: Int64 = 0
    var message = [CChar](repeating: 0, count: Int(CIMAGES_MESSAGE))
    let status = cimages_encode(
      pixels, Int32(width), Int32(height), Int32(quality ?? 0), &bytes, &count, &message)
    guard status == 0, let bytes else {
      throw NetworksError(.damaged, "encode: \(Self.text(message))")
    }
    defer { cimages_free(bytes) }
    return [UInt8](UnsafeBufferPointer(start: bytes, count: Int(count)))
  }

  private static func text(_ message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
