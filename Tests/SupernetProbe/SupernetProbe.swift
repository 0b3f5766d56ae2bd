import Architectures
import Foundation
import Networks
import Supernets
import Tensors

/// Computes with weights of the `ofa` package, for Tests/peers/ofa_equality.py:
/// `SupernetProbe JOB.json`.
@main struct SupernetProbe {
  struct Job: Decodable {
    /// Name of a space.
    var space: String
    /// State dict of the supernet.
    var weights: String
    /// Images `[N, C, H, W]` for subnets of resolution r, as tensors `images-r`, and to recalibrate
    /// with, `recalibration-r-i`. Layers know no resolution, so they may have any size.
    var images: String
    /// Architectures to compute.
    var ids: [String]
    /// How often to sort channels afterwards, keeping 0, 1, ... trained expansions apart.
    var sortings: Int
    var threads: Int
    /// Labels of `recalibration-r-0`: for the first architecture the cross entropy in training is
    /// computed too, and its gradients.
    var labels: [Int]?
    /// Results `logits/i`, `extracted/i`, `recalibrated/i`, as `state/...` the weights, after
    /// each sorting `sorted-s/i`, and `loss` and `gradient/...`.
    var output: String
  }

  static func main() throws {
    guard CommandLine.arguments.count == 2 else { exit(64) }
    let data = try Data(contentsOf: URL(fileURLWithPath: CommandLine.arguments[1]))
    let job = try JSONDecoder().decode(Job.self, from: data)
    let space = try SpaceCatalog.standard.space(job.space)
    var random = RandomStream(seed: 0)
    let supernet = try Supernet(space, random: &random)
    try supernet.load(SafeTensors(contentsOf: job.weights).tensors)
    let engine = try Engine(threads: job.threads)
    let images = try SafeTensors(contentsOf: job.images).tensors
    func image(_ name: String) throws -> Tensor? { try images[name]?.permuted([0, 2, 3, 1]) }
    func logits(_ subnet: Supernet.Subnet) throws -> Tensor {
      guard let x = try image("images-\(subnet.resolution)") else { exit(65) }
      let pass = Pass.inference(engine)
      return try supernet(pass.tape.constant(x), subnet, pass).value
    }
    var results: [String: Tensor] = [:]
    let subnets = try job.ids.map { try supernet.subnet(space.genotype(id: $0)) }
    for (i, subnet) in subnets.enumerated() {
      results["logits/\(i)"] = try logits(subnet)
      guard let x = try image("images-\(subnet.resolution)") else { exit(65) }
      let network = try supernet.extracted(subnet.genotype, engine: engine)
      func alone() throws -> Tensor {
        let pass = Pass.inference(engine)
        return try network(pass.tape.constant(x), pass).value
      }
      results["extracted/\(i)"] = try alone()
      try network.recalibrate {
        for batch in 0..<100 {
          guard let x = try image("recalibration-\(subnet.resolution)-\(batch)") else { break }
          let pass = Pass.inference(engine)
          _ = try network(pass.tape.constant(x), pass)
        }
      }
      results["recalibrated/\(i)"] = try alone()
    }
    for (name, tensor) in try supernet.state() { results["state/\(name)"] = tensor }
    if let labels = job.labels {
      guard let x = try image("recalibration-\(subnets[0].resolution)-0") else { exit(65) }
      let pass = Pass(Tape(engine), isTraining: true)
      let loss = try supernet(pass.tape.constant(x), subnets[0], pass).crossEntropy(labels: labels)
      try loss.backward()
      results["loss"] = loss.value
      for item in supernet.namedParameters {
        guard let gradient = item.parameter.gradient else { continue }
        results["gradient/\(item.path)"] = try item.role.toFile(gradient)
      }
      try supernet.load(SafeTensors(contentsOf: job.weights).tensors)
    }
    for stage in 0..<job.sortings {
      supernet.sortChannels(kept: stage)
      for (i, subnet) in subnets.enumerated() {
        results["sorted-\(stage)/\(i)"] = try logits(subnet)
      }
    }
    try SafeTensors(tensors: results).write(to: job.output)
  }
}
