package inspectreport

import (
	"fmt"
	"io"
	"strings"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
	"github.com/natsops/natsops/internal/report"
)

// A PluginState is the outcome of a monitoring plugin; it is also its exit code
// (Monitoring Plugins Development Guidelines).
type PluginState int

// The states of plugins.
const (
	PluginOK PluginState = iota
	PluginWarning
	PluginCritical
	PluginUnknown
)

func (s PluginState) String() string {
	return [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[s]
}

// Plugin returns the state for monitoring systems: the worst severity that has
// lasted.
func (l Lag) Plugin() PluginState {
	return pluginState(l.Worst(), l.Picture.Complete && l.Totals.Unknown == 0)
}

// pluginState is the state for a severity, or unknown when nothing worse was
// found in an incomplete picture.
func pluginState(worst inspect.Severity, complete bool) PluginState {
	switch {
	case worst == inspect.Crit:
		return PluginCritical
	case worst == inspect.Warn:
		return PluginWarning
	case !complete:
		return PluginUnknown
	default:
		return PluginOK
	}
}

// pluginText keeps a text in its place: on one line, before the performance
// data, which a bar begins.
func pluginText(style report.Style, parts []string) string {
	return strings.ReplaceAll(style.Plain(strings.Join(parts, ", ")), "|", "/")
}

// writeNagios writes one line: what is wrong, then performance data.
func writeNagios(w io.Writer, l Lag, style report.Style) error {
	parts := []string{l.headline()}
	const most = 3
	for i, v := range l.alarms {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(l.alarms)-most))
			break
		}
		parts = append(parts, fmt.Sprintf("%s %s backlog %s oldest %s", v.Key, v.Status, countCell(v.Backlog), unlessEmpty(v, v.OldestAge)))
	}
	for _, g := range l.Picture.Gaps {
		parts = append(parts, g.String())
	}
	_, err := fmt.Fprintf(w, "LAG %s - %s | %s\n", l.Plugin(), pluginText(style, parts), l.performance())
	return err
}

// performance lists sums and worst values. What is not known for any consumer
// is left out, which monitoring systems draw as a gap.
func (l Lag) performance() string {
	t := l.Totals
	parts := []string{
		fmt.Sprintf("consumers=%d", t.Consumers), fmt.Sprintf("crit=%d", t.Crit), fmt.Sprintf("warn=%d", t.Warn), fmt.Sprintf("unknown=%d", t.Unknown),
	}
	if worst, known := worstOf(l.all, func(v lag.Verdict) lag.Figure { return v.Backlog }); known {
		parts = append(parts, fmt.Sprintf("backlog_max=%.0f;%d", worst, l.Thresholds.BacklogMsgs))
	}
	if worst, known := worstOf(l.all, func(v lag.Verdict) lag.Figure { return v.OldestAge }); known {
		parts = append(parts, fmt.Sprintf("oldest_max=%.3fs;%.3f", worst, float64(l.Thresholds.OldestAgeNS)/1e9))
	}
	return strings.Join(parts, " ")
}

func worstOf(verdicts []lag.Verdict, figure func(lag.Verdict) lag.Figure) (worst float64, known bool) {
	for _, v := range verdicts {
		if f := figure(v); f.Known {
			worst, known = max(worst, f.Value), true
		}
	}
	return worst, known
}
