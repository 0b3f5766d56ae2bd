import Architectures
import Foundation
import Networks
import Testing

@testable import Supernets
@testable import Tensors

@Suite struct SupernetTests {
  /// A supernet all of whose parameters are random: fresh norms and kernel matrices are the identity,
  /// which would hide that they are left out.
  private func scrambled(_ space: SearchSpace, _ random: inout RandomStream) throws -> Supernet {
    let supernet = try Supernet(space, random: &random)
    for item in supernet.namedParameters {
      let value = item.parameter.value
      let noise = random.normal(value.shape).array
      let isVariance = item.path.hasSuffix("running_var")
      let scale: Float = item.path.contains("matrix") ? 0.02 : 0.2
      item.parameter.value = try Tensor(
        zip(value.array, noise).map { isVariance ? 0.5 + abs($1) : $0 + scale * $1 },
        shape: value.shape)
    }
    return supernet
  }

  /// Other test images or labels are other images, however many they are.
  @Test func imagesAreKnownByWhatTheyShow() throws {
    let space = try SpaceCatalog.standard.space("ofa-mobilenetv3-cifar")
    let training = try MemoryImages.procedural(count: 40, classes: 10, size: 32, seed: 1)
    func identity(_ test: MemoryImages) throws -> String {
      try TrainingData(
        ImageCollection(training, test: test, side: 32), space, validation: 8, seed: 1
      ).identity
    }
    let test = try MemoryImages.procedural(count: 20, classes: 10, size: 32, seed: 2)
    #expect(try identity(test) == identity(test))
    let pictures = try MemoryImages.procedural(count: 20, classes: 10, size: 32, seed: 3)
    #expect(try identity(test) != identity(pictures))
    let labels = try MemoryImages(
      width: 32, height: 32, channels: 3, classNames: test.classNames, pixels: test.pixels,
      labels: Array(test.labels.reversed()))
    #expect(try identity(test) != identity(labels))
  }

  /// A subnet and its extraction are the same function.
  @Test(arguments: ["ofa-mobilenetv3-cifar"])
  func extractionKeepsTheFunction(name: String) throws {
    let space = try SpaceCatalog.standard.space(name)
    var random = RandomStream(seed: 1)
    let supernet = try scrambled(space, &random)
    let engine = try Engine(threads: 2)
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<3 {
      let genotype = space.sample(using: &generator)
      let subnet = try supernet.subnet(genotype)
      let x = random.normal([4, subnet.resolution, subnet.resolution, 3])
      let pass = Pass.inference(engine)
      let whole = try supernet(pass.tape.constant(x), subnet, pass).value
      let extracted = try supernet.extracted(genotype, engine: engine)
      let own = Pass.inference(engine)
      let alone = try extracted(own.tape.constant(x), own).value
      #expect(whole.isIdentical(to: alone))
    }
  }

  /// Graph and network agree on every parameter's name and shape: what export relies on.
  @Test(arguments: [
    "ofa-mobilenetv3", "ofa-mobilenetv3-cifar", "ofa-proxylessnas", "ofa-resnet50",
  ])
  func extractedParametersAreTheGraphs(name: String) throws {
    let space = try SpaceCatalog.standard.space(name)
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<3 {
      let genotype = space.sample(using: &generator)
      var random = RandomStream(seed: 1)
      let state = try ExtractedNetwork(space, genotype, random: &random).state()
      let graph = try space.graph(genotype)
      let weights = graph.parameters.filter { $0.constant == nil }
      #expect(Set(weights.map(\.name.text)) == Set(state.keys))
      for weight in weights {
        #expect(weight.type.fixedShape == state[weight.name.text]?.shape, "\(weight.name)")
      }
    }
  }

  /// Sorting changes no function of subnets at full expansion, and narrower ones get the most
  /// important channels.
  @Test func sortingKeepsTheLargest() throws {
    let space = try SpaceCatalog.standard.space("ofa-mobilenetv3-cifar")
    var random = RandomStream(seed: 2)
    let supernet = try scrambled(space, &random)
    let subnet = try supernet.subnet(space.largestGenotype)
    let x = random.normal([2, subnet.resolution, subnet.resolution, 3])
    func logits() throws -> [Float] {
      let pass = Pass.inference(try Engine(threads: 1))
      return try supernet(pass.tape.constant(x), subnet, pass).value.array
    }
    let before = try logits()
    supernet.sortChannels()
    let after = try logits()
    let scale = before.map(abs).max()!
    // Sums of up to 600 products in another order.
    #expect(zip(before, after).allSatisfy { abs($0 - $1) < scale * 1e-4 })
    #expect(before != after)
  }

  /// Linear blocks, with and without norms and shortcuts: extraction keeps function and names.
  @Test func linearBlocksAreHeld() throws {
    let space = try SearchSpace(
      yaml: """
        schema: 1
        name: linear
        resolution: 8
        classes: 3
        layers:
          - conv: {name: stem, out: 8, kernel: 3, activation: relu}
          - stage: {depth: [1, 2], out: 8, block: {linear_block: {expand: [2, 4], activation: relu}}}
          - linear_block: {name: last, out: 16, stride: 2, kernel: 5, expand: 3, norm: false}
          - global_pool:
          - linear: {name: classifier}
        """)
    var random = RandomStream(seed: 1)
    let supernet = try scrambled(space, &random)
    let engine = try Engine(threads: 1)
    let x = random.normal([2, 8, 8, 3])
    func logits(_ genotype: Genotype) throws -> [Float] {
      let pass = Pass.inference(engine)
      return try supernet(pass.tape.constant(x), supernet.subnet(genotype), pass).value.array
    }
    /// Sums of some hundred products, perhaps in another order.
    func areClose(_ a: [Float], _ b: [Float]) -> Bool {
      let scale = a.map(abs).max() ?? 0
      return scale > 0 && zip(a, b).allSatisfy { abs($0 - $1) < scale * 1e-4 }
    }
    for genotype in [space.smallestGenotype, space.largestGenotype] {
      let extracted = try supernet.extracted(genotype, engine: engine)
      let pass = Pass.inference(engine)
      let alone = try extracted(pass.tape.constant(x), pass).value
      let whole = try logits(genotype)
      #expect(areClose(whole, alone.array))
      let weights = try space.graph(genotype).parameters.filter { $0.constant == nil }
      let state = try extracted.state()
      #expect(Set(weights.map(\.name.text)) == Set(state.keys))
    }
    // Sorting keeps the largest and gives narrower ones other channels.
    let ends = [space.largestGenotype, space.smallestGenotype]
    let before = try ends.map(logits)
    supernet.sortChannels()
    let after = try ends.map(logits)
    #expect(areClose(before[0], after[0]) && !areClose(before[1], after[1]))
  }

  /// A space that is quick to train, and images for it.
  private func tiny(activation: String = "relu") throws -> (SearchSpace, TrainingData) {
    let space = try SearchSpace(
      yaml: """
        schema: 1
        name: tiny
        resolution: 8
        classes: 3
        layers:
          - conv: {name: stem, out: 8, kernel: 3, activation: \(activation)}
          - stage: {depth: 1, out: 8, block: {linear_block: {expand: [2, 4], activation: relu}}}
          - global_pool:
          - linear: {name: classifier}
        """)
    let images = try MemoryImages.procedural(count: 40, classes: 3, size: 8, seed: 1)
    let data = try TrainingData(
      ImageCollection(images, side: 8), space, validation: 8, seed: 1)
    return (space, data)
  }

  /// One pixel of one image makes other images, for whatever remembers what was done with them.
  @Test func imagesAreKnownByAllTheirPixels() throws {
    let space = try tiny().0
    let images = try MemoryImages.procedural(count: 200, classes: 3, size: 8, seed: 1)
    func identity(_ pixels: [UInt8]) throws -> String {
      let images = try MemoryImages(
        width: 8, height: 8, channels: 3, classNames: images.classNames, pixels: pixels,
        labels: images.labels)
      return try TrainingData(ImageCollection(images, side: 8), space, validation: 8, seed: 1)
        .identity
    }
    var pixels = images.pixels
    pixels[8 * 8 * 3 * 101] ^= 1
    #expect(try identity(images.pixels) == identity(images.pixels))
    #expect(try identity(images.pixels) != identity(pixels))
  }

  /// As many images as asked, or all there are.
  @Test(arguments: [(20, 20), (51, 51), (1000, 192)])
  func statisticsAreOfAsManyImagesAsAsked(asked: Int, used: Int) throws {
    let images = try MemoryImages.procedural(count: 200, classes: 3, size: 8, seed: 1)
    let data = try TrainingData(
      ImageCollection(images, side: 8), try tiny().0, validation: 8, seed: 1)
    #expect(try Recalibrator(data, images: asked).count == used)
    #expect(throws: SupernetsError.self) { try data.trainingLoader(batch: 8, cutout: 8) }
  }

  /// A second training in a folder is refused and changes nothing there, until the first has ended.
  @Test func aFolderHoldsOneTraining() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("swiftlet-training-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let (space, data) = try tiny()
    let text = "schema: 1\nbatch: 16\nphases: [{name: all, epochs: 1, rate: 0.01}]"
    func trainer() throws -> SupernetTrainer {
      var random = RandomStream(seed: 1)
      return try SupernetTrainer(
        Supernet(space, random: &random), data, TrainingRecipe(yaml: text), recipeText: text,
        directory: folder, engine: Engine(threads: 1))
    }
    func files() throws -> [String: Data] {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      var contents: [String: Data] = [:]
      for name in names {
        contents[name] = try Data(contentsOf: folder.appendingPathComponent(name))
      }
      return contents
    }
    var error: SupernetsError?
    /// While the first is about to replace its log.
    func tryAnother() throws {
      try Data("half".utf8).write(to: folder.appendingPathComponent("log.csv.1.tmp"))
      let before = try files()
      #expect(before["checkpoint.safetensors"] != nil)
      error = #expect(throws: SupernetsError.self) { try trainer().run() }
      #expect(try files() == before)
    }
    let isComplete = try trainer().run(shouldStop: { true }, progress: { _ in try tryAnother() })
    #expect(!isComplete)
    #expect(error?.code == .unwritable)
    #expect(error?.message.hasPrefix("\(folder.path): another training runs here") == true)
    #expect(try trainer().run())
  }

  /// Equal names and shapes are not enough: the networks must be those that were trained.
  @Test func weightsOfAnEarlierSpaceAreRefused() throws {
    let (space, data) = try tiny()
    var random = RandomStream(seed: 1)
    var file = try SupernetFile(
      Supernet(space, random: &random), data: data, recipe: "", epochs: 1)
    try file.load(into: Supernet(space, random: &random))
    let changed = try Supernet(tiny(activation: "hswish").0, random: &random)
    let error = #expect(throws: SupernetsError.self) { try file.load(into: changed) }
    #expect(error?.code == .checkpoint)
    #expect(
      error?.message.hasSuffix("space 'tiny' as it was; it builds other networks now") == true)
    // Older files don't say.
    file.provenance["networks"] = nil
    try file.load(into: changed)
  }

  @Test func kernelsThatCannotBeSharedAreNamed() throws {
    let space = try SearchSpace(
      yaml: """
        schema: 1
        name: kernels
        resolution: 8
        classes: 3
        layers:
          - conv: {name: stem, out: 8, kernel: 3}
          - stage: {depth: 1, out: 8, block: {linear_block: {kernel: [3, 5], expand: 2}}}
          - global_pool:
          - linear: {name: classifier}
        """)
    var random = RandomStream(seed: 1)
    let error = #expect(throws: SupernetsError.self) { try Supernet(space, random: &random) }
    #expect(error?.message.contains("one kernel for each linearBlock, not [3, 5]") == true)
  }

  @Test func spacesOfOperationsAreRefused() throws {
    var random = RandomStream(seed: 1)
    let error = #expect(throws: ArchitecturesError.self) {
      try Supernet(SpaceCatalog.standard.space("fbnet"), random: &random)
    }
    #expect(error?.message.contains("chooses between operations") == true)
  }
}
