#!/usr/bin/env bash
# test-reports.sh failed|skipped <file>: what the reports of Surefire and Failsafe below this tree that are newer than
# <file> say. Failed: each test that failed, with the first lines of why. Skipped: one line for each reason of a class, with
# the number of its tests.
set -euo pipefail
cd "$(dirname "$(dirname "$(readlink -f "$0")")")"

case "${1:-}" in
  failed)
    program='
      /<testcase / { test = type(value("classname")) "." value("name"); lines = 0; ended = 0 }
      /<(failure|error)[ >]/ { printf "  %s\n", test; lines = 1 }
      lines > 0 && !ended { line = $0; sub(/^.*<!\[CDATA\[/, "", line); ended = sub(/\]\]>.*$/, "", line)
                            printf "      %s\n", substr(line, 1, 300); if (++lines > 15) ended = 1 }
      /<\/(failure|error)>/ { ended = 1 }'
    ;;
  skipped)
    program='
      /<testcase / { class = type(value("classname")) }
      /<skipped/   { why = value("message")
                     if (why == "" && match($0, /Assumption failed: .*/)) why = substr($0, RSTART + 19)
                     sub(/\]\]>.*$/, "", why)
                     count["  " class ": " (why == "" ? "no reason given" : why)]++ }
      END          { for (line in count) print line " (" count[line] ")" }'
    ;;
  *)
    echo "usage: $0 failed|skipped <file>" >&2
    exit 1
    ;;
esac

find . -maxdepth 4 -path './*/target/*-reports/TEST-*.xml' -newer "$2" -exec awk '
  function value(name) { return match($0, " " name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : "" }
  function type(name) { sub(/^.*\./, "", name); return name }
  '"$program" {} + | { [ "$1" = failed ] && cat || sort -u; }
