#!/usr/bin/env bash
# Stops a server for 200 ms in the middle of 10 s of 10,000 requests a second and
# prints what natsops, and the nats CLI if there is one, say of it, beside what
# arithmetic says: a stall of s holds up the operations due in it, each until
# its end, so p99 of 10 s is s - 100 ms and p99.9 is s - 10 ms.
#
#   scripts/stall.sh [ROUNDS]      optional: nats (the CLI) on the PATH, or NATS_CLI=…
set -euo pipefail
rounds=${1:-3}
nats=${NATS_CLI:-nats}
source "$(dirname "$0")/lab.sh"

now() { date +%s%N; }

# stall: stops the server 6 s from now; sets $ms to how long it really stood.
stall() {
	sleep 6
	local begin
	begin=$(now)
	kill -STOP "$lab"
	sleep 0.2
	kill -CONT "$lab"
	ms=$((($(now) - begin) / 1000000))
}

show() { printf '%-10s stalled %3d ms   truth: p99 %3d ms, p99.9 %3d ms   says: %s\n' "$1" "$ms" $((ms - 100)) $((ms - 10)) "$2"; }

if command -v "$nats" >/dev/null; then
	"$nats" -s "$url" bench service serve stall --no-progress >/dev/null 2>&1 &
	other=$!
	sleep 1
fi
for ((i = 1; i <= rounds; i++)); do
	"$natsops" bench request -s "$url" --rate 10k --duration 10s -o csv >"$work/out" 2>/dev/null &
	run=$!
	stall
	wait "$run"
	show natsops "$(tail -1 "$work/out" | awk -F, -v head="$(head -1 "$work/out")" '
		{ n = split(head, name, ","); off = NF - n # the title has commas of its own
		  for (i = 1; i <= n; i++) at[name[i]] = i + off
		  printf "p99 %.1f ms, p99.9 %.1f ms; late p99 %.0f us", $at["p99_ns"] / 1e6, $at["p999_ns"] / 1e6, $at["late_p99_ns"] / 1e3 }')"
	[[ -n $other ]] || continue
	"$nats" -s "$url" bench service request stall --clients 10 --throughput 10000 --msgs 100000 --size 128 --no-progress >"$work/out" 2>&1 &
	run=$!
	stall
	wait "$run"
	show "nats CLI" "$(grep -a 'latencies' "$work/out" | tail -1 | grep -o 'P99 .*')"
done
