internal import Architectures
internal import CKernels
import Synchronization
internal import Tensors

/// Members of an ensemble laid out for scoring many genotypes fast.
///
/// The first layer sees one-hot columns, so it is a sum of rows: genes of one block share a table
/// with a row for each combination of their choices. The other layers are matrix products over
/// batches of rows. Working memory is kept from call to call.
///
final class EnsembleScorer: Sendable {
  /// Rows a batch.
  static let batch = 128

  /// Genes that are looked up together.
  private struct Term {
    var genes: [Int]
    var strides: [Int]
    /// First row in `rows`.
    var row: Int
    /// The genes count where the depth gene's value exceeds the position.
    var depthGene: Int
    var position: Int
  }

  private let terms: [Term]
  private let depths: [[Int]]
  private let members: [MultilayerPerceptron]
  /// Widest activations of a row, all members' first layers side by side.
  private let firstWidth: Int
  private let widest: Int
  /// `[rows, firstWidth]`, the first row being the bias.
  private let rows: Buffer
  /// Of each member: weights and bias of the layers after the first.
  private let weights: [[(weight: Buffer, bias: Buffer)]]
  private let idle = Mutex<[Workspace]>([])

  /// Floats with the slack that the kernels may read behind them. `@unchecked Sendable`: written
  /// only before it is shared, or by the caller it is lent to.
  private final class Buffer: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
    init(count: Int) {
      pointer = .allocate(capacity: count + Int(CK_SLACK))
      pointer.initialize(repeating: 0, count: count + Int(CK_SLACK))
    }
    convenience init(_ values: [Float]) {
      self.init(count: values.count)
      pointer.update(from: values, count: values.count)
    }
    deinit { pointer.deallocate() }
  }

  private struct Workspace: Sendable {
    var first: Buffer
    var even: Buffer
    var odd: Buffer
  }

  /// - Parameter columns: of each choice of each gene, -1 for none, as `FeatureEncoding` lays out.
  init(space: SearchSpace, columns: [[Int]], members: [MultilayerPerceptron]) {
    self.members = members
    firstWidth = members.reduce(0) { $0 + $1.layers[0].bias.count }
    widest = members.flatMap(\.hidden).max() ?? 1
    let bias = members.flatMap { $0.layers[0].bias.array }
    let first = members.map { ($0.layers[0].bias.count, $0.layers[0].weight.array) }
    func row(_ columns: [Int]) -> [Float] {
      first.flatMap { width, weight in
        (0..<width).map { unit in columns.reduce(0) { $0 + weight[$1 * width + unit] } }
      }
    }
    var table = bias
    var terms: [Term] = []
    for genes in Self.lookups(space, columns) {
      let condition = space.genes[genes[0]].condition
      var term = Term(
        genes: genes, strides: [], row: table.count / max(firstWidth, 1),
        depthGene: condition?.depthGene ?? -1, position: condition?.position ?? 0)
      var count = 1
      for gene in genes {
        term.strides.append(count)
        count *= space.genes[gene].count
      }
      for entry in 0..<count {
        table += row(
          zip(genes, term.strides).map { columns[$0][entry / $1 % space.genes[$0].count] })
      }
      terms.append(term)
    }
    self.terms = terms
    depths = space.genes.map { $0.role == .depth ? $0.values.map { Int($0) } : [] }
    rows = Buffer(table)
    weights = members.map { member in
      member.layers.dropFirst().map { (Buffer($0.weight.array), Buffer($0.bias.array)) }
    }
  }

  /// Genes with columns, those of one block together while their table stays small.
  private static func lookups(_ space: SearchSpace, _ columns: [[Int]]) -> [[Int]] {
    var result: [[Int]] = []
    for gene in space.genes.indices where columns[gene].contains(where: { $0 >= 0 }) {
      if let last = result.last, space.genes[last[0]].group == space.genes[gene].group,
        space.genes[last[0]].condition == space.genes[gene].condition,
        last.reduce(space.genes[gene].count, { $0 * space.genes[$1].count }) <= 64
      {
        result[result.count - 1].append(gene)
      } else {
        result.append([gene])
      }
    }
    return result
  }

  /// Calls `result(index, outputs)` for each genotype in order; `outputs` has one number a member.
  func score(_ genotypes: [Genotype], _ result: (Int, UnsafeBufferPointer<Double>) -> Void) {
    let workspace =
      idle.withLock { $0.popLast() }
      ?? Workspace(
        first: Buffer(count: Self.batch * firstWidth), even: Buffer(count: Self.batch * widest),
        odd: Buffer(count: Self.batch * widest))
    defer { idle.withLock { $0.append(workspace) } }
    withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.batch * members.count) { out in
      for start in stride(from: 0, to: genotypes.count, by: Self.batch) {
        let count = min(Self.batch, genotypes.count - start)
        for row in 0..<count {
          sumRows(genotypes[start + row], workspace.first.pointer + row * firstWidth)
        }
        ck_activation(
          Int32(CK_RELU), Int64(count * firstWidth), workspace.first.pointer,
          workspace.first.pointer)
        var column = 0
        for index in members.indices {
          finish(index, column: column, count: count, workspace, out)
          column += members[index].hidden[0]
        }
        for row in 0..<count {
          result(
            start + row,
            UnsafeBufferPointer(rebasing: out[row * members.count..<(row + 1) * members.count]))
        }
      }
    }
  }

  /// The first layer of all members, before its activation.
  private func sumRows(_ genotype: Genotype, _ sum: UnsafeMutablePointer<Float>) {
    sum.update(from: rows.pointer, count: firstWidth)
    genotype.genes.withUnsafeBufferPointer { genes in
      for term in terms {
        if term.depthGene >= 0,
          depths[term.depthGene][Int(genes[term.depthGene])] <= term.position
        {
          continue
        }
        var row = term.row
        for place in term.genes.indices {
          row &+= Int(genes[term.genes[place]]) &* term.strides[place]
        }
        ck_axpy(Int64(firstWidth), 1, rows.pointer + row * firstWidth, sum)
      }
    }
  }

  /// The layers of one member after the first, for `count` rows.
  private func finish(
    _ index: Int, column: Int, count: Int, _ workspace: Workspace,
    _ out: UnsafeMutableBufferPointer<Double>
  ) {
    let hidden = members[index].hidden
    var input = workspace.first.pointer + column
    var stride = firstWidth
    for layer in 1..<hidden.count {
      let target = layer % 2 == 0 ? workspace.even.pointer : workspace.odd.pointer
      var product = ck_gemm_args()
      (product.m, product.n, product.k) = (
        Int64(count), Int64(hidden[layer]), Int64(hidden[layer - 1])
      )
      (product.a, product.lda) = (UnsafePointer(input), Int64(stride))
      (product.b, product.ldb) = (
        UnsafePointer(weights[index][layer - 1].weight.pointer), Int64(hidden[layer])
      )
      (product.c, product.ldc) = (target, Int64(hidden[layer]))
      product.shift = UnsafePointer(weights[index][layer - 1].bias.pointer)
      product.activation = Int32(CK_RELU)
      ck_gemm(&product)
      (input, stride) = (target, hidden[layer])
    }
    let (weight, bias) = weights[index][hidden.count - 1]
    let width = hidden[hidden.count - 1]
    for row in 0..<count {
      out[row * members.count + index] =
        ck_dot(Int64(width), input + row * stride, weight.pointer) + Double(bias.pointer[0])
    }
  }
}
