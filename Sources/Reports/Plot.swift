/// A plot with two axes, as data; `svg()` draws it.
public struct Plot: Hashable, Sendable {
  public struct Point: Hashable, Sendable {
    public var x: Double
    public var y: Double
    /// Shown when the pointer rests on it.
    public var note: String

    public init(_ x: Double, _ y: Double, note: String = "") {
      self.x = x
      self.y = y
      self.note = note
    }
  }

  public enum Style: Hashable, Sendable {
    /// Small dots: many of them may overlap.
    case cloud
    /// Dots with an outline.
    case points
    /// Dots joined by steps: between two of them nothing better is known.
    case front
    case line
    /// One large star.
    case mark
  }

  public struct Series: Hashable, Sendable {
    public var name: String
    public var style: Style
    public var points: [Point]

    public init(_ name: String, _ style: Style, _ points: [Point]) {
      self.name = name
      self.style = style
      self.points = points
    }
  }

  /// A dashed line with a word on it, such as a budget.
  public struct Rule: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
      case vertical(Double)
      case horizontal(Double)
      case diagonal
    }
    public var kind: Kind
    public var label: String

    /// Where it stands, on the axis it crosses.
    var values: [Double] {
      switch kind {
      case .vertical(let value), .horizontal(let value): [value]
      case .diagonal: []
      }
    }

    public init(_ kind: Kind, _ label: String) {
      self.kind = kind
      self.label = label
    }
  }

  public var title: String
  public var subtitle: String
  public var x: Axis
  public var y: Axis
  public var series: [Series]
  public var rules: [Rule]
  public var width = 760.0
  public var height = 480.0
  /// Both axes have one range, for predicted against measured.
  public var isSquare = false

  public init(
    _ title: String, subtitle: String = "", x: Axis, y: Axis, series: [Series], rules: [Rule] = []
  ) {
    self.title = title
    self.subtitle = subtitle
    self.x = x
    self.y = y
    self.series = series
    self.rules = rules
  }

  /// Predicted against measured values with the line where both are equal.
  public static func predictedAgainstMeasured(
    _ title: String, subtitle: String = "", quantity: Axis, points: [Point]
  ) -> Plot {
    var plot = Plot(
      title, subtitle: subtitle,
      x: Axis("measured \(quantity.name)", unit: quantity.unit, detail: quantity.detail),
      y: Axis("predicted \(quantity.name)", unit: quantity.unit),
      series: [Series("networks", .points, points)],
      rules: [Rule(.diagonal, "dashed: predicted = measured")])
    plot.isSquare = true
    plot.width = 560
    plot.height = 560
    return plot
  }
}

/// Colours that people with any colour vision can tell apart (Okabe and Ito 2008), in the order
/// of use; yellow is left out as it is faint on white.
enum Palette {
  static let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
  static let cloud = "#9aa5b1"
  static let ink = "#1f2933"
  static let quiet = "#616e7c"
  static let grid = "#e4e7eb"
}
