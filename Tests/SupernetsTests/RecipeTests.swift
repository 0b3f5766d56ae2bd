import Architectures
import Foundation
import Testing

@testable import Supernets

@Suite struct RecipeTests {
  @Test func theBundledRecipesCanBeFollowed() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "checkpoints")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".recipe.yaml") }
    #expect(!names.isEmpty)
    for name in names {
      let recipe = try TrainingRecipe(contentsOf: folder.appending(path: name).path)
      #expect(!recipe.phases.isEmpty, "\(name)")
    }
  }

  @Test func aPhaseIsReadWhole() throws {
    let recipe = try TrainingRecipe(
      yaml: """
        schema: 1
        clip_norm: 2.5
        phases:
          - {name: full, epochs: 3, rate: 0.1, kernel: 7, depth: 4, expand: 6}
          - name: tied
            epochs: 2
            warm_up: 1
            rate: 0.01
            sampling: sampled
            count: 4
            sampler: worst-up
            teacher: full
            distillation: 0.5
            divergence: alpha
            sort_channels: true
            tie: {depth: [2, 3, 4], expand: [3, 4, 6], kernels: [3, 5, 3, 3, 5]}
        """)
    #expect(recipe.clipNorm == 2.5)
    #expect(recipe.phases[0].choices.values == [.kernel: [7], .depth: [4], .expand: [6]])
    let phase = recipe.phases[1]
    #expect(phase.teacher == .phase("full") && phase.sampler == .worstUp && phase.count == 4)
    #expect(phase.distillation == 0.5 && phase.divergence == .alpha && phase.sortsChannels)
    #expect(phase.choices.tie?.kernels == [3, 5, 3, 3, 5])
    #expect(phase.choices.tie?.expandOfDepth == [2: 3, 3: 4, 4: 6])
  }

  /// Channels of expansions that were trained keep their places; a phase that names none has them all.
  @Test func expansionsThatWereTrainedAreKnown() throws {
    let recipe = try TrainingRecipe(
      yaml: """
        schema: 1
        phases:
          - {name: full, epochs: 1, rate: 1}
          - {name: depth, epochs: 1, rate: 1, sampling: sampled, teacher: full, expand: 6}
          - {name: expand, epochs: 1, rate: 1, sampling: sampled, expand: [4, 6]}
          - {name: all, epochs: 1, rate: 1, sampling: sandwich}
        """)
    let smallest = (0...4).map { recipe.smallestTrainedExpansion(in: $0) }
    #expect(smallest == [.infinity, .infinity, 6, 4, 0])
    #expect(recipe.teacher(of: recipe.phases[1])?.name == "full")
  }

  @Test(arguments: [
    ("phases: [{name: a, epochs: 1, rate: 0.1, warmup: 1}]", "recipe.yaml:2: unknown key 'warmup'"),
    ("phases: [{name: a, epochs: 0, rate: 0.1}]", "epochs"),
    ("phases: [{name: a, epochs: 1, rate: 0}]", "rate: must be above 0"),
    ("phases: [{name: a, epochs: 1, rate: 1, teacher: b}]", "not 'b'"),
    ("phases: [{name: a, epochs: 1, rate: 1, teacher: in-place}]", "needs the sampling 'sandwich'"),
    ("phases: [{name: a, epochs: 1, rate: 1, sampling: some}]", "must be one of largest"),
    ("phases: [{name: 'a,b', epochs: 1, rate: 1}]", "of letters, digits"),
    ("phases: [{name: checkpoint, epochs: 1, rate: 1}]", "neither 'checkpoint'"),
    ("clip_norm: 0\nphases: [{name: a, epochs: 1, rate: 1}]", "clip_norm: must be above 0"),
    ("phases: []", "phases: must be a list that is not empty"),
    ("batch: 0\nphases: [{name: a, epochs: 1, rate: 1}]", "batch: must be a whole number"),
  ])
  func badRecipesAreRefused(yaml: String, words: String) {
    let error = #expect(throws: SupernetsError.self) {
      try TrainingRecipe(yaml: "schema: 1\n\(yaml)")
    }
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
  }
}
