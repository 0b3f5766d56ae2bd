import Foundation
import Networks
import Tensors
import Testing

/// What Python makes of the engine's work.
@Suite struct PeerTests {
  /// Losses, weights, statistics and an evaluation, after the same steps on the same batches.
  @Test func trainingFollowsPyTorch() throws {
    let output = try runPeer(
      "training_parity.py",
      ["--ours", builtProduct("engine-bench").path, "--steps", "8", "--batch", "16"])
    #expect(output.contains("agree"))
  }

  /// Python's safetensors reads what ours writes: names, types, shapes, values, metadata.
  @Test(arguments: [SafeTensors.Precision.float32, .float16])
  func safetensorsLoadInPython(_ precision: SafeTensors.Precision) throws {
    var random = RandomStream(seed: 5)
    let network = MBConv(8, 12, .init(kernel: 3, stride: 2, expand: 3, activation: .relu), &random)
    let state = try network.state()
    try withTemporaryFolder { folder in
      let path = "\(folder)/weights.safetensors"
      try SafeTensors(
        tensors: state, integers: ["step": .init([1 << 40, -3])],
        metadata: ["made by": "a test, \"quoted\", ü"]
      ).write(to: path, precision: precision)
      var expected = state.map { name, tensor in
        // Ones and multiples by the position tell every order of the elements apart.
        let values = tensor.array.map {
          precision == .float32 ? Double($0) : Double(Float(Float16($0)))
        }
        let weighted = zip(values, 1...).reduce(0) { $0 + $1.0 * Double($1.1) }
        return (name, "\(precision.rawValue) \(tensor.shape)", weighted)
      }
      expected.append(("step", "I64 [2]", Double(1 << 40) - 6))
      var lines = try runPeer("safetensors_sums.py", [path]).split(separator: "\n").map(String.init)
      #expect(lines.popLast() == "{'made by': 'a test, \"quoted\", ü'}")
      #expect(lines.count == expected.count)
      for ((name, kind, sum), line) in zip(expected.sorted { $0.0 < $1.0 }, lines) {
        let words = line.split(separator: "\t").map(String.init)
        #expect(words[0] == name && words[1] == kind)
        // Two double sums of the same numbers in the same order.
        #expect(Double(words[2]) == sum)
      }
    }
  }
}
