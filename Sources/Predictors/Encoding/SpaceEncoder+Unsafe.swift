import Tensors

extension SpaceEncoder {
  /// Adds up the parts of each network: rows `offsets[i]..<offsets[i + 1]` make network `i`.
  static func sums(rows: [Int32], offsets: [Int], parts: [EncodedPart], engine: Engine?) -> [Double]
  {
    let width = ArchitectureEncoding.count
    let count = offsets.count - 1
    return [Double](unsafeUninitializedCapacity: count * width) { buffer, initialized in
      buffer.initialize(repeating: 0)
      initialized = count * width
      // Each network has its own rows of the buffer, so threads never meet.
      nonisolated(unsafe) let out = buffer.baseAddress!
      func add(_ range: Range<Int>) {
        for network in range {
          let target = out + network * width
          var passes = true
          for place in offsets[network]..<offsets[network + 1] {
            let part = parts[Int(rows[place])]
            passes = passes && part.passes
            part.encoding.values.withUnsafeBufferPointer { source in
              let from = source.baseAddress!
              for column in 0..<ArchitectureEncoding.peaks.lowerBound {
                target[column] += from[column]
              }
              for column in ArchitectureEncoding.peaks {
                target[column] = max(target[column], from[column])
              }
            }
          }
          if !passes {
            let values = Array(UnsafeBufferPointer(start: target, count: width))
            let dead = ArchitectureEncoding(values: values).withoutLife()
            for column in 0..<width { target[column] = dead.values[column] }
          }
        }
      }
      if let engine {
        engine.parallel(count, grain: 64, add)
      } else {
        add(0..<count)
      }
    }
  }
}
