import Architectures
import Foundation
import Testing

/// Costs that publications state, to the last digit.
struct PublishedCostTests {
  @Test(arguments: [
    (128, 41.476, 188.248), (160, 63.241, 291.318), (224, 121.279, 566.171),
  ])
  func mobileNetV3MACs(resolution: Int, smallest: Double, largest: Double) throws {
    let space = try catalog.space("ofa-mobilenetv3")
    let small = "r\(resolution)-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3"
    let stage = Array(repeating: "k7e6", count: 4).joined(separator: "_")
    let large = "r\(resolution)-" + Array(repeating: stage, count: 5).joined(separator: "-")
    let costs = try [small, large].map { try space.graph(space.genotype(id: $0)).cost }
    #expect((Double(costs[0].macs) / 1e3).rounded() / 1e3 == smallest)
    #expect((Double(costs[1].macs) / 1e3).rounded() / 1e3 == largest)
  }

  @Test(arguments: [
    ("ofa-mobilenetv3", 3_410_792, 7_664_760), ("ofa-mobilenetv3-w1.2", 4_602_456, 10_701_632),
    ("ofa-proxylessnas", 3_718_832, 7_942_056), ("ofa-resnet50", 6_539_280, 48_105_992),
  ])
  func parametersOfSmallestAndLargest(name: String, smallest: Int, largest: Int) throws {
    let space = try catalog.space(name)
    let ends = [0, 255].map { end in Genotype(space.genes.map { UInt8(min(end, $0.count - 1)) }) }
    #expect(try space.graph(ends[0]).cost.parameters == smallest)
    #expect(try space.graph(ends[1]).cost.parameters == largest)
  }

  @Test(arguments: [
    (
      "A", 1504, 244.52636,
      "skip-k3e3_k3e1_skip_skip-k5e6_k3e3_k5e1_k3e3-k5e6_k5e3_k5e1g2_k5e6-k3e6_k5e1g2_k5e3_k3e1g2-k5e6_k5e6_k5e3_k5e6-k5e6"
    ),
    (
      "B", 1984, 291.10164,
      "k3e1-k3e6_k5e1_k3e1_k3e1-k5e6_k5e3_k3e6_k5e6-k5e6_k5e6_skip_k5e3-k5e6_k3e1_k5e1_k5e3-k5e6_k5e1_k5e6_k5e6-k3e6"
    ),
    (
      "C", 1984, 378.23344,
      "k3e1-k3e6_skip_k3e1_k3e1-k5e6_k5e3_k5e6_k3e6-k5e6_k5e3_k5e6_k5e6-k5e6_k5e6_k5e6_k5e3-k5e6_k5e6_k5e6_k5e6-k3e6"
    ),
  ])
  func fbnetMACs(name: String, head: Int, published: Double, id: String) throws {
    let yaml = try String(contentsOfFile: "searchspaces/fbnet.yaml", encoding: .utf8)
    let space = try SearchSpace(yaml: yaml.replacing("out: 1984", with: "out: \(head)"))
    let cost = try space.graph(space.genotype(id: id)).cost
    // FBNet counts the additions of global pooling.
    #expect(Double(cost.macs + cost.poolingAdditions) / 1e6 == published)
  }

  @Test func nasBench201IsExactForAllCells() throws {
    let space = try catalog.space("nasbench201")
    #expect(space.architectureCount == 15_625)
    for index in 0..<15_625 {
      var rest = index
      let genes = (0..<6).map { _ -> UInt8 in
        defer { rest /= 5 }
        return UInt8(rest % 5)
      }
      let cost = try space.graph(Genotype(genes)).cost
      let (pointwise, dense) = (genes.count { $0 == 2 }, genes.count { $0 == 3 })
      #expect(cost.parameters == 73_306 + 28_000 * pointwise + 243_040 * dense)
      #expect(cost.macs == 7_783_040 + 3_932_160 * pointwise + 35_389_440 * dense)
    }
  }

  /// MACs of the 50 released Once-for-All networks, but for one that the publication misstates.
  @Test(.enabled(if: publishedData != nil))
  func releasedNetworks() throws {
    let names = [
      "mbv3 1.0": "ofa-mobilenetv3", "mbv3 1.2": "ofa-mobilenetv3-w1.2",
      "proxyless 40.0": "ofa-proxylessnas",
    ]
    // Some were released at sizes beyond those that the spaces list.
    let spaces = try names.mapValues { name in
      try SearchSpace(
        yaml: "schema: 1\nname: x\nextends: \(name)\nresolution: {from: 128, to: 260, step: 4}\n"
          + (name.hasSuffix("w1.2") ? "width: 1.2" : "")
      ) { name in
        (try String(contentsOfFile: "searchspaces/\(name).yaml", encoding: .utf8), name)
      }
    }
    var close = 0
    let all = try rows("\(publishedData!)/lut/ofa_specialized.csv")
    for row in all {
      func numbers(_ column: String) -> [String] {
        row[column]!.split(separator: " ").map(String.init)
      }
      let space = spaces["\(row["space"]!) \(Double(row["width"]!)!)"]!
      var blocks = zip(numbers("ks"), numbers("e")).map { "k\($0)e\($1)" }[...]
      var id = "r\(row["resolution"]!)"
      for depth in numbers("d") {
        id += "-" + blocks.prefix(Int(depth)!).joined(separator: "_")
        blocks = blocks.dropFirst(Int(depth)!)
      }
      let macs = Double(try space.graph(space.genotype(id: id)).cost.macs) / 1e6
      #expect(abs(macs - Double(row["macs_M_computed"]!)!) < 0.01, "\(row["net_id"]!)")
      if abs(macs - Double(row["macs_M_published"]!)!) <= 1 { close += 1 }
    }
    #expect(all.count == 50)
    #expect(close == 49)
  }
}
