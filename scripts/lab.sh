# Sourced by the scripts that measure: builds natsops and starts a lab server.
# Sets $work (a directory that is removed at the end), $natsops, $url, $monitor
# and $lab (the server's process). $other, a process too, ends with the script.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
natsops=$work/natsops
lab=
other=

cleanup() {
	[[ -n $other ]] && kill "$other" 2>/dev/null
	[[ -n $lab ]] && kill -INT "$lab" 2>/dev/null && wait "$lab" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT

go build -o "$natsops" ./cmd/natsops
"$natsops" lab >"$work/lab" 2>/dev/null &
lab=$!
until url=$(awk '$1 == "server" { print $2 }' "$work/lab") && [[ -n $url ]]; do sleep 0.1; done
monitor=$(awk '$1 == "monitor" { print $2 }' "$work/lab")
