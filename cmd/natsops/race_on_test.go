//go:build race

package main

// raceEnabled is set in programs built for the race detector, which are slow.
const raceEnabled = true
