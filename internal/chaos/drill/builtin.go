package drill

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/natsops/natsops/internal/hint"
)

//go:embed builtin/*.yaml
var files embed.FS

// Names are the built-in drills that break something, those first that most
// people want to know about, and alike ones together.
func Names() []string {
	return []string{
		"kill-node", "kill-follower", "broker-crash", "az-outage", "server-down",
		"restart", "stop-node", "rolling-restart", "lame-duck", "step-down", "freeze-leader",
		"partition-leader", "partition-follower", "partition-oneway", "partition-link", "split", "slow-network",
		"kick", "reconnect-storm", "flood", "slow-subscriber",
		"stall-consumer", "backlog", "ack-hold", "nak-storm",
		"disk-full", "power-loss",
	}
}

// ControlNames are the built-in drills that test the instrument itself.
func ControlNames() []string { return []string{"no-fault", "memory-loss", "no-id"} }

// Builtins are the drills of [Names].
func Builtins() []Drill { return all(Names()) }

// Controls are the drills of [ControlNames].
func Controls() []Drill { return all(ControlNames()) }

// Builtin returns a drill that is built in, a control too. Its error is
// [ErrFile].
func Builtin(name string) (Drill, error) {
	text, err := Source(name)
	if err != nil {
		return Drill{}, err
	}
	return Parse(name+".yaml", []byte(text))
}

// Source returns the file of a built-in drill. Its error is [ErrFile].
func Source(name string) (string, error) {
	known := slices.Concat(Names(), ControlNames())
	if !slices.Contains(known, name) {
		err := fmt.Errorf("%w: there is no drill %q", ErrFile, name)
		if near, found := hint.Nearest(name, known); found {
			return "", hint.Wrap(err, near)
		}
		return "", hint.Wrap(err, "one of "+strings.Join(known, ", ")+", or the path of a file")
	}
	text, err := files.ReadFile(path.Join("builtin", name+".yaml"))
	return string(text), err
}

// all reads drills that are built in, which a test has shown to be right.
func all(names []string) []Drill {
	drills := make([]Drill, len(names))
	for i, name := range names {
		d, err := Builtin(name)
		if err != nil {
			panic(err)
		}
		drills[i] = d
	}
	return drills
}
