package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds every wait; only what is broken needs it, or a machine that
// has very much else to do.
const patience = 2 * time.Minute

// eventually polls until ok.
func eventually(ts *testscript.TestScript, what string, ok func() bool) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			ts.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// cmdBecomes runs a program until it ends as it has to and says what it has to.
// It is for those that look at something alive: applications that are held up,
// because the machine has too much to do, look like what they then are.
func cmdBecomes(ts *testscript.TestScript, args []string) {
	at := slices.Index(args, "--")
	if at < 2 || at == len(args)-1 {
		ts.Fatalf("wrong use of becomes; see TestScripts")
	}
	var patterns []*regexp.Regexp
	for _, p := range args[1:at] {
		patterns = append(patterns, regexp.MustCompile(p))
	}
	code, program := number(ts, args[0]), args[at+1:]
	wrong := ""
	for limit := time.Now().Add(patience); ; {
		got := exitCode(ts, program)
		said := ts.ReadFile("stdout") + ts.ReadFile("stderr")
		if got != code {
			wrong = fmt.Sprintf("exit code %d, want %d", got, code)
		} else if i := slices.IndexFunc(patterns, func(p *regexp.Regexp) bool { return !p.MatchString(said) }); i >= 0 {
			wrong = fmt.Sprintf("it does not say %s", patterns[i])
		} else {
			return
		}
		if time.Now().After(limit) {
			ts.Fatalf("not within %v: %s", patience, wrong)
		}
	}
}

// cmdAsked tells who asks by the inbox that the answers are to come to.
func cmdAsked(ts *testscript.TestScript, args []string) {
	a, clients, times := stageOf(ts).heard[args[0]], number(ts, args[1]), number(ts, args[2])
	var counts map[string]int
	eventually(ts, fmt.Sprintf("%d clients ask %s %d times", clients, args[0], times), func() bool {
		counts = map[string]int{}
		for _, m := range a.all() {
			counts[inboxOf(m)]++
		}
		n := 0
		for count := range maps.Values(counts) {
			if count >= times {
				n++
			}
		}
		return n >= clients
	})
}

// inboxOf is what all that one connection asks has in common.
func inboxOf(m *nats.Msg) string {
	return m.Reply[:max(0, strings.LastIndex(m.Reply, "."))]
}

// cmdFetched asks the server how often its monitoring was asked for a page.
func cmdFetched(ts *testscript.TestScript, args []string) {
	want := number(ts, args[1])
	eventually(ts, fmt.Sprintf("%s is fetched %d times", args[0], want), func() bool {
		var page struct {
			Requests map[string]int `json:"http_req_stats"`
		}
		ts.Check(monitor(stageOf(ts).server, "/varz", &page))
		return page.Requests[args[0]] >= want
	})
}
