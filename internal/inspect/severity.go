package inspect

import "fmt"

// Severity says how much something matters. More is worse.
type Severity uint8

// The severities.
const (
	OK   Severity = iota
	Info          // worth knowing
	Warn          // will hurt
	Crit          // hurts now, or data is being lost
)

func (s Severity) String() string { return [...]string{"ok", "info", "warn", "crit"}[s] }

// ParseSeverity reads warn or crit, and so on.
func ParseSeverity(text string) (Severity, error) {
	for s := OK; s <= Crit; s++ {
		if s.String() == text {
			return s, nil
		}
	}
	return OK, fmt.Errorf("unknown severity %q", text)
}
