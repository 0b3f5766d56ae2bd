import Architectures
import ArgumentParser
import Devices
import Foundation
import Predictors
import Store

extension KernelsCommand {
  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "The kernels of networks, with what predictors know of them.")
    @Argument(help: "Ids, ONNX files or text files with one id a line; '-' reads ids from stdin.")
    var networks: [String]
    @Option(help: "Kernel predictor that knows what is fused and for how long it runs.")
    var predictor: String?
    @Option(help: "Device whose fusion tests the store has; without either nothing is fused.")
    var device: String?
    @Option(help: "Images at once.") var batch = 1
    @OptionGroup var common: CommonOptions

    func run() throws {
      let predictor = try predictor.map { try KernelPredictor(contentsOf: $0) }
      let rules = try device.map { try ProbeSamples.rules(device: $0) } ?? FusionRules()
      let shown = try IDList.expand(networks).map { argument in
        let network = try NetworkArgument(argument)
        network.noteUnknownAxes(quiet: common.quiet)
        let graph = network.graph
        guard let predictor else {
          let kernels = KernelPartition(graph, rules: rules, batch: batch).kernels
          return (argument, kernels.map { ($0, Milliseconds?.none) })
        }
        return (argument, predictor.predict(graph).kernels.map { ($0, Optional($1)) })
      }
      if common.json {
        try Output.json(
          "kernels",
          [
            "networks": .array(
              shown.map { name, kernels in
                ["id": .string(name), "kernels": .array(kernels.map { $0.json(time: $1) })]
              })
          ])
        return
      }
      for (name, kernels) in shown {
        if shown.count > 1 { Output.line(name) }
        Output.table(
          ["ms", "kind", "operators", "MACs", "bytes in", "out", "weights"],
          kernels.map { kernel, time in
            [
              time.map { String(format: "%.4f", $0.value) } ?? "-", kernel.kind.rawValue,
              kernel.chain, "\(Int(kernel.macs))", "\(Int(kernel.inputBytes))",
              "\(Int(kernel.outputBytes))", "\(Int(kernel.weightBytes))",
            ]
          })
      }
    }
  }
}

extension Kernel {
  func json(time: Milliseconds?) -> JSON {
    [
      "latencyMs": .optional(time?.value),
      "kind": .string(kind.rawValue), "operators": .string(chain), "macs": .number(macs),
      "inputBytes": .number(inputBytes), "outputBytes": .number(outputBytes),
      "weightBytes": .number(weightBytes), "inputChannels": .number(inputChannels),
      "outputChannels": .number(outputChannels), "pixels": .number(pixels), "width": .number(width),
      "kernel": .number(kernel), "stride": .number(stride), "groups": .number(groups),
      "blocked": .bool(isBlocked), "packedBytes": .number(packedBytes),
      "unpackedBytes": .number(unpackedBytes), "readsInput": .bool(readsInput),
      "writesOutput": .bool(writesOutput), "networkWeightBytes": .number(networkWeightBytes),
      "networkActivationBytes": .number(networkActivationBytes),
    ]
  }
}
