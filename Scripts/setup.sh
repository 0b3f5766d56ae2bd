#!/usr/bin/env bash
# Installs what building and running need and is not there yet; says in one line what is missing
# when it can't. Usage: Scripts/setup.sh search|test
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${1:?usage: Scripts/setup.sh search|test}

fail() { echo "setup: $*" >&2; exit 69; }

command -v swift >/dev/null || fail "no Swift toolchain on the PATH; install Swift 6.2 or newer from swift.org"
version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -1) || true
[ "$(printf '%s\n' 6.2 "$version" | sort -V | head -1)" = 6.2 ] ||
  fail "Swift ${version:-of unknown version} on the PATH is too old; install 6.2 or newer from swift.org"
command -v python3 >/dev/null || packages_first=python3

# Debian package = file whose presence shows that it is installed.
missing=()
has_header() { echo "#include <$1>" | cc -E -x c - >/dev/null 2>&1; }
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v pkg-config >/dev/null || missing+=(pkg-config)
pkg-config --exists openblas 2>/dev/null || missing+=(libopenblas-dev)
has_header sqlite3.h || missing+=(libsqlite3-dev)
has_header jpeglib.h || echo '#include <stdio.h>
#include <jpeglib.h>' | cc -E -x c - >/dev/null 2>&1 || missing+=(libjpeg-dev)
has_header png.h || missing+=(libpng-dev)
[ -z "${packages_first:-}" ] || missing+=(python3)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setup: installing ${missing[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null 2>&1 || fail "apt-get update failed; these packages are missing: ${missing[*]}"
    apt-get install -y -qq "${missing[@]}" >/dev/null 2>&1 || fail "could not install ${missing[*]}; install them by hand"
  else
    fail "missing packages: ${missing[*]}; run as root: apt-get install ${missing[*]}"
  fi
fi

# Python packages of the worker, and for tests those of the peers.
requirements=(workers/requirements.txt)
[ "$profile" = test ] && requirements+=(Tests/peers/requirements.txt)
venv=.venv
stamp=$venv/.installed-$profile
no_deps=Tests/peers/requirements-no-deps.txt
wanted="$(python3 --version) $(cat "${requirements[@]}" $no_deps | sha256sum)"
# After an upgrade of the system its interpreter may be gone, or another than the packages are for.
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || ! $venv/bin/python -c '' 2>/dev/null; then
  echo "setup: Python packages into $venv" >&2
  { [ "$($venv/bin/python --version 2>/dev/null)" = "$(python3 --version)" ] &&
    $venv/bin/python -m pip --version >/dev/null 2>&1; } || python3 -m venv --clear $venv ||
    fail "python3 -m venv failed"
  for file in "${requirements[@]}"; do
    $venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$file" >&2 ||
      fail "pip could not install $file; is a package index reachable?"
  done
  if [ "$profile" = test ]; then
    $venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $no_deps >&2 ||
      fail "pip could not install $no_deps; is a package index reachable?"
  fi
  echo "$wanted" >"$stamp"
fi
