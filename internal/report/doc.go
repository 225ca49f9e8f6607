// Package report writes what commands have found out: as text for people, and
// as JSON, CSV and Markdown. It knows nothing of what the numbers mean.
package report
