import Architectures
import ArgumentParser
import Foundation
import ONNXFormat

struct DescribeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "Text, MACs and parameters of an architecture or an ONNX file.")
  @Argument(help: "An architecture's id (space:genes) or the path of an ONNX file.")
  var architecture: String
  @Flag(help: "List the costs operator by operator.") var operators = false
  @OptionGroup var common: CommonOptions

  func run() throws {
    let network = try NetworkArgument(architecture)
    let graph = network.graph.canonical()
    let cost = GraphCost(graph)
    if common.json {
      try Output.json("description", body(network, graph, cost))
      return
    }
    if let id = network.id { Output.line("id: \(id)") }
    Output.line("MACs: \(cost.total.macs)")
    Output.line("parameters: \(cost.total.parameters)")
    Output.line("activation bytes: \(cost.total.activationBytes)")
    Output.line("weight bytes: \(cost.total.weightBytes)")
    Output.line("operators: \(graph.nodes.count)")
    if cost.assumesUnknownAxes { Output.line("note: axes of unknown length count as one") }
    if !cost.uncounted.isEmpty {
      Output.line("note: MACs of these are not known: \(cost.uncounted.joined(separator: ", "))")
    }
    if operators {
      Output.table(
        ["operator", "name", "result", "MACs", "parameters", "activation bytes"],
        zip(graph.nodes, cost.operators).map { node, cost in
          [
            node.op, node.name.text, node.outputs.first.map(describe) ?? "-", "\(cost.macs)",
            "\(cost.parameters)", "\(cost.activationBytes)",
          ]
        })
    }
    Output.line("")
    Output.line(graph.text)
  }

  private func describe(_ type: TensorType) -> String {
    type.shape.map { shape in
      shape.map { $0.value.map(String.init) ?? "_" }.joined(separator: "x")
    } ?? "?"
  }

  private func body(_ network: NetworkArgument, _ graph: OperatorGraph, _ cost: GraphCost)
    -> [String: JSON]
  {
    var body: [String: JSON] = [
      "id": .optional(network.id), "space": .optional(network.space?.name),
      "macs": .integer(cost.total.macs), "parameters": .integer(cost.total.parameters),
      "activationBytes": .integer(cost.total.activationBytes),
      "weightBytes": .integer(cost.total.weightBytes),
      "poolingAdditions": .integer(cost.total.poolingAdditions),
      "operatorCount": .integer(graph.nodes.count),
      "assumesUnknownAxes": .bool(cost.assumesUnknownAxes),
      "uncounted": .array(cost.uncounted.map { .string($0) }), "text": .string(graph.text),
    ]
    if let file = network.file { body["file"] = .string(file) }
    if operators {
      body["operators"] = .array(
        zip(graph.nodes, cost.operators).map { node, cost in
          [
            "op": .string(node.op), "name": .string(node.name.text),
            "result": .string(node.outputs.first.map(describe) ?? "?"),
            "macs": .integer(cost.macs), "parameters": .integer(cost.parameters),
            "activationBytes": .integer(cost.activationBytes),
            "weightBytes": .integer(cost.weightBytes),
          ]
        })
    }
    return body
  }
}
