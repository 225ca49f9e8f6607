package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/natsconn"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// commands returns every command that users see, the root first.
func commands() []*cobra.Command {
	root := newRootCommand(testWorld(nil))
	var all []*cobra.Command
	var add func(cmd *cobra.Command)
	add = func(cmd *cobra.Command) {
		all = append(all, cmd)
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				add(sub)
			}
		}
	}
	add(root)
	return all
}

func TestEveryCommandIsExplained(t *testing.T) {
	for _, cmd := range commands() {
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") || strings.Contains(cmd.Short, "\n") {
				t.Errorf("Short is %q, want a phrase", cmd.Short)
			}
			if cmd.Long == "" && (cmd.HasAvailableSubCommands() || cmd.HasAvailableLocalFlags()) {
				t.Error("there is no Long")
			}
			if cmd.Example == "" {
				t.Error("there is no Example")
			}
			cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
				if first, _, _ := strings.Cut(f.Usage, " "); f.Usage == "" || strings.HasSuffix(f.Usage, ".") || first != strings.ToLower(first) && first != strings.ToUpper(first) {
					t.Errorf("--%s is described as %q, want a phrase", f.Name, f.Usage)
				}
			})
		})
	}
}

// An example that does not work is worse than none: each is read as if it had
// been typed, as far as it can be without a server.
func TestEveryExampleIsACommandLineThatWorks(t *testing.T) {
	for _, cmd := range commands() {
		for line := range strings.SplitSeq(cmd.Example, "\n") {
			t.Run(strings.TrimSpace(line), func(t *testing.T) {
				if !strings.HasPrefix(line, "  natsops") {
					t.Fatalf("%q does not begin with two spaces and the program", line)
				}
				checkExample(t, cmd, words(line)[1:])
			})
		}
	}
}

func checkExample(t *testing.T, of *cobra.Command, args []string) {
	t.Helper()
	cmd, rest, err := newRootCommand(testWorld(nil)).Find(args)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(cmd.CommandPath(), of.CommandPath()) {
		t.Errorf("it is an example of %s, and not of %s", cmd.CommandPath(), of.CommandPath())
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Fatal(err)
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(workloads(), func(w workloadCommand) bool { return w.use == cmd.Use })
	if i < 0 {
		return
	}
	cfg, _, err := parseConfig(t, workloads()[i].workload, cmd.InheritedFlags(), rest...)
	if err != nil {
		t.Fatal(err)
	}
	objectives, err := cmd.Flags().GetStringArray("slo")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objectives {
		if _, err := slo.Parse(o, bench.Metrics(cfg)); err != nil {
			t.Error(err)
		}
	}
}

func TestHelpFitsInto80Columns(t *testing.T) {
	for _, cmd := range commands() {
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		got := natsops(t, nil, args...)
		if got.code != 0 || got.stderr != "" || !strings.Contains(got.stdout, cmd.Short) && !strings.Contains(got.stdout, cmd.Long) {
			t.Errorf("natsops %s: %+v", strings.Join(args, " "), got)
		}
		for line := range strings.Lines(got.stdout) {
			line = strings.TrimSuffix(line, "\n")
			if width := report.Width(line); width > 80 {
				t.Errorf("natsops %s: %d columns: %s", strings.Join(args, " "), width, line)
			}
		}
	}
}

func TestHelpComesThreeWays(t *testing.T) {
	want := natsops(t, nil, "bench", "pub", "--help")
	for _, args := range [][]string{{"bench", "pub", "-h"}, {"help", "bench", "pub"}} {
		if diff := cmp.Diff(want, natsops(t, nil, args...), cmp.AllowUnexported(outcome{})); diff != "" {
			t.Errorf("natsops %s (-want +got):\n%s", strings.Join(args, " "), diff)
		}
	}
	if got := natsops(t, nil); got.code != 0 || !strings.Contains(got.stdout, "Available Commands:") {
		t.Errorf("without arguments: %+v, want the help", got)
	}
}

func TestReferencePagesAreWhatTheProgramGenerates(t *testing.T) {
	dir := filepath.Join("..", "..", "docs", "reference")
	pages, err := referencePages(testWorld(nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		want := pages[name]
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%v; run: make docs", err)
			continue
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is out of date; run: make docs (-want +got):\n%s", name, diff)
		}
	}
	generated, err := filepath.Glob(filepath.Join(dir, "natsops*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range generated {
		if _, known := pages[filepath.Base(file)]; !known {
			t.Errorf("%s is about a command that does not exist", file)
		}
	}
	for _, cmd := range commands() {
		if name := strings.ReplaceAll(cmd.CommandPath(), " ", "_") + ".md"; pages[name] == "" {
			t.Errorf("no page is generated for %s", cmd.CommandPath())
		}
	}
}

func TestReferencePagesDoNotChangeFromDayToDay(t *testing.T) {
	first, err := referencePages(testWorld(nil))
	if err != nil {
		t.Fatal(err)
	}
	other := testWorld(map[string]string{"HOME": "/elsewhere", "LANG": "C", "NATS_URL": "nats://elsewhere"})
	other.version = "v9"
	second, err := referencePages(other)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the pages depend on where they are made:\n%s", diff)
	}
	for name, page := range first {
		for _, changing := range []string{"/home/", "/root/", "/tmp/", fmt.Sprint(time.Now().Year())} {
			if strings.Contains(page, changing) {
				t.Errorf("%s has %q in it", name, changing)
			}
		}
	}
}

func TestExitCodesPageIsTheTable(t *testing.T) {
	page := exitCodesPage()
	for _, e := range exits() {
		if row := fmt.Sprintf("| %d | %s |\n", e.code, e.when); strings.Count(page, row) != 1 {
			t.Errorf("the page does not have the row %q once:\n%s", row, page)
		}
	}
	if rows := strings.Count(page, "\n| ") - 1; rows != len(exits()) {
		t.Errorf("the page has %d rows, want %d", rows, len(exits()))
	}
}

// The codes are part of the interface: this list may grow, and nothing in it
// may change.
func TestExitCodesStayTheSame(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
	}{
		{nil, 0},
		{os.ErrNotExist, 1},
		{usagef("x"), 2},
		{fmt.Errorf("wrapped: %w", natsconn.ErrConfig), 2},
		{bench.ErrConfig, 2},
		{natsconn.ErrConnect, 3},
		{errObjectiveMissed, 4},
		{errInterrupted, 130},
		{context.Canceled, 130},
		{errTerminated, 143},
		{errors.Join(natsconn.ErrConnect, errInterrupted), 3},
		{errors.Join(errTerminated, context.Canceled), 143},
	} {
		if got := codeOf(c.err).code; got != c.code {
			t.Errorf("code of %v is %d, want %d", c.err, got, c.code)
		}
	}
	var codes []int
	for _, e := range exits() {
		codes = append(codes, e.code)
	}
	slices.Sort(codes)
	if diff := cmp.Diff([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 130, 143}, codes); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

func TestMetricsPageHasEveryMetric(t *testing.T) {
	page := metricsPage()
	names := map[string]bool{}
	for _, m := range bench.AllMetrics() {
		if names[m.Name] {
			t.Errorf("two metrics are called %s", m.Name)
		}
		names[m.Name] = true
		if row := fmt.Sprintf("| `%s` | %v | %s |\n", m.Name, m.Unit, m.Doc); !strings.Contains(page, row) {
			t.Errorf("the page does not have the row %q", row)
		}
	}
}

func TestShellsCompleteCommandsFlagsAndWords(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		got := natsops(t, nil, "completion", shell)
		if got.code != 0 || got.stderr != "" || !strings.Contains(got.stdout, "natsops") || len(got.stdout) < 1000 {
			t.Errorf("completion %s: %+v, want a script", shell, got)
		}
	}
	for _, c := range []struct {
		line string
		want []string
	}{
		{"be", []string{"bench"}},
		{"bench p", []string{"pub", "pubsub"}},
		{"bench pub --schedule ''", []string{"constant", "poisson", "ramp", "steps"}},
		{"bench pub -o ''", []string{"table", "json", "csv", "markdown", "hdr"}},
		{"bench pubsub --output ''", []string{"table", "json", "csv", "markdown", "hdr"}},
		{"lab --auth ''", []string{"none", "token", "user", "nkey"}},
		{"lab --tls ''", []string{"off", "server", "mutual"}},
		{"bench request --ext", []string{"--external"}},
	} {
		got := natsops(t, nil, append([]string{"__complete"}, words(c.line)...)...)
		var offered []string
		for line := range strings.Lines(got.stdout) {
			if word, _, _ := strings.Cut(strings.TrimSpace(line), "\t"); !strings.HasPrefix(word, ":") {
				offered = append(offered, word)
			}
		}
		if diff := cmp.Diff(c.want, offered); diff != "" {
			t.Errorf("natsops %s<TAB> (-want +got):\n%s", c.line, diff)
		}
	}
}

func TestManualPagesAreWritten(t *testing.T) {
	dir := t.TempDir()
	if got := natsops(t, nil, "docs", "--man", dir); got.code != 0 || got.stdout+got.stderr != "" {
		t.Fatalf("docs --man: %+v", got)
	}
	for _, cmd := range commands() {
		page, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"))
		if err != nil || !strings.Contains(string(page), ".SH SYNOPSIS") {
			t.Errorf("%s: %v\n%s", cmd.CommandPath(), err, page)
		}
	}
}
