package drill

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestMetricsAreTheNamesThatResultsHave(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Metrics() {
		if seen[m.Name] || !regexp.MustCompile(`^[a-z0-9_]+$`).MatchString(m.Name) || m.Doc == "" || m.Unit == "" || !m.Steady && !m.Expect {
			t.Errorf("%+v", m)
		}
		seen[m.Name] = true
	}
	for name := range strings.FieldsSeq(`lost unknown unknown_stored refused_stored duplicates_stored duplicates_delivered
		duplicates_unflagged reordered ack_mismatches unexpected undelivered outage_max outage_total second_outage
		victim_outage_max detect recover consumer_gap alarm drain replicas_equal publish_p50 publish_p99 availability errors
		errors_timeout errors_no_responders errors_disconnected disconnects reconnects closed backlog_peak backlog rate
		replicas_current consumer_pending`) {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
		delete(seen, name)
	}
	if len(seen) > 0 {
		t.Errorf("names for ever that nobody agreed on: %v", seen)
	}
}

func TestSteadyKnowsOnlyWhatCanBeSeenBefore(t *testing.T) {
	var got []string
	for _, m := range SteadyObjectives() {
		got = append(got, m.Name)
	}
	want := []string{"publish_p50", "publish_p99", "rate", "errors", "consumer_pending", "replicas_current"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTheReferenceHasEveryKeyAndMetric(t *testing.T) {
	page := Reference()
	for _, r := range Rows() {
		if r.About == "" || strings.HasSuffix(r.About, ".") || strings.Contains(r.About, "|") {
			t.Errorf("%s: %q", r.Key, r.About)
		}
		if !strings.Contains(page, "| `"+r.Key+"` | ") {
			t.Errorf("%s is missing", r.Key)
		}
	}
	for _, m := range Metrics() {
		if !strings.Contains(page, "| `"+m.Name+"` | ") {
			t.Errorf("%s is missing", m.Name)
		}
	}
	for _, key := range []string{"faults[].victim.role", "load.consumers.max_deliver", "steady.slo", "limits.keep_quorum"} {
		if !strings.Contains(page, "| `"+key+"` | ") {
			t.Errorf("%s is missing", key)
		}
	}
}
