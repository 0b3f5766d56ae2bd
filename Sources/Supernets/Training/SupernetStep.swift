internal import Architectures
package import Networks
package import Tensors

/// One step of a phase: draws subnets, adds up their gradients, updates the shared weights once.
package struct SupernetStep {
  private let supernet: Supernet
  private let data: TrainingData
  private let recipe: TrainingRecipe
  private let phase: TrainingRecipe.Phase
  private let teacher: Supernet?
  private let engine: Engine
  private let sampler: SubnetSampler
  private let largest: Supernet.Subnet
  /// The largest subnet of the phase that `teacher` comes from.
  private let taught: Supernet.Subnet?

  package init(
    _ supernet: Supernet, _ data: TrainingData, _ recipe: TrainingRecipe,
    _ phase: TrainingRecipe.Phase, teacher: Supernet?, engine: Engine
  ) throws {
    self.supernet = supernet
    self.data = data
    self.recipe = recipe
    self.phase = phase
    self.teacher = teacher
    self.engine = engine
    sampler = try SubnetSampler(ChoiceSet(supernet.space, phase.choices))
    largest = try supernet.subnet(sampler.choices.largest)
    taught = try recipe.teacher(of: phase).map {
      try supernet.subnet(ChoiceSet(supernet.space, $0.choices).largest)
    }
  }

  /// - Parameter given: the subnets to train; drawn by the phase's rule when left out.
  /// - Returns: the loss of the step's first subnet against the labels.
  package func callAsFunction(
    _ batch: ImageBatch, _ trainer: Trainer, subnets given: [Supernet.Subnet]? = nil
  ) throws -> Float {
    let images = try Tensor(batch.pixels, shape: batch.shape)
    let targets = try Mixup.targets(
      batch.labels, classes: data.classNames.count, smoothing: recipe.labelSmoothing)
    var soft: Tensor?
    if let teacher, let taught {
      // In training mode, as published: normalised by the batch.
      let pass = Pass(Tape(engine, recording: false), isTraining: true)
      let x = try data.images(images, at: taught.resolution, engine: engine)
      soft = try teacher(pass.tape.constant(x), taught, pass).value
    }
    var shown: Float?
    let chosen = try given ?? subnets(images, targets, trainer)
    for (position, subnet) in chosen.enumerated() {
      let x = try data.images(images, at: subnet.resolution, engine: engine)
      let learnsLabels = position == 0 || phase.teacher != .inPlace
      _ = try trainer.accumulate { pass in
        let logits = try supernet(
          pass.tape.constant(x), subnet, dropout: learnsLabels ? recipe.dropout : 0, pass)
        var loss: Variable?
        if learnsLabels {
          let hard = try logits.crossEntropy(target: targets)
          if shown == nil { shown = hard.scalar }
          loss = hard
        }
        if let soft {
          let distilled = try phase.divergence(logits, teacher: soft) * phase.distillation
          loss = try loss.map { try $0 + distilled } ?? distilled
        } else if phase.teacher == .inPlace {
          soft = logits.value.copied()
        }
        return loss!
      }
    }
    try trainer.update()
    return shown ?? 0
  }

  /// The subnets of a step; they depend on the seed and the step, and for best-up and worst-up on
  /// the losses of the candidates.
  private func subnets(
    _ images: Tensor, _ targets: Tensor, _ trainer: Trainer
  ) throws -> [Supernet.Subnet] {
    var random = SeededGenerator(seed: trainer.options.seed, stream: "subnets-\(trainer.step)")
    if phase.sampling == .largest { return [largest] }
    var subnets: [Supernet.Subnet] = []
    if phase.sampling == .sandwich {
      subnets = [largest, try supernet.subnet(sampler.choices.smallest)]
    }
    for _ in 0..<phase.count {
      switch phase.sampler {
      case .uniform, .uniformCost:
        subnets.append(try supernet.subnet(sampler.draw(phase.sampler, &random)))
      case .bestUp, .worstUp:
        // Three candidates of equal cost, judged by their loss on this batch, as published.
        let candidates = try sampler.candidates(3, &random).map(supernet.subnet)
        let losses = try candidates.map { subnet in
          let pass = Pass(Tape(engine, recording: false), isTraining: true)
          let x = try data.images(images, at: subnet.resolution, engine: engine)
          return try supernet(pass.tape.constant(x), subnet, pass)
            .crossEntropy(target: targets).scalar
        }
        let order = candidates.indices.sorted { losses[$0] < losses[$1] }
        subnets.append(candidates[phase.sampler == .bestUp ? order[0] : order[2]])
      }
    }
    return subnets
  }
}
