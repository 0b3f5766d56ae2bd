#!/usr/bin/env bash
# From the bundled supernet, table and predictor to a trained network as an ONNX file that was
# measured on this machine. With images, its hits on the test images are counted too.
# Without a budget: twice what the smallest network takes here. Usage: Scripts/search.sh [BUDGET [IMAGES]]
set -euo pipefail
cd "$(dirname "$0")/.."
space=ofa-mobilenetv3-cifar
budget=${1:-}
swiftlet=.build/release/swiftlet
export SWIFTLET_STORE=runs/search/store.sqlite
mkdir -p runs/search
$swiftlet device list --json --quiet | grep -q '"name":"this-machine"' ||
  $swiftlet device add this-machine --notes "the machine that make search runs on"
if [ -z "$budget" ]; then
  smallest=$space:r28-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3-k3e3_k3e3
  measured=$($swiftlet measure "$smallest" --device this-machine --json --quiet)
  budget=$(.venv/bin/python -c '
import json, sys
print("%.2fms" % (2 * json.load(sys.stdin)["samples"][0]["measuredLatencyMs"]))' <<<"$measured")
  echo "budget $budget: twice what the smallest network takes here" >&2
fi
exec $swiftlet search --space $space --device this-machine \
  --latency-budget "$budget" ${2:+--data "$2"} --seed 1 -o runs/search
