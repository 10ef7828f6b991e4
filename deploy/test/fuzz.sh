#!/usr/bin/env bash
# Fuzzes every fuzz target of the project, several at once, one worker each.
# Usage: fuzz.sh TIME JOBS   (TIME for each target, such as 1m; JOBS targets at once)
# With FRESH=1 what former runs have found is left aside: trying all of it again takes longer than a short run lasts.
# A crash fails the run and names the input, which Go leaves in testdata/fuzz of the package.
set -euo pipefail
time=$1 jobs=$2
go=${GO:-go}
cd "$(dirname "$0")/../.."
out=$PWD/build/fuzz
mkdir -p "$out"
cache=$("$go" env GOCACHE)/fuzz
if [ -n "${FRESH:-}" ]; then
  cache=$(mktemp -d)
  trap 'rm -rf "$cache"' EXIT
fi
module=$("$go" list -m)
# An input that finds new code is made shorter for a minute, unless told
# otherwise: a short run would do nothing else.

one() { # DIR TARGET
  local dir=$1 target=$2 name log began=$SECONDS status=0
  name=${dir//\//-}
  log=$out/$name-$target.log
  (cd "$dir" && "$out/$name.test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$time" -test.parallel 1 \
    -test.fuzzminimizetime 1s -test.fuzzcachedir "$cache/$module/$dir") >"$log" 2>&1 || status=$?
  local execs
  execs=$(grep -oE 'execs: [0-9]+' "$log" | tail -n 1 | cut -d ' ' -f 2) || execs=0
  if [ "$status" -eq 0 ] && [ "${execs:-0}" -gt 0 ]; then
    printf '%-24s %-20s %4d s %10d inputs\n' "$dir" "$target" $((SECONDS - began)) "$execs"
    return
  fi
  printf '%-24s %-20s FAILED, see %s\n' "$dir" "$target" "$log" >&2
  grep -hoE 'testdata/fuzz/[^ ]+' "$log" | sort -u | sed "s|^|  input: $dir/|" >&2 || true
  tail -n 30 "$log" >&2
  return 1
}
export -f one
export out time cache module

mapfile -t targets < <(grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' drivers internal cmd | sed -E 's|/[^/]*_test.go:func | |' | sort -u)
[ "${#targets[@]}" -gt 0 ] || { echo "no fuzz target was found" >&2; exit 1; }
for dir in $(printf '%s\n' "${targets[@]}" | cut -d ' ' -f 1 | sort -u); do
  "$go" test -c -fuzz=. -o "$out/${dir//\//-}.test" "./$dir"
done
echo "fuzzing ${#targets[@]} targets for $time each, $jobs at once"
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -L 1 bash -c 'one "$@"' fuzz
