internal import Foundation
internal import Tensors

extension MemoryImages {
  /// A data set made on the spot for tests: class `k` of `classes` is a grating whose angle and
  /// tint depend on `k`, at a random phase and wavelength, under noise. A small network learns it
  /// in seconds, a linear one does not. The same arguments give the same images.
  public static func procedural(
    count: Int, classes: Int = 4, size: Int = 16, noise: Float = 0.15, seed: UInt64
  ) throws -> MemoryImages {
    guard count > 0, classes > 0, size > 0 else {
      throw NetworksError(.option, "procedural: count, classes and size must be positive")
    }
    var pixels: [UInt8] = []
    pixels.reserveCapacity(count * size * size * 3)
    let stream = RandomStream(seed: seed).derived("procedural")
    for index in 0..<count {
      var random = stream.derived(index)
      let angle = Float(index % classes) / Float(classes) * Float.pi
      let wavelength = Float(size) * random.uniform(0.25..<0.5)
      let phase = random.uniform(0..<2 * Float.pi)
      for y in 0..<size {
        for x in 0..<size {
          let along = (Float(x) * cos(angle) + Float(y) * sin(angle)) / wavelength
          let wave = sin(2 * Float.pi * along + phase)
          for c in 0..<3 {
            let tint = 0.3 + 0.1 * cos(angle + Float(c))
            let value = 0.5 + tint * wave + noise * (random.uniform() - 0.5) * 2
            pixels.append(UInt8(max(0, min(255, value * 255))))
          }
        }
      }
    }
    return try MemoryImages(
      width: size, height: size, channels: 3, classNames: (0..<classes).map { "angle\($0)" },
      pixels: pixels, labels: (0..<count).map { $0 % classes })
  }
}
