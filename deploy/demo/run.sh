#!/usr/bin/env bash
# Runs the demo gate: simulator, daemon with hub and vision, both consoles.
# Usage: run.sh STATE   (state is kept there; starting again goes on where it was)
# Ctrl-C ends everything. Logs are in STATE/log.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
state=$1
mkdir -p "$state/log" "$state/sim/expected"
cd "$state"
export PATH="$root/bin:$PATH"
configs="$root/configs/demo"
pids=()

stop() {
  trap - INT TERM EXIT
  echo
  echo "stopping ..."
  # The simulator first, then the gate, so that what was sent is handed over.
  for pid in "${pids[@]}"; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  echo "stopped; state is kept in $PWD"
}

start() { # NAME COMMAND...
  local name=$1
  shift
  "$@" >"log/$name.out" 2>"log/$name.log" &
  pids+=($!)
}

fail() {
  echo "$1 did not start; the end of $PWD/log/$1.log:" >&2
  tail -n 15 "log/$1.log" >&2
  exit 1
}

await() { # NAME PORT
  for _ in $(seq 150); do
    (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null && return
    sleep 0.2
  done
  fail "$1"
}

gatehouse-console init --config "$configs/customs.yaml" >log/init.log
gatehouse-console init --config "$configs/borderguard.yaml" >>log/init.log
gatehouse init --config "$configs/gate.yaml" >>log/init.log

trap 'stop; exit 0' INT TERM
trap stop EXIT
start gatesim gatesim run --scenario "$root/configs/scenarios/demo.yaml" --state sim \
  --mqtt tcp://127.0.0.1:11883 --mqtt-user camera --mqtt-password-file gate/keys/mqtt-camera.password
export GATEHOUSE_SCANNERS="$configs/scanners" # without a calibration a scanner runs in shadow mode
start gatehouse gatehouse run --config "$configs/gate.yaml"
start customs gatehouse-console run --config "$configs/customs.yaml"
start borderguard gatehouse-console run --config "$configs/borderguard.yaml"
await customs 8081
await borderguard 8082

cat <<TEXT

Gatehouse demo gate 15BB Hữu Nghị is running: a goods lane (01), a lorry about every
half minute, and a baggage hall (02), a traveller about every twenty seconds.

  Customs        $(gatehouse-console url --config "$configs/customs.yaml")
  Border Guard   $(gatehouse-console url --config "$configs/borderguard.yaml")

  Pull a cable   $root/bin/gatesim fault unplug --lane 01 --device rpm --for 20s --state $PWD/sim
  Other faults   $root/bin/gatesim fault list
  Logs           $PWD/log

Ctrl-C ends it.
TEXT
# Ends when any program ends, which none should by itself.
wait -n "${pids[@]}" || true
echo "a program has ended; see $PWD/log" >&2
