// Package stats turns measurements into numbers that carry their own warnings:
// histograms of durations, summaries of them, the spread of repeated runs, and
// fairness.
package stats
