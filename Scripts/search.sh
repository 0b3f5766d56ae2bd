#!/usr/bin/env bash
# From a bundled table and predictor to an exported ONNX file that was measured on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
budget=${1:-4ms}
swiftlet=.build/release/swiftlet
export SWIFTLET_STORE=runs/search/store.sqlite
mkdir -p runs/search
$swiftlet device list --json --quiet | grep -q '"name":"this-machine"' ||
  $swiftlet device add this-machine --notes "the machine that make search runs on"
exec $swiftlet search --space ofa-mobilenetv3 --device this-machine --latency-budget "$budget" \
  --seed 1 -o runs/search
