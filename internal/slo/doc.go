// Package slo reads service-level objectives such as "p99<5ms,rate>=100k/s,lost==0"
// and judges measurements by them. It knows no metrics: the caller says which
// there are.
package slo
