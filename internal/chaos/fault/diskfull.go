package fault

import (
	"context"

	"github.com/natsops/natsops/internal/chaos/process"
	"github.com/natsops/natsops/internal/quantity"
)

func diskFullKind() Kind {
	return Kind{
		Name: "disk-full",
		About: "Servers cannot write to files (RLIMIT_FSIZE), and are restarted when it is healed. It emulates a full disk: writes fail with EFBIG, " +
			"not ENOSPC, so that a server gives up the streams that it could not write, one by one, and never turns off JetStream altogether.",
		Expect: "The victims give up what they lead and fall behind, the others write on and lose nothing; a server whose write has failed " +
			"is behind until it is restarted, and then catches up.",
		Class:   Remains,
		Needs:   Need{Nodes: true, Linux: true},
		Default: election,
		Selects: SelectServers | SelectStream | SelectConsumer,
		Params: []Param{
			{Name: "longest", Default: "0", Unit: Size, About: "to which files may still be written; 0: none is. Blocks of messages have up to 8 MiB"},
		},
		aim: aimDiskFull,
	}
}

// aimDiskFull limits how long files can be, not how long they can get: a limit
// that is the length of the longest is none once that is a full block of
// messages, since then new ones are begun.
//
// It restarts servers even if they can write again: of a write error of a stream,
// or of its Raft log, nothing but a restart makes them recover (nats-server
// v2.15.2, filestore.go: setWriteErr; raft.go: setWriteErrLocked).
func aimDiskFull(ctx context.Context, a aim) (*Strike, error) {
	r, err := a.raid(ctx, StreamFollower)
	if err != nil {
		return nil, err
	}
	longest := a.settings.size("longest")
	s := r.strike(blow{
		hit: func(_ context.Context, n Node) error {
			_, err := process.LimitFiles(n.PID(), uint64(longest))
			return err
		},
		back: r.restart, // as another process, which has no limit
	})
	for _, n := range r.nodes {
		s.Steps = append(s.Steps,
			Step{Do: "files", Object: processOf(n), Payload: "none is written beyond " + quantity.FormatSize(float64(longest)) + " (RLIMIT_FSIZE)"},
			startStep(n, whenHealed+", anew"))
	}
	return s, nil
}
