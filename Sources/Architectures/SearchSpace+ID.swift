extension SearchSpace {
  /// The architecture's id, `space:genes`: canonical, readable, accepted everywhere.
  ///
  /// Segments are joined by `-`, blocks of a stage by `_`, and a block writes its choices one
  /// after the other: `ofa-mobilenetv3:r176-k3e4_k5e6-k7e3_k3e3_k5e4-...`. A stage's depth is
  /// the number of its blocks.
  public func id(_ genotype: Genotype) -> String {
    let genotype = canonical(genotype)
    let parts = segments.map { segment in
      var tokens = segment.stageGenes.map { genes[$0].codes[genotype[$0]] }
      if let depthGene = segment.depthGene, segment.writesDepth(depth(depthGene, genotype)) {
        tokens.append("d\(depth(depthGene, genotype))")
      } else {
        for block in segment.blocks.prefix(depth(of: segment, genotype)) where !block.isEmpty {
          tokens.append(block.map { genes[$0].codes[genotype[$0]] }.joined())
        }
      }
      return tokens.joined(separator: "_")
    }
    return "\(name):\(parts.joined(separator: "-"))"
  }

  private func depth(of segment: Segment, _ genotype: Genotype) -> Int {
    segment.depthGene.map { depth($0, genotype) } ?? segment.blocks.count
  }

  /// The genotype of an id, with or without the space's name before it.
  /// - Throws: `invalidArchitecture` naming the part that does not fit and what would.
  public func genotype(id: String) throws -> Genotype {
    var body = id[...]
    if let colon = id.firstIndex(of: ":") {
      guard id[..<colon] == name else {
        throw ArchitecturesError(
          .invalidArchitecture, "'\(id)' belongs to the space '\(id[..<colon])', not '\(name)'")
      }
      body = id[id.index(after: colon)...]
    }
    func fail(_ what: String) -> ArchitecturesError {
      ArchitecturesError(.invalidArchitecture, "architecture '\(id.prefix(200))': \(what)")
    }
    guard body.utf8.count <= 65_536 else { throw fail("longer than 65,536 characters") }
    // Of a single architecture there is nothing to say, and splitting that makes one part.
    let parts =
      segments.isEmpty && body.isEmpty
      ? [] : body.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == segments.count else {
      throw fail("\(name) has \(segments.count) parts joined by '-', got \(parts.count)")
    }
    var genotype = Genotype(Array(repeating: 0, count: genes.count))
    for (index, segment) in segments.enumerated() {
      var tokens = parts[index].split(separator: "_", omittingEmptySubsequences: false)[...]
      func take(_ list: [Int]) throws {
        guard var token = tokens.popFirst() else {
          throw fail("part \(index + 1), '\(parts[index])', is too short")
        }
        for gene in list { genotype.genes[gene] = try choice(gene, &token, fail) }
        guard token.isEmpty else { throw fail("'\(token)' is left over in part \(index + 1)") }
      }
      for gene in segment.stageGenes { try take([gene]) }
      var depth = segment.blocks.count
      if let depthGene = segment.depthGene {
        if let token = tokens.first, token.first == "d", let stated = Int(token.dropFirst()),
          segment.writesDepth(stated)
        {
          depth = stated
          tokens.removeFirst()
        } else {
          depth = tokens.count
        }
        guard let choice = genes[depthGene].values.firstIndex(of: Double(depth)) else {
          throw fail(
            "part \(index + 1) has \(depth) blocks; possible: "
              + genes[depthGene].values.map { String(Int($0)) }.joined(separator: ", "))
        }
        genotype.genes[depthGene] = UInt8(choice)
      }
      if segment.depthGene.map({ !segment.writesDepth(self.depth($0, genotype)) }) ?? true {
        for block in segment.blocks.prefix(depth) where !block.isEmpty { try take(block) }
      }
      guard tokens.isEmpty else {
        throw fail("'\(tokens.joined(separator: "_"))' is left over in part \(index + 1)")
      }
    }
    return canonical(genotype)
  }

  private func choice(
    _ gene: Int, _ token: inout Substring, _ fail: (String) -> ArchitecturesError
  ) throws -> UInt8 {
    let codes = genes[gene].codes
    let matches = codes.indices.filter { token.hasPrefix(codes[$0]) }
    guard let best = matches.max(by: { codes[$0].count < codes[$1].count }) else {
      throw fail(
        "'\(token)' is no choice of \(genes[gene].name); possible: \(codes.joined(separator: ", "))"
      )
    }
    token = token.dropFirst(codes[best].count)
    return UInt8(best)
  }
}

extension SearchSpace.Segment {
  /// A depth is written out where the blocks do not show it: no block, or blocks without genes.
  func writesDepth(_ depth: Int) -> Bool {
    depth == 0 || blocks.contains { $0.isEmpty }
  }
}
