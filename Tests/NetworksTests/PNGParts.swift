/// Files that this package does not write.
enum PNGParts {
  /// Length, name, content and checksum (ISO 3309, as the PNG specification has it).
  static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let checked = Array(name.utf8) + content
    var crc = UInt32.max
    for byte in checked {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return bytes(UInt32(content.count)) + checked + bytes(~crc)
  }

  /// One line of grey pixels of 16 bits, stored without compression (RFC 1950 and 1951).
  static func grey(_ pixels: [UInt16]) -> [UInt8] {
    var line: [UInt8] = [0]
    for pixel in pixels { line += [UInt8(pixel >> 8), UInt8(pixel & 255)] }
    var (a, b) = (UInt32(1), UInt32(0))
    for byte in line {
      a = (a + UInt32(byte)) % 65521
      b = (b + a) % 65521
    }
    let size = UInt8(line.count)
    let start: [UInt8] = [0x78, 0x01, 1, size, 0, ~size, 0xFF]
    let form: [UInt8] = [16, 0, 0, 0, 0]
    let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    return signature + chunk("IHDR", bytes(UInt32(pixels.count)) + bytes(1) + form)
      + chunk("IDAT", start + line + bytes(b << 16 | a)) + chunk("IEND", [])
  }

  private static func bytes(_ number: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
  }
}
