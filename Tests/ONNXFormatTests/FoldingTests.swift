import Architectures
import Foundation
import ONNXFormat
import Testing

/// Padding of a 3x3 kernel that keeps the size.
private let same = [1, 1, 1, 1]

/// Folded networks compute the same in ONNX Runtime, and only what can be exact is folded.
@Suite struct FoldingTests {
  /// A convolution as a case writes it.
  struct Layer {
    var name: String
    var channels: (Int, Int)
    var kernel: [Int]
    var stride: Int
    var pads: [Int]
    var bias: Bool
    var group: Int
    /// Another layer's, if it is shared.
    var weight: ValueReference?

    init(
      _ name: String, _ inputs: Int, _ outputs: Int, kernel: [Int] = [1, 1], stride: Int = 1,
      pads: [Int] = [0, 0, 0, 0], bias: Bool = true, group: Int = 1,
      weight: ValueReference? = nil
    ) {
      self.name = name
      channels = (inputs, outputs)
      self.kernel = kernel
      self.stride = stride
      self.pads = pads
      self.bias = bias
      self.group = group
      self.weight = weight
    }

    func append(
      to builder: inout SampleGraphs.Builder, _ input: ValueReference
    ) throws -> ValueReference {
      let shape = [channels.1, channels.0 / group] + kernel
      let filter = weight ?? builder.parameter("\(name).weight", TensorType(shape))
      var inputs: [ValueReference?] = [input, filter]
      if bias { inputs.append(builder.parameter("\(name).bias", TensorType([channels.1]))) }
      return try builder.node(
        "Conv", name, inputs,
        [
          "kernel_shape": .ints(kernel), "strides": .ints([stride, stride]), "pads": .ints(pads),
          "group": .int(group),
        ])
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var norms: Int
    var linear: Int
    var input: [Int]
    var build: @Sendable (inout SampleGraphs.Builder, ValueReference) throws -> [ValueReference]

    var testDescription: String { name }

    init(
      _ name: String, norms: Int = 0, linear: Int, input: [Int],
      _ build:
        @escaping @Sendable (inout SampleGraphs.Builder, ValueReference) throws -> [ValueReference]
    ) {
      self.name = name
      self.norms = norms
      self.linear = linear
      self.input = input
      self.build = build
    }

    /// One convolution after the other.
    static func chain(
      _ name: String, linear: Int, input: [Int], _ layers: @escaping @Sendable () -> [Layer]
    ) -> Case {
      Case(name, linear: linear, input: input) { builder, x in
        var value = x
        for layer in layers() { value = try layer.append(to: &builder, value) }
        return [value]
      }
    }

    func graph() throws -> OperatorGraph {
      var builder = SampleGraphs.Builder(input: TensorType(input))
      let outputs = try build(&builder, .input(0))
      builder.graph.outputs = outputs
      return builder.graph
    }
  }

  static let cases = chains + graphs

  static let chains: [Case] = [
    .chain("wide", linear: 1, input: [2, 5, 9, 7]) {
      [Layer("a", 5, 40, kernel: [3, 3], pads: same), Layer("b", 40, 7)]
    },
    .chain("strided", linear: 1, input: [1, 3, 13, 11]) {
      [
        Layer("a", 3, 24, kernel: [5, 5], stride: 2, pads: [2, 2, 2, 2]),
        Layer("b", 24, 4, stride: 2, bias: false),
      ]
    },
    .chain("pointwise", linear: 1, input: [2, 6, 5, 3]) { [Layer("a", 6, 24), Layer("b", 24, 6)] },
    .chain("oblong", linear: 1, input: [1, 4, 7, 9]) {
      [Layer("a", 4, 16, kernel: [3, 1], pads: [1, 0, 1, 0], bias: false), Layer("b", 16, 4)]
    },
    .chain("unpadded", linear: 1, input: [1, 4, 8, 9]) {
      [Layer("a", 4, 20), Layer("b", 20, 4, kernel: [3, 3], stride: 2)]
    },
    .chain("padded", linear: 1, input: [1, 4, 7, 6]) {
      [
        Layer("a", 4, 20, bias: false), Layer("b", 20, 4, kernel: [3, 3], stride: 2, pads: same),
      ]
    },
    .chain("biased-border", linear: 0, input: [1, 4, 7, 6]) {
      [Layer("a", 4, 20), Layer("b", 20, 4, kernel: [3, 3], pads: same)]
    },
    .chain("two-kernels", linear: 1, input: [1, 4, 9, 9]) {
      [Layer("a", 4, 16, kernel: [3, 3], pads: same), Layer("b", 16, 4, kernel: [3, 3])]
    },
    .chain("two-borders", linear: 0, input: [1, 4, 9, 9]) {
      [
        Layer("a", 4, 16, kernel: [3, 3], pads: same, bias: false),
        Layer("b", 16, 4, kernel: [3, 3], pads: same),
      ]
    },
    .chain("padded-point", linear: 0, input: [1, 4, 5, 5]) {
      [Layer("a", 4, 16, kernel: [3, 3], pads: same), Layer("b", 16, 4, pads: same)]
    },
    .chain("strided-first", linear: 0, input: [1, 4, 11, 11]) {
      [Layer("a", 4, 16, stride: 2), Layer("b", 16, 4, kernel: [3, 3])]
    },
    .chain("dearer", linear: 0, input: [1, 16, 5, 5]) { [Layer("a", 16, 2), Layer("b", 2, 16)] },
    .chain("depthwise", linear: 0, input: [1, 8, 6, 6]) {
      [Layer("a", 8, 8, kernel: [3, 3], pads: same, group: 8), Layer("b", 8, 4)]
    },
    .chain("grouped-second", linear: 0, input: [1, 4, 6, 6]) {
      [Layer("a", 4, 16, kernel: [3, 3], pads: same), Layer("b", 16, 4, group: 2)]
    },
  ]

  static let graphs: [Case] = [
    Case("residual", linear: 2, input: [2, 6, 7, 5]) { builder, x in
      var y = try Layer("a", 6, 48, kernel: [3, 3], pads: same).append(to: &builder, x)
      y = try Layer("b", 48, 6).append(to: &builder, y)
      y = try builder.node("Add", "sum", [x, y])
      return [try builder.node("Relu", "act", [y]), y]
    },
    Case("three-and-residual", linear: 3, input: [1, 4, 8, 6]) { builder, x in
      var y = try Layer("a", 4, 16, bias: false).append(to: &builder, x)
      y = try Layer("b", 16, 32, kernel: [3, 3], pads: same).append(to: &builder, y)
      y = try Layer("c", 32, 4).append(to: &builder, y)
      return [try builder.node("Add", "sum", [y, x])]
    },
    Case("other-shortcut", linear: 0, input: [1, 4, 6, 6]) { builder, x in
      let other = try builder.node("Relu", "other", [x])
      let y = try Layer("a", 4, 4, kernel: [3, 3], pads: same).append(to: &builder, x)
      return [try builder.node("Add", "sum", [y, other])]
    },
    Case("off-centre", linear: 0, input: [1, 4, 6, 6]) { builder, x in
      let y = try Layer("a", 4, 4, kernel: [2, 2], pads: [0, 0, 1, 1]).append(to: &builder, x)
      return [try builder.node("Add", "sum", [y, x])]
    },
    Case("read-twice", linear: 0, input: [1, 4, 6, 6]) { builder, x in
      let y = try Layer("a", 4, 16, kernel: [3, 3], pads: same).append(to: &builder, x)
      return [y, try Layer("b", 16, 4).append(to: &builder, y)]
    },
    Case("activation", linear: 0, input: [1, 4, 6, 6]) { builder, x in
      var y = try Layer("a", 4, 16, kernel: [3, 3], pads: same).append(to: &builder, x)
      y = try builder.node("Relu", "act", [y])
      return [try Layer("b", 16, 4).append(to: &builder, y)]
    },
    Case("shared-weight", linear: 2, input: [1, 4, 6, 6]) { builder, x in
      let shared = builder.parameter("shared.weight", TensorType([4, 16, 1, 1]))
      return try ["left", "right"].map { side in
        let y = try Layer(side, 4, 16, kernel: [3, 3], pads: same).append(to: &builder, x)
        return try Layer("\(side).last", 16, 4, bias: false, weight: shared)
          .append(to: &builder, y)
      }
    },
    Case("norms", norms: 2, linear: 2, input: [2, 8, 6, 7]) { builder, x in
      var y = try builder.block("a", x, (8, 32), kernel: 3, activation: nil)
      y = try builder.block("b", y, (32, 8), kernel: 1, activation: nil)
      y = try builder.node("Add", "sum", [y, x])
      return [try builder.node("Relu", "act", [y])]
    },
    Case("mobile", norms: 4, linear: 0, input: [1, 3, 32, 32]) { builder, _ in
      builder = SampleGraphs.Builder(input: TensorType([1, 3, 32, 32]))
      builder.graph = try SampleGraphs.mobile()
      return builder.graph.outputs
    },
  ]

  /// Small random numbers; variances are positive.
  static func weights(_ graph: OperatorGraph, seed: UInt64) -> NamedWeights {
    var random = SeededGenerator(seed: seed)
    var tensors: [String: [Float]] = [:]
    for parameter in graph.parameters where parameter.constant == nil {
      let low = parameter.name.text.hasSuffix(".var") ? 0.5 : -0.5
      tensors[parameter.name.text] = (0..<(parameter.type.elementCount ?? 0)).map { _ in
        Float(low + random.nextUniform())
      }
    }
    return NamedWeights(tensors, provenance: "random")
  }

  @Test(arguments: cases) func onlyWhatIsExactIsFolded(_ sample: Case) throws {
    let graph = try sample.graph()
    let folded = try FoldedNetwork(graph, Self.weights(graph, seed: 1))
    #expect(folded.norms == sample.norms && folded.linear == sample.linear)
    #expect(folded.graph.nodes.count == graph.nodes.count - sample.norms - sample.linear)
    // A residual addition takes none; everything else saves some.
    #expect(folded.graph.cost.macs <= graph.cost.macs)
    #expect(sample.linear == 0 || folded.graph.cost.macs < graph.cost.macs)
  }

  @Test func foldedNetworksComputeTheSame() throws {
    let compared = try Peer.withFolder { folder in
      for sample in Self.cases {
        let graph = try sample.graph()
        let weights = Self.weights(graph, seed: 2)
        let folded = try FoldedNetwork(graph, weights)
        let name = folder.appending(path: sample.name).path
        try ONNXFile.write(graph, weights: weights, to: URL(filePath: "\(name).onnx"))
        try ONNXFile.write(
          folded.graph, weights: folded.weights, to: URL(filePath: "\(name).again.onnx"))
      }
      let output = try Peer.run("onnx_compare.py", [folder.path, "1e-5"])
      let line = try #require(output.split(separator: "\n").first { $0.hasPrefix("{") })
      return try JSONDecoder().decode([String: Int].self, from: Data(line.utf8))
    }
    #expect(compared == ["checked": Self.cases.count, "compared": Self.cases.count])
  }

  @Test func aMissingWeightIsNamed() throws {
    let graph = try Self.cases[0].graph()
    var weights = Self.weights(graph, seed: 3)
    weights.tensors["b.weight"] = nil
    let error = #expect(throws: ONNXFormatError.self) {
      _ = try LinearCollapse.collapsed(graph, weights)
    }
    #expect(error?.message.contains("'b.weight'") == true, "\(error?.message ?? "")")
  }
}
