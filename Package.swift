// swift-tools-version: 6.2
import PackageDescription

/// Strict settings for every Swift target of the package.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
  name: "swiftlet",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Architectures", targets: ["Architectures"]),
    .library(name: "Networks", targets: ["Networks"]),
  ],
  dependencies: [
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2")
  ],
  targets: [
    .target(name: "Architectures", dependencies: [yams], swiftSettings: strict),
    .testTarget(name: "ArchitecturesTests", dependencies: ["Architectures"], swiftSettings: strict),
    .target(
      name: "CImages",
      linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png16")]),
    .target(name: "Networks", dependencies: ["CImages"], swiftSettings: strict),
    .testTarget(
      name: "NetworksTests", dependencies: ["Networks"], exclude: ["Goldens"],
      swiftSettings: strict),
  ]
)
