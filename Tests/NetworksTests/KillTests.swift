import Foundation
import Networks
import Tensors
import Testing

/// A run that is killed with signal 9, again and again, ends with the bits of one that was not.
@Suite struct KillTests {
  private static let steps = 240

  /// Runs the probe; kills it `delay` microseconds after it has said `steps` steps, if given.
  /// - Returns: whether it came to its end.
  private func run(_ folder: String, killAfter steps: Int? = nil, delay: Int = 0) throws -> Bool {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = builtProduct("TrainingProbe")
    process.arguments = [folder, String(Self.steps)]
    process.standardOutput = pipe
    try process.run()
    var lines = 0
    while true {
      let data = pipe.fileHandleForReading.availableData
      if data.isEmpty { break }
      lines += data.count { $0 == UInt8(ascii: "\n") }
      if let steps, lines >= steps {
        usleep(UInt32(delay))
        kill(process.processIdentifier, SIGKILL)
        break
      }
    }
    process.waitUntilExit()
    return process.terminationReason == .exit && process.terminationStatus == 0
  }

  @Test func killedRunsResumeBitForBit() throws {
    try withTemporaryFolder { whole in
      #expect(try run(whole))
      let expected = try Data(contentsOf: URL(fileURLWithPath: "\(whole)/final.safetensors"))
      var random = RandomStream(seed: 3)
      try withTemporaryFolder { folder in
        // Delays up to a few steps' time: some kills hit a step, some the writing of a checkpoint.
        var kills = 0
        for _ in 0..<12 {
          let finished = try run(
            folder, killAfter: 3 + random.integer(below: 9), delay: random.integer(below: 3000))
          if !finished { kills += 1 }
        }
        #expect(kills >= 6)
        let finished = try run(folder)
        #expect(finished)
        let final = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/final.safetensors"))
        #expect(final == expected)
      }
    }
  }
}
