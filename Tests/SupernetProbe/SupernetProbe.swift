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
    /// Images `[N, C, r, r]`, as tensors `images-r`, and to recalibrate with, `recalibration-r-i`.
    var images: String
    /// Architectures to compute.
    var ids: [String]
    /// Sort channels before, keeping this many trained expansions apart.
    var sort: Int?
    /// Labels of the images: the gradients of their cross entropy in training are computed too.
    var labels: [Int]?
    /// Results `logits/i`, `extracted/i`, `recalibrated/i`, `gradient/i/...`, `loss/i` and, as
    /// `state/...`, the weights.
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
    if let stage = job.sort { supernet.sortChannels(kept: stage) }
    let engine = try Engine(threads: 2)
    let images = try SafeTensors(contentsOf: job.images).tensors
    func image(_ name: String) throws -> Tensor? { try images[name]?.permuted([0, 2, 3, 1]) }
    var results: [String: Tensor] = [:]
    for (i, id) in job.ids.enumerated() {
      let genotype = try space.genotype(id: id)
      let subnet = try supernet.subnet(genotype)
      guard let x = try image("images-\(subnet.resolution)") else { exit(65) }
      let pass = Pass.inference(engine)
      results["logits/\(i)"] = try supernet(pass.tape.constant(x), subnet, pass).value
      let network = try supernet.extracted(genotype, engine: engine)
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
    for (i, id) in job.ids.enumerated() {
      guard let labels = job.labels else { break }
      let subnet = try supernet.subnet(space.genotype(id: id))
      guard let x = try image("images-\(subnet.resolution)") else { exit(65) }
      let pass = Pass(Tape(engine), isTraining: true)
      let loss = try supernet(pass.tape.constant(x), subnet, pass).crossEntropy(labels: labels)
      try loss.backward()
      results["loss/\(i)"] = loss.value
      for item in supernet.namedParameters {
        guard let gradient = item.parameter.gradient else { continue }
        results["gradient/\(i)/\(item.path)"] = try item.role.toFile(gradient)
      }
      supernet.zeroGradients()
    }
    try SafeTensors(tensors: results).write(to: job.output)
  }
}
