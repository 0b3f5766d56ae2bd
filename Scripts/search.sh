#!/usr/bin/env bash
# From the bundled supernet, table and predictor to a trained network as an ONNX file that was
# measured on this machine. With images, its hits on the test images are counted too.
# Usage: Scripts/search.sh [BUDGET [IMAGES]]
set -euo pipefail
cd "$(dirname "$0")/.."
budget=${1:-0.6ms}
swiftlet=.build/release/swiftlet
export SWIFTLET_STORE=runs/search/store.sqlite
mkdir -p runs/search
$swiftlet device list --json --quiet | grep -q '"name":"this-machine"' ||
  $swiftlet device add this-machine --notes "the machine that make search runs on"
exec $swiftlet search --space ofa-mobilenetv3-cifar --device this-machine \
  --latency-budget "$budget" ${2:+--data "$2"} --seed 1 -o runs/search
