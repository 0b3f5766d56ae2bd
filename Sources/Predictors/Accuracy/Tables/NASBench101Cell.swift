public import Architectures

/// A cell of NAS-Bench-101 (Ying et al. 2019): vertices in topological order, the first one the
/// cell's input, the last one its result.
public struct NASBench101Cell: Hashable, Sendable {
  public enum Operation: Int, Sendable {
    case convolution3x3, convolution1x1, maxPool3x3
  }

  /// Of the inner vertices.
  public let operations: [Operation]
  /// `isEdge[from][to]`, upper triangle.
  let isEdge: [[Bool]]

  /// - Parameters:
  ///   - adjacency: the upper triangle without diagonal, row by row, as zeros and ones.
  ///   - operations: a digit an inner vertex: 0 conv3x3, 1 conv1x1, 2 maxpool3x3.
  /// - Throws: `badSamples` saying what doesn't fit.
  public init(vertices: Int, adjacency: String, operations: String) throws {
    guard (2...7).contains(vertices) else {
      throw PredictorsError(.badSamples, "\(vertices) vertices; a cell has 2 to 7")
    }
    guard adjacency.utf8.count == vertices * (vertices - 1) / 2,
      adjacency.utf8.allSatisfy({ $0 == 48 || $0 == 49 })
    else {
      throw PredictorsError(
        .badSamples,
        "'\(adjacency)' are not the \(vertices * (vertices - 1) / 2) zeros and ones of "
          + "\(vertices) vertices")
    }
    self.operations = try operations.utf8.map { digit in
      guard let operation = Operation(rawValue: Int(digit) - 48) else {
        throw PredictorsError(.badSamples, "operations '\(operations)': digits 0, 1, 2 are meant")
      }
      return operation
    }
    guard self.operations.count == vertices - 2 else {
      throw PredictorsError(
        .badSamples, "\(operations.utf8.count) operations for \(vertices - 2) inner vertices")
    }
    var bits = adjacency.utf8.makeIterator()
    var isEdge = Array(repeating: Array(repeating: false, count: vertices), count: vertices)
    for from in 0..<vertices {
      for to in (from + 1)..<max(vertices, from + 1) { isEdge[from][to] = bits.next() == 49 }
    }
    self.isEdge = isEdge
    guard isEdge.contains(where: { $0[vertices - 1] }) else {
      throw PredictorsError(.badSamples, "nothing leads to the cell's last vertex")
    }
  }

  var vertices: Int { isEdge.count }

  /// The benchmark's CIFAR-10 network: a stem of 128 channels, three stacks of three cells,
  /// channels doubled and sides halved between the stacks.
  public func network() throws -> OperatorGraph {
    var builder = GraphBuilder()
    var value = try builder.activated(builder.input([1, 3, 32, 32]), out: 128, kernel: 3)
    var channels = 128
    for stack in 0..<3 {
      if stack > 0 {
        value = try builder.add(
          "MaxPool", [value], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
        channels *= 2
      }
      for _ in 0..<3 { value = try append(to: &builder, value, out: channels) }
    }
    builder.output(try builder.classifier(value, classes: 10))
    return builder.graph
  }

  private func append(to builder: inout GraphBuilder, _ input: ValueReference, out: Int) throws
    -> ValueReference
  {
    let last = vertices - 1
    let channels = channels(input: builder.channels(input), out: out)
    var values = [input]
    for vertex in stride(from: 1, to: last, by: 1) {
      var operands: [ValueReference] = []
      if isEdge[0][vertex] {
        operands.append(try builder.activated(input, out: channels[vertex]))
      }
      for from in stride(from: 1, to: vertex, by: 1) where isEdge[from][vertex] {
        operands.append(
          try channels[from] == channels[vertex]
            ? values[from] : builder.firstChannels(values[from], channels[vertex]))
      }
      guard var value = try builder.sum(operands) else {
        throw PredictorsError(.badSamples, "nothing leads to vertex \(vertex + 1)")
      }
      switch operations[vertex - 1] {
      case .convolution3x3:
        value = try builder.activated(value, out: channels[vertex], kernel: 3)
      case .convolution1x1: value = try builder.activated(value, out: channels[vertex])
      case .maxPool3x3:
        value = try builder.add(
          "MaxPool", [value],
          ["kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1])])
      }
      values.append(value)
    }
    let results = (1..<max(last, 1)).filter { isEdge[$0][last] }.map { values[$0] }
    guard let first = results.first else { return try builder.activated(input, out: out) }
    let result = results.count > 1 ? try builder.add("Concat", results, ["axis": 1]) : first
    guard isEdge[0][last] else { return result }
    return try builder.add("Add", [result, try builder.activated(input, out: out)])
  }

  /// Channels of each vertex: the vertices that the result joins share its channels, earlier ones
  /// take the most that a reader has (`compute_vertex_channels` of the benchmark).
  private func channels(input: Int, out: Int) -> [Int] {
    let last = vertices - 1
    var channels = Array(repeating: 0, count: vertices)
    channels[0] = input
    channels[last] = out
    let joined = (1..<max(last, 1)).filter { isEdge[$0][last] }
    for (position, vertex) in joined.enumerated() {
      channels[vertex] = out / joined.count + (position < out % joined.count ? 1 : 0)
    }
    for vertex in stride(from: last - 1, to: 0, by: -1) where !isEdge[vertex][last] {
      channels[vertex] =
        (vertex + 1..<max(last, vertex + 1)).filter { isEdge[vertex][$0] }
        .map { channels[$0] }.max() ?? 0
    }
    return channels
  }
}
