package doctor

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/inspect/lag"
)

// A Result is what an examination came to. Every check is in Passed, or in
// Findings, Skipped or both of these.
type Result struct {
	Findings []Finding // worst first
	Passed   []string  // IDs of checks that saw all there is to see, and found nothing
	Skipped  []Skip    // checks that could not look, or not everywhere
}

// Worst returns the highest severity found.
func (r Result) Worst() inspect.Severity {
	if len(r.Findings) == 0 {
		return inspect.OK
	}
	return r.Findings[0].Severity
}

// A Finding is one kind of trouble of one severity, and everything that has it.
type Finding struct {
	Check    string // ID
	Title    string
	Severity inspect.Severity
	Object   string        // "connection 12 \"billing\" of server n1", or of several: "42 connections"
	Count    int           // of objects
	Keys     []inspect.Key // of streams and consumers among the objects, worst first; at most [Named]
	Evidence []string      // what was measured, worst first; at most [Named], and a line that counts the rest
	Advice   string
	Next     []string // commands that look closer or help, ready to paste
}

// A Skip is a check that could not look, or not everywhere.
type Skip struct {
	Check string // ID
	Why   string // "needs nats-server 2.12 (n1 runs 2.10.29)"
	Empty bool   // there is nothing of what it looks at ("there are no streams"), and nothing is hidden
}

// Named is how many objects a finding names; the rest is counted.
const Named = 5

// findings makes one finding per severity of what a check saw.
func findings(c Check, symptoms []symptom) []Finding {
	slices.SortStableFunc(symptoms, func(a, b symptom) int {
		return cmp.Or(cmp.Compare(b.severity, a.severity), cmp.Compare(b.weight, a.weight), cmp.Compare(a.object, b.object), cmp.Compare(a.fact, b.fact))
	})
	var found []Finding
	for len(symptoms) > 0 {
		n := 1
		for n < len(symptoms) && symptoms[n].severity == symptoms[0].severity {
			n++
		}
		found = append(found, finding(c, symptoms[:n]))
		symptoms = symptoms[n:]
	}
	return found
}

// finding sums up symptoms of one severity, worst first; there is at least one.
func finding(c Check, symptoms []symptom) Finding {
	worst := symptoms[0]
	f := Finding{
		Check: c.ID, Title: c.Title, Severity: worst.severity, Count: len(symptoms),
		Object: worst.object, Advice: c.Do, Next: worst.next,
	}
	if worst.advice != "" && (len(symptoms) == 1 || c.Do == "") {
		f.Advice = worst.advice
	}
	if len(f.Next) == 0 {
		f.Next = look(worst.key)
	}
	if len(symptoms) > 1 {
		f.Object = count(len(symptoms), c.Of)
	}
	for i, s := range symptoms {
		if i == Named {
			f.Evidence = append(f.Evidence, fmt.Sprintf("and %d more", len(symptoms)-Named))
			break
		}
		evidence := s.fact
		if len(symptoms) > 1 {
			evidence = s.object + ": " + s.fact
		}
		f.Evidence = append(f.Evidence, evidence)
		if s.key != (inspect.Key{}) {
			f.Keys = append(f.Keys, s.key)
		}
	}
	return f
}

// look returns the command that shows a stream or a consumer.
func look(key inspect.Key) []string {
	switch {
	case key.Consumer != "":
		return []string{fmt.Sprintf("nats consumer info %s %s", lag.Quote(key.Stream), lag.Quote(key.Consumer))}
	case key.Stream != "":
		return []string{"nats stream info " + lag.Quote(key.Stream)}
	}
	return nil
}
