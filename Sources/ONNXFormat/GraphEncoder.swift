import Architectures
import Foundation
import ONNXProto

/// Turns operator graphs into ONNX messages.
///
/// The outermost graph's parameters are left out of its message: they are large and written
/// straight into the file (`ModelEncoder`). Those of subgraphs are inside their messages.
struct GraphEncoder {
  let weights: any WeightSource
  private var values = NameTable()
  private var nodes = NameTable()

  init(weights: any WeightSource) { self.weights = weights }

  /// A graph's message and the parameters, by name, that belong into it.
  struct Result {
    var message: Onnx_GraphProto
    var parameters: [NamedParameter]
  }

  struct NamedParameter {
    /// Name in the file: unique there.
    var name: String
    var parameter: Parameter
    var role: WeightRole
  }

  /// - Parameters:
  ///   - outer: names of the values that the graph may capture; `nil` for the outermost graph.
  ///   - outputNames: wishes for the outputs' names.
  mutating func encode(
    _ graph: OperatorGraph, name: String, outputNames: [String], outer: [String]? = nil
  ) throws -> Result {
    let isOutermost = outer == nil
    let outer = outer ?? []
    var message = Onnx_GraphProto()
    message.name = name
    let inputs = graph.inputs.map { values.unique($0.name.text, or: "input") }
    // Outputs take their names first: people and runtimes address them.
    let outputs = graph.outputs.indices.map { position in
      values.unique(
        position < outputNames.count ? outputNames[position] : "",
        or: graph.outputs.count == 1 ? "output" : "output_\(position)")
    }
    var renamed: [ValueReference: String] = [:]
    for (position, reference) in graph.outputs.enumerated() {
      if case .node = reference, renamed[reference] == nil {
        renamed[reference] = outputs[position]
      }
    }
    let parameters = graph.parameters.map { values.unique($0.name.text, or: "parameter") }
    let names = graph.nodes.enumerated().map { position, node in
      nodes.unique(node.name.text, or: "\(node.op)_\(position)")
    }
    let results = graph.nodes.enumerated().map { position, node in
      node.outputs.indices.map { output in
        renamed[.node(position, output: output)]
          ?? values.unique(
            output == 0 ? names[position] : "\(names[position]).\(output)", or: "value")
      }
    }

    func valueName(_ reference: ValueReference) throws -> String {
      switch reference {
      case .input(let index) where inputs.indices.contains(index): return inputs[index]
      case .parameter(let index) where parameters.indices.contains(index):
        return parameters[index]
      case .node(let index, let output)
      where results.indices.contains(index) && results[index].indices.contains(output):
        return results[index][output]
      case .captured(let index, _) where outer.indices.contains(index): return outer[index]
      default:
        throw ONNXFormatError(.invalidGraph, "graph '\(name)' refers to a value it does not have")
      }
    }

    message.input = try zip(inputs, graph.inputs).map { name, input in
      try info(name, input.type, required: isOutermost)
    }
    for (position, node) in graph.nodes.enumerated() {
      let captures = try node.captures.map(valueName)
      var encoded = Onnx_NodeProto()
      encoded.name = names[position]
      encoded.opType = node.op
      if !node.domain.isEmpty { encoded.domain = node.domain }
      encoded.input = try node.inputs.map { try $0.map(valueName) ?? "" }
      encoded.output = results[position]
      encoded.attribute = try node.attributes.sorted { $0.key < $1.key }.map { key, value in
        try attribute(key, value, of: names[position], captures: captures)
      }
      message.node.append(encoded)
      for (output, type) in node.outputs.enumerated()
      where type.shape != nil && renamed[.node(position, output: output)] == nil {
        message.valueInfo.append(try info(results[position][output], type, required: false))
      }
    }
    for (position, reference) in graph.outputs.enumerated() {
      let source = try valueName(reference)
      if source != outputs[position] {
        var identity = Onnx_NodeProto()
        identity.name = nodes.unique("\(outputs[position])_identity", or: "")
        identity.opType = "Identity"
        identity.input = [source]
        identity.output = [outputs[position]]
        message.node.append(identity)
      }
      message.output.append(
        try info(outputs[position], graph.type(of: reference), required: isOutermost))
    }
    let roles = WeightRole.roles(in: graph)
    return Result(
      message: message,
      parameters: graph.parameters.indices.map {
        NamedParameter(name: parameters[$0], parameter: graph.parameters[$0], role: roles[$0])
      })
  }

  private func info(
    _ name: String, _ type: TensorType, required: Bool
  ) throws -> Onnx_ValueInfoProto {
    var info = Onnx_ValueInfoProto()
    info.name = name
    if let code = type.elementType.onnx {
      info.type.tensorType.elemType = Int32(code)
      if let shape = type.shape {
        info.type.tensorType.shape.dim = shape.map { dimension in
          var encoded = Onnx_TensorShapeProto.Dimension()
          switch dimension {
          case .fixed(let value): encoded.dimValue = Int64(value)
          case .symbolic(let symbol): encoded.dimParam = symbol
          case .unknown: break
          }
          return encoded
        }
        // Even a scalar has a shape: an empty one.
        if shape.isEmpty { info.type.tensorType.shape = Onnx_TensorShapeProto() }
      }
    } else if required {
      throw ONNXFormatError(
        .unsupported, "'\(name)' is \(type.elementType.name): only tensors can be written")
    }
    return info
  }

  private mutating func attribute(
    _ name: String, _ value: Attribute, of node: String, captures: [String]
  ) throws -> Onnx_AttributeProto {
    var encoded = Onnx_AttributeProto()
    encoded.name = name
    switch value {
    case .int(let value):
      encoded.type = .int
      encoded.i = Int64(value)
    case .float(let value):
      encoded.type = .float
      encoded.f = value
    case .string(let value):
      encoded.type = .string
      encoded.s = Data(value.utf8)
    case .ints(let values):
      encoded.type = .ints
      encoded.ints = values.map(Int64.init)
    case .floats(let values):
      encoded.type = .floats
      encoded.floats = values
    case .strings(let values):
      encoded.type = .strings
      encoded.strings = values.map { Data($0.utf8) }
    case .tensor(let type, let content):
      encoded.type = .tensor
      encoded.t = try TensorEncoder(
        NamedParameter(
          name: "", parameter: Parameter(name: "", type: type, constant: content), role: .other)
      ).message(weights)
    case .graph(let graph):
      encoded.type = .graph
      encoded.g = try subgraph(graph, name: "\(node).\(name)", captures: captures)
    case .graphs(let graphs):
      encoded.type = .graphs
      for (position, graph) in graphs.enumerated() {
        encoded.graphs.append(
          try subgraph(graph, name: "\(node).\(name).\(position)", captures: captures))
      }
    case .other(let what):
      throw ONNXFormatError(
        .unsupported, "node '\(node)': attribute '\(name)' (\(what)) can't be written")
    }
    return encoded
  }

  private mutating func subgraph(
    _ graph: OperatorGraph, name: String, captures: [String]
  ) throws -> Onnx_GraphProto {
    var result = try encode(
      graph, name: name, outputNames: graph.outputs.indices.map { "\(name).output_\($0)" },
      outer: captures)
    result.message.initializer = try result.parameters.map {
      try TensorEncoder($0).message(weights)
    }
    return result.message
  }
}
