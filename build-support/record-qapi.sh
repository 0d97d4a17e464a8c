#!/usr/bin/env bash
# Writes what a QEMU says of its own QMP, one entry a line: record-qapi.sh <qemu-system-...> [argument...]
set -euo pipefail
[ $# -gt 0 ] || {
  printf 'usage: %s <qemu-system-...> [argument...]\n' "$0" >&2
  exit 1
}

python3 - "$@" -machine none -nodefaults -display none -accel tcg -qmp stdio <<'EOF'
import json
import subprocess
import sys

with subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as qemu:

    def execute(command):
        qemu.stdin.write(json.dumps({"execute": command}) + "\n")
        qemu.stdin.flush()
        while True:
            answer = json.loads(qemu.stdout.readline())
            if "return" in answer or "error" in answer:
                return answer["return"]

    qemu.stdout.readline()  # the greeting
    execute("qmp_capabilities")
    schema = execute("query-qmp-schema")
    execute("quit")
print("[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in schema) + "\n]")
EOF
