package doctor

import (
	"testing"

	"github.com/natsops/natsops/internal/inspect"
)

func TestAHealthySystemHasNothingToWarnOf(t *testing.T) {
	r := healthy().examine()
	for _, f := range r.Findings {
		if f.Severity >= inspect.Warn {
			t.Errorf("%s: %s: %s %q", f.Severity, f.Check, f.Object, f.Evidence)
		}
	}
	for _, s := range r.Skipped {
		if s.Why == "needs "+means(listening()) {
			continue // the fixture is seen by the system account
		}
		t.Errorf("skipped: %s: %s", s.Check, s.Why)
	}
}
