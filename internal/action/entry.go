package action

import "time"

// An Entry is a line of the audit log. An action has two with the same ID: a
// begin without an end means that natsops died on the way, or that the end
// could not be written.
type Entry struct {
	Time    time.Time `json:"time"`
	ID      string    `json:"id"`
	Phase   Phase     `json:"phase"`
	Who     string    `json:"who"`
	Version string    `json:"version"` // of natsops
	Action  string    `json:"action"`
	Target  string    `json:"target"`
	Object  string    `json:"object,omitempty"`
	Servers []string  `json:"servers"`
	Impact  []string  `json:"impact,omitempty"`
	DryRun  bool      `json:"dry_run"`
	Outcome string    `json:"outcome,omitempty"` // what was done, in words
	Detail  any       `json:"detail,omitempty"`  // and for programs
	Error   string    `json:"error,omitempty"`
}

// Phase says at which point of an action an entry was written.
type Phase string

// The phases.
const (
	PhaseBegin  Phase = "begin" // before anything is sent
	PhaseEnd    Phase = "end"
	PhaseDryRun Phase = "dry-run"
)
