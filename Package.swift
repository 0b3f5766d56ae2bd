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
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")

let arguments: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")

let package = Package(
  name: "swiftlet",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Architectures", targets: ["Architectures"]),
    .library(name: "Searchers", targets: ["Searchers"]),
    .library(name: "Reports", targets: ["Reports"]),
    .library(name: "Networks", targets: ["Networks"]),
    .library(name: "Store", targets: ["Store"]),
    .library(name: "Devices", targets: ["Devices"]),
    .library(name: "Tensors", targets: ["Tensors"]),
    .library(name: "Predictors", targets: ["Predictors"]),
    .library(name: "Supernets", targets: ["Supernets"]),
  ],
  dependencies: [
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    .target(name: "Architectures", dependencies: [yams], swiftSettings: strict),
    .target(name: "Files", swiftSettings: strict),
    .target(name: "CKernels"),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .target(
      name: "Tensors", dependencies: ["CKernels", "COpenBLAS", "Files"], swiftSettings: strict),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "CKernels"], swiftSettings: strict),
    .testTarget(name: "ArchitecturesTests", dependencies: ["Architectures"], swiftSettings: strict),
    .target(name: "Searchers", dependencies: ["Architectures"], swiftSettings: strict),
    .testTarget(
      name: "SearchersTests", dependencies: ["Searchers", "Architectures"], exclude: ["Goldens"],
      swiftSettings: strict),
    .target(
      name: "Reports", dependencies: ["Architectures"], swiftSettings: strict),
    .testTarget(name: "ReportsTests", dependencies: ["Reports"], swiftSettings: strict),
    // Generated code: Sources/ONNXProto/generate.sh.
    .target(
      name: "ONNXProto", dependencies: [protobuf], exclude: ["onnx.proto", "generate.sh"]),
    .target(
      name: "ONNXFormat", dependencies: ["Architectures", "Files", "ONNXProto", protobuf],
      swiftSettings: strict),
    .testTarget(
      name: "ONNXFormatTests", dependencies: ["ONNXFormat", "Architectures"],
      swiftSettings: strict),
    .target(
      name: "CImages",
      linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png16")]),
    .target(
      name: "Networks", dependencies: ["CImages", "Files", "Tensors"], swiftSettings: strict),
    .target(
      name: "Supernets", dependencies: ["Architectures", "Files", "Networks", "Tensors", yams],
      swiftSettings: strict),
    .executableTarget(
      name: "SupernetProbe", dependencies: ["Architectures", "Networks", "Supernets", "Tensors"],
      path: "Tests/SupernetProbe", swiftSettings: strict),
    .testTarget(
      name: "SupernetsTests",
      dependencies: ["Supernets", "Architectures", "Networks", "SupernetProbe", "Tensors"],
      swiftSettings: strict),
    .target(
      name: "EngineBenchmarks",
      dependencies: ["Architectures", "Networks", "Supernets", "Tensors"], swiftSettings: strict),
    .executableTarget(
      name: "engine-bench", dependencies: ["EngineBenchmarks"], path: "Sources/EngineBench",
      swiftSettings: strict),
    .executableTarget(
      name: "TrainingProbe", dependencies: ["Networks", "Tensors"], path: "Tests/TrainingProbe",
      swiftSettings: strict),
    .testTarget(
      name: "NetworksTests", dependencies: ["Networks", "Tensors", "TrainingProbe", "engine-bench"],
      exclude: ["Goldens"],
      swiftSettings: strict),
    .target(
      name: "Predictors",
      dependencies: ["Architectures", "CKernels", "Devices", "Searchers", "Store", "Tensors"],
      swiftSettings: strict),
    .testTarget(
      name: "PredictorsTests",
      dependencies: ["Predictors", "Architectures", "Devices", "ONNXFormat", "Store", "Tensors"],
      swiftSettings: strict),
    .target(name: "Store", dependencies: ["Architectures", "Files", grdb], swiftSettings: strict),
    .testTarget(name: "StoreTests", dependencies: ["Store", grdb], swiftSettings: strict),
    .target(name: "Devices", dependencies: ["Architectures", "Files", "Store"], swiftSettings: strict),
    .testTarget(
      name: "DevicesTests", dependencies: ["Architectures", "Devices", "Files", "Store"],
      swiftSettings: strict),
    .executableTarget(
      name: "swiftlet",
      dependencies: [
        "Architectures", "Devices", "EngineBenchmarks", "Files", "Networks", "ONNXFormat",
        "Predictors", "Reports", "Searchers", "Store", "Supernets", "Tensors", arguments,
      ],
      swiftSettings: strict),
    // Runs the built command; depends on it so that it is built.
    .testTarget(name: "CommandTests", dependencies: ["swiftlet"], swiftSettings: strict),
  ]
)
