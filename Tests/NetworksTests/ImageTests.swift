import Networks
import Tensors
import Testing

@Suite struct ImageTests {
  @Test(arguments: [(20, 20), (64, 40), (13, 31), (37, 29)])
  func resizesAsPillowDoes(width: Int, height: Int) throws {
    let source = try Image(contentsOf: golden("images/source.png"))
    let expected = try Image(contentsOf: golden("images/resized_\(width)x\(height).png"))
    #expect(source.resized(width: width, height: height) == expected)
  }

  @Test func decodesAsPillowDoes() throws {
    let source = try Image(contentsOf: golden("images/source.png"))
    #expect(source.width == 37 && source.height == 29 && source.channels == 3)
    #expect(try Image(contentsOf: golden("images/alpha.png")) == source)
    for name in ["source", "grey"] {
      let jpeg = try Image(contentsOf: golden("images/\(name).jpg"))
      #expect(try jpeg == Image(contentsOf: golden("images/\(name)_jpg.png")), "\(name)")
    }
  }

  @Test func encodesAndDecodes() throws {
    let source = try Image(contentsOf: golden("images/source.png"))
    #expect(try Image(encoded: source.encoded(), name: "png") == source)
    let jpeg = try Image(encoded: source.encoded(jpegQuality: 100), name: "jpeg")
    let furthest = zip(jpeg.pixels, source.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
    // Colour conversion and one rounding of each DCT coefficient.
    #expect(furthest <= 4)
  }

  @Test func namesBrokenImages() throws {
    let source = try Image(contentsOf: golden("images/source.png"))
    for bytes in [try source.encoded(), try source.encoded(jpegQuality: 90)] {
      for length in [0, 2, 10, bytes.count / 2, bytes.count - 20] {
        let error = #expect(throws: NetworksError.self) {
          try Image(encoded: Array(bytes.prefix(length)), name: "some/where.jpg")
        }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("some/where.jpg") == true)
      }
    }
    #expect(throws: NetworksError.self) { try Image(contentsOf: "/no/such.png") }
  }

  @Test func survivesRandomDamage() throws {
    let source = try Image(contentsOf: golden("images/source.png"))
    let files = [try source.encoded(), try source.encoded(jpegQuality: 90)]
    for seed in 0..<400 {
      var random = RandomStream(seed: UInt64(seed))
      var bytes = files[seed % 2]
      for _ in 0..<4 {
        bytes[random.integer(below: bytes.count)] = UInt8(random.integer(below: 256))
      }
      // Decoded or refused, never a crash.
      _ = try? Image(encoded: bytes, name: "seed \(seed)")
    }
  }

  @Test func cropsWithZerosOutside() {
    let image = Image(width: 3, height: 2, channels: 1, pixels: [1, 2, 3, 4, 5, 6])
    #expect(image.cropped(x: -1, y: -1, width: 3, height: 3).pixels == [0, 0, 0, 0, 1, 2, 0, 4, 5])
    #expect(image.cropped(x: 2, y: 1, width: 2, height: 2).pixels == [6, 0, 0, 0])
    #expect(image.cropped(x: 5, y: 5, width: 2, height: 1).pixels == [0, 0])
    #expect(image.flipped().pixels == [3, 2, 1, 6, 5, 4])
    #expect(image.flipped().flipped() == image)
    #expect(image.centerCropped(4).pixels == [0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0, 0])
  }

  @Test func resizesTheShorterSide() {
    let image = Image(width: 50, height: 20, pixels: Array(repeating: 9, count: 3000))
    let resized = image.resized(shorterSide: 7)
    #expect(resized.width == 17 && resized.height == 7)
    #expect(resized.pixels.allSatisfy { $0 == 9 })
  }
}
