import Yams

extension SpaceSchema {
  /// Reads a space file. `base` finds the file that `extends` names.
  ///
  /// - Throws: `invalidSpace` with file, line and key.
  init(yaml: String, file: String, base: (String) throws -> (text: String, file: String)) throws {
    try self.init(yaml: yaml, file: file, base: base, depth: 0)
  }

  private init(
    yaml: String, file: String, base: (String) throws -> (text: String, file: String), depth: Int
  ) throws {
    let reader = try YAMLReader(yaml: yaml, file: file, what: "a search space")
    try reader.allow([
      "schema", "name", "title", "source", "extends", "resolution", "input_channels", "classes",
      "width", "divisor", "epsilon", "layers", "definitions",
    ])
    guard try reader.integer("schema") == 1 else {
      throw reader.error("schema", "this version reads schema 1")
    }
    if reader.has("extends") {
      guard depth < 8 else { throw reader.error("extends", "more than 8 files extend each other") }
      let found = try base(try reader.string("extends"))
      self = try SpaceSchema(yaml: found.text, file: found.file, base: base, depth: depth + 1)
    }
    name = try reader.string("name")
    guard !name.isEmpty, name.utf8.allSatisfy({ TextParser.isWord($0) || $0 == 45 || $0 == 46 })
    else { throw reader.error("name", "may hold letters, digits, '.', '_' and '-'") }
    title = try reader.string("title", default: title)
    source = try reader.string("source", default: source)
    resolutions = try reader.integers("resolution", default: resolutions)
    guard resolutions.allSatisfy({ $0 >= 1 }) else {
      throw reader.error("resolution", "must be at least 1")
    }
    inputChannels = try reader.integer("input_channels", default: inputChannels)
    classes = try reader.integer("classes", default: classes, in: 1...1_000_000)
    width = try reader.number("width", default: width)
    guard width > 0, width <= 64 else { throw reader.error("width", "must be in (0, 64]") }
    divisor = try reader.integer("divisor", default: divisor, in: 1...1024)
    epsilon = Float(try reader.number("epsilon", default: Double(epsilon)))
    guard epsilon > 0, epsilon.isFinite else {
      throw reader.error("epsilon", "must be above 0 and finite as a 32-bit number")
    }
    if reader.has("layers") {
      layers = try reader.sequence("layers").map { try Layer(reader, $0) }
    }
    guard !layers.isEmpty else { throw YAMLReader.error(file, 1, "a search space needs 'layers'") }
  }
}

extension SpaceSchema.Layer {
  fileprivate init(_ parent: YAMLReader, _ node: Yams.Node) throws {
    let (kind, reader) = try SpaceSchema.Prototype.entry(parent, node)
    switch kind {
    case "stage": self = .stage(try SpaceSchema.Stage(reader))
    case "cells": self = .cells(try SpaceSchema.Cells(reader))
    default: self = .block(try SpaceSchema.Prototype(kind, reader))
    }
  }
}

extension SpaceSchema.Stage {
  fileprivate init(_ reader: YAMLReader) throws {
    try reader.allow(["name", "depth", "out", "width", "stride", "block", "choice"])
    depths = try reader.integers("depth")
    guard depths.allSatisfy({ $0 <= 64 }), depths == depths.sorted() else {
      throw reader.error("depth", "must ascend and be at most 64")
    }
    name = try reader.name(default: "blocks")
    if reader.has("out") { out = try reader.integer("out") }
    widths = try reader.widths()
    guard widths.isEmpty || out != nil else {
      throw reader.error("width", "multiplies 'out', which the stage does not have")
    }
    stride = try reader.integer("stride", default: 1, in: 1...8)
    guard reader.has("block") != reader.has("choice") else {
      throw YAMLReader.error(
        reader.file, reader.line, "a stage needs 'block' or 'choice', one of them")
    }
    if reader.has("block") {
      let (kind, inner) = try SpaceSchema.Prototype.entry(reader, try reader.value("block"))
      candidates = [.init(id: "", block: try .init(kind, inner, isPart: true))]
    } else {
      candidates = try SpaceSchema.Candidate.list(reader, "choice")
    }
  }
}

extension SpaceSchema.Cells {
  fileprivate init(_ reader: YAMLReader) throws {
    try reader.allow(["name", "nodes", "count", "out", "operations"])
    name = try reader.name(default: name)
    nodes = try reader.integer("nodes", in: 2...16)
    count = try reader.integer("count", in: 1...64)
    out = try reader.integer("out")
    candidates = try SpaceSchema.Candidate.list(reader, "operations")
  }
}

extension SpaceSchema.Candidate {
  fileprivate static func list(_ reader: YAMLReader, _ key: String) throws -> [Self] {
    let list = try reader.sequence(key).map { node in
      let entry = try YAMLReader(node, file: reader.file, what: "a candidate")
      let id = try entry.string("id")
      guard !id.isEmpty, id.utf8.allSatisfy({ (48...57).contains($0) || (97...122).contains($0) })
      else { throw entry.error("id", "may hold small letters and digits") }
      guard id.first != "d" || Int(id.dropFirst()) == nil else {
        throw entry.error("id", "'\(id)' reads as the depth of a stage")
      }
      let kinds = entry.node.compactMap { $0.key.string }.filter { $0 != "id" }
      guard kinds.count == 1 else {
        throw YAMLReader.error(reader.file, entry.line, "a candidate needs 'id' and one block")
      }
      let block = try SpaceSchema.Prototype.block(entry, kinds[0])
      return Self(id: id, block: try .init(kinds[0], block, isPart: true))
    }
    guard list.count <= 255, Set(list.map(\.id)).count == list.count else {
      throw reader.error(key, "needs at most 255 candidates with different ids")
    }
    return list
  }
}

extension SpaceSchema.Prototype {
  /// The single `kind: {…}` of a list entry.
  fileprivate static func entry(_ parent: YAMLReader, _ node: Yams.Node) throws
    -> (String, YAMLReader)
  {
    let entry = try YAMLReader(node, file: parent.file, what: "a layer")
    guard entry.node.count == 1, let kind = entry.node.first?.key.string else {
      throw YAMLReader.error(parent.file, entry.line, "a layer is one 'kind: {...}'")
    }
    return (kind, try block(entry, kind))
  }

  fileprivate static func block(_ entry: YAMLReader, _ kind: String) throws -> YAMLReader {
    let value = try entry.value(kind)
    // `identity:` without anything is an empty mapping.
    if case .scalar(let scalar) = value, scalar.string.isEmpty || scalar.string == "null" {
      return try YAMLReader(
        .mapping(.init([], .implicit, .any, scalar.mark)), file: entry.file, what: kind)
    }
    return try YAMLReader(value, file: entry.file, what: kind)
  }

  /// Keys that a block inside a stage or cell has from there.
  private static let placeKeys = ["name", "out", "width", "keep_width", "stride"]

  /// - Parameter isPart: whether the block stands inside a stage, a cell or another block.
  fileprivate init(_ kindName: String, _ reader: YAMLReader, isPart: Bool = false) throws {
    let kinds: [String: (Block.Kind, [String])] = [
      "conv": (
        .convolution,
        [
          "name", "out", "kernel", "stride", "groups", "activation", "norm", "bias", "residual",
          "width", "keep_width", "pre_activated",
        ]
      ),
      "mbconv": (
        .mbconv,
        ["name", "out", "kernel", "expand", "stride", "groups", "activation", "se", "residual"]
      ),
      "linear_block": (
        .linearBlock,
        ["name", "out", "kernel", "expand", "stride", "activation", "norm", "residual"]
      ),
      "bottleneck": (.bottleneck, ["name", "kernel", "expand", "activation"]),
      "reduction": (.reduction, ["name", "out", "stride", "activation"]),
      "max_pool": (.maxPool, ["name", "kernel", "stride"]),
      "avg_pool": (.averagePool, ["name", "kernel", "stride"]),
      "global_pool": (.globalPool, ["name"]),
      "linear": (.linear, ["name"]),
      "norm": (.normActivation, ["name", "activation"]),
      "identity": (.identity, ["projection"]),
      "zero": (.zero, []),
    ]
    guard let (kind, keys) = kinds[kindName] else {
      throw YAMLReader.error(
        reader.file, reader.line,
        "unknown layer '\(kindName)'; known: \((kinds.keys + ["stage", "cells"]).sorted().joined(separator: ", "))"
      )
    }
    try reader.allow(keys)
    guard !isPart || ![.globalPool, .linear].contains(kind) else {
      throw YAMLReader.error(
        reader.file, reader.line, "\(kindName) is a layer of its own, no part of a stage or cell")
    }
    if isPart, let key = Self.placeKeys.first(where: reader.has) {
      throw reader.error(
        key, "has no effect here: it is taken from what the \(kindName) is part of")
    }
    self.init(kind: kind)
    name = try reader.name(default: "")
    if reader.has("out") { out = try reader.integer("out") }
    kernel = try reader.choices("kernel", default: kind == .convolution ? [1] : [3])
    // An even kernel has no centre: padded by half, it would change the size.
    guard kernel.allSatisfy({ $0.truncatingRemainder(dividingBy: 2) == 1 && $0 <= 63 }) else {
      throw reader.error("kernel", "must be odd whole numbers in 1...63")
    }
    expand = try reader.choices("expand", default: [1])
    guard expand.allSatisfy({ YAMLReader.multipliers.contains($0) }) else {
      throw reader.error("expand", "must be in \(YAMLReader.multipliers)")
    }
    stride = try reader.integer("stride", default: kind == .reduction ? 2 : 1, in: 1...8)
    groups = try reader.integer("groups", default: 1)
    squeezeExcite = try reader.bool("se", default: false)
    activation = try reader.choice("activation", default: .none)
    hasNorm = try reader.bool("norm", default: true)
    hasBias = try reader.bool("bias", default: false)
    isResidual = try reader.bool("residual", default: [.mbconv, .linearBlock].contains(kind))
    isPreActivated = try reader.bool("pre_activated", default: false)
    widths = try reader.widths()
    keepsWidth = try reader.bool("keep_width", default: false)
    if reader.has("projection") {
      let node = try reader.value("projection")
      projection = [
        try Self(
          "conv", try YAMLReader(node, file: reader.file, what: "projection"), isPart: true)
      ]
    }
  }
}

extension YAMLReader {
  /// A path of parameters.
  fileprivate func name(default fallback: String) throws -> String {
    let name = try string("name", default: fallback)
    guard name.utf8.count <= 256 else { throw error("name", "must be at most 256 bytes long") }
    return name
  }

  /// What a multiplier of channels may be. Ids write it out, and smaller ones with a hyphen: 1e-05.
  fileprivate static let multipliers = 0.001...64.0

  /// Multipliers of channels; none where the key is absent.
  fileprivate func widths() throws -> [Double] {
    let widths = try choices("width", default: [])
    guard widths.allSatisfy({ Self.multipliers.contains($0) }) else {
      throw error("width", "must be in \(Self.multipliers)")
    }
    return widths
  }
}
