#!/usr/bin/env bash
# Measures natsops beside the nats CLI on one server of this machine, in turn
# (A B A B …), and prints the medians of both and of the ratios round by round.
#
#   scripts/peers.sh [ROUNDS]      needs: nats (the CLI) on the PATH, or NATS_CLI=…
#
# Progress is on in both, as users have it: natsops runs on a terminal of script(1).
set -euo pipefail
rounds=${1:-5}
nats=${NATS_CLI:-nats}
source "$(dirname "$0")/lab.sh"

TIMEFORMAT='%U %S'

# cpu FILE: user and system seconds in a file that `time` wrote.
cpu() { awk '{ print $1 + $2 }' "$1"; }

# ours NAME OPS ARGS…: appends "rate cpu-ns-per-operation" to a file of that name.
# The CPU is natsops' own, so it is that of publisher and subscriber together.
ours() {
	local name=$1 ops=$2
	shift 2
	{ time script -qec "$natsops bench $* -s $url --monitor $monitor --save $work/result.json" /dev/null >/dev/null 2>&1; } 2>"$work/time"
	awk -v cpu="$(cpu "$work/time")" -v ops="$ops" -F'[:,]' '
		/"rate_per_s"/ && !rate { rate = $2 }
		/"sent"/ && !sent { sent = $2 }
		END { n = ops ? ops : sent; printf "%.0f %.0f\n", rate, 1e9 * cpu / n }' "$work/result.json" >>"$work/$name.ours"
}

# theirs NAME OPS ARGS…: the same for the nats CLI.
theirs() {
	local name=$1 ops=$2
	shift 2
	{ time "$nats" -s "$url" bench "$@" >"$work/out" 2>&1; } 2>"$work/time"
	record "$name" "$ops" "$work/out" "$(cpu "$work/time")"
}

record() { # NAME OPS OUTPUT CPU-SECONDS
	local line
	line=$(grep -a 'aggregated stats:' "$3" | tail -1 || true)
	[[ -n $line ]] || line=$(grep -a 'stats:' "$3" | tail -1)
	sed 's/.*stats: \([0-9,]*\) msgs.*/\1/; s/,//g' <<<"$line" |
		awk -v cpu="$4" -v ops="$2" '{ printf "%.0f %.0f\n", $1, 1e9 * cpu / ops }' >>"$work/$1.theirs"
}

# theirPubSub NAME OPS SUBSCRIBERS: two processes of the nats CLI; CPU of both.
theirPubSub() {
	local name=$1 ops=$2 subscribers=$3
	{ time "$nats" -s "$url" bench sub peers.b --msgs "$ops" --size 128 --clients "$subscribers" --no-progress >"$work/sub" 2>&1; } 2>"$work/subtime" &
	other=$!
	until [[ $(connections) -ge $subscribers ]]; do sleep 0.1; done
	{ time "$nats" -s "$url" bench pub peers.b --msgs "$ops" --size 128 --no-progress >/dev/null 2>&1; } 2>"$work/time"
	wait "$other"
	other=
	record "$name" "$ops" "$work/sub" "$(awk -v a="$(cpu "$work/time")" -v b="$(cpu "$work/subtime")" 'BEGIN { print a + b }')"
}

connections() { curl -s "$monitor/varz" | awk -F'[:,]' '/"connections"/ { print $2 + 0 }'; }

for ((i = 1; i <= rounds; i++)); do
	echo "round $i of $rounds" >&2
	theirs pub16 4000000 pub peers.a --msgs 4000000 --size 16
	ours pub16 4000000 pub peers.a --msgs 4000000 --size 16
	theirs pub1k 1500000 pub peers.a --msgs 1500000 --size 1024
	ours pub1k 1500000 pub peers.a --msgs 1500000 --size 1024
	theirPubSub pubsub 2000000 1
	ours pubsub 2000000 pubsub peers.b --msgs 2000000
	theirPubSub fanout 300000 10
	ours fanout 300000 pubsub peers.b --msgs 300000 --subscribers 10
	"$nats" -s "$url" bench service serve peers.c --no-progress >/dev/null 2>&1 &
	other=$!
	until [[ $(connections) -ge 1 ]]; do sleep 0.1; done
	sleep 0.5
	theirs request 150000 service request peers.c --msgs 150000 --size 128 --clients 10
	cp "$work/request.theirs" "$work/pipelined.theirs"
	kill "$other"
	wait "$other" 2>/dev/null || true
	other=
	ours request 150000 request peers.d --closed --clients 10 --msgs 150000
	ours pipelined 1500000 request peers.d --closed --in-flight 2000 --msgs 1500000
done

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

printf '%-44s %12s %12s %7s %14s\n' work natsops/s nats/s ratio 'CPU ns/op'
while IFS='|' read -r name title; do
	printf '%-44s %12.0f %12.0f %7.2f %6.0f : %-6.0f\n' "$title" \
		"$(awk '{ print $1 }' "$work/$name.ours" | median)" \
		"$(awk '{ print $1 }' "$work/$name.theirs" | median)" \
		"$(paste "$work/$name.ours" "$work/$name.theirs" | awk '{ print $1 / $3 }' | median)" \
		"$(awk '{ print $2 }' "$work/$name.ours" | median)" \
		"$(awk '{ print $2 }' "$work/$name.theirs" | median)"
done <<'ROWS'
pub16|pub 16 B, 1 client
pub1k|pub 1 KiB, 1 client
pubsub|pub to sub 128 B, delivered
fanout|fan-out 1:10 128 B, delivered
request|request 128 B, 10 clients, closed loop
pipelined|request 128 B, 2000 in flight, against row 5
ROWS
