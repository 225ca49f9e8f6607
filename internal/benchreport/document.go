// Package benchreport shows what a bench has measured: to people as text with a
// percentile plot and as Markdown, to programs as JSON, CSV and a percentile log.
// What is not known is never shown as 0.
package benchreport

import (
	"time"

	"github.com/natsops/natsops/internal/bench"
	"github.com/natsops/natsops/internal/report"
	"github.com/natsops/natsops/internal/slo"
)

// Schema names the JSON form of a Document. Fields may be added to it; when one
// changes its meaning or goes, the number at its end changes. It is described by
// docs/reference/schemas/natsops.bench.v1.schema.json.
const Schema = "natsops.bench/v1"

// A Document is the whole outcome of a bench command.
type Document struct {
	Schema    string         `json:"schema"` // Write fills it in
	Version   string         `json:"natsops_version"`
	StartedAt time.Time      `json:"started_at,omitzero"`
	Host      Host           `json:"host"`   // that the load came from
	Target    string         `json:"target"` // server URLs without credentials, separated by commas
	Lab       bool           `json:"lab"`    // the server was a throwaway one of our own
	Results   []bench.Result `json:"results"`
	Spreads   []bench.Spread `json:"spreads"` // of repeated runs
	SLO       []slo.Verdict  `json:"slo"`
}

// A Host is a machine, as far as it matters for what it can measure.
type Host struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
	Go   string `json:"go"` // version that the program was built with
}

// complete returns the document with its schema named, and with an empty list
// wherever there is none: readers in other languages stumble over null. The
// lists of d itself stay as they are.
func (d Document) complete() Document {
	d.Schema = Schema
	d.Spreads = report.Listed(d.Spreads)
	d.SLO = report.Listed(d.SLO)
	results := make([]bench.Result, len(d.Results))
	for i, r := range d.Results {
		r.Settings.Headers = report.Listed(r.Settings.Headers)
		r.Errors = report.Listed(r.Errors)
		r.Intervals = report.Listed(r.Intervals)
		r.Warnings = report.Listed(r.Warnings)
		if r.Ledger != nil {
			account := *r.Ledger
			account.Publishers = report.Listed(account.Publishers)
			r.Ledger = &account
		}
		if r.Fairness != nil {
			fairness := *r.Fairness
			fairness.Shares = report.Listed(fairness.Shares)
			r.Fairness = &fairness
		}
		results[i] = r
	}
	d.Results = results
	return d
}
