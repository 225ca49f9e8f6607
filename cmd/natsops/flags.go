package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/natsops/natsops/internal/quantity"
)

// A parsed is a flag whose text is read by a function, so that flags take the
// same quantities as objectives do: 10k, 4KiB.
type parsed[T any] struct {
	value *T
	text  string
	parse func(string) (T, error)
	kind  string
}

func (p *parsed[T]) String() string { return p.text }
func (p *parsed[T]) Type() string   { return p.kind }

func (p *parsed[T]) Set(text string) error {
	v, err := p.parse(text)
	if err != nil {
		return err
	}
	*p.value, p.text = v, text
	return nil
}

// countFlag is a number of things, at least 1; a def of 0 means none is set.
func countFlag(value *int, def int) pflag.Value {
	*value = def
	text := ""
	if def != 0 {
		text = strconv.Itoa(def)
	}
	return &parsed[int]{value: value, text: text, kind: "count", parse: func(s string) (int, error) {
		n, err := quantity.ParseCount(s)
		switch {
		case err != nil:
			return 0, err
		case n < 1:
			return 0, errors.New("it must be at least 1")
		case n > 1<<31-1:
			return 0, errors.New("it is too large")
		default:
			return int(n), nil
		}
	}}
}

// msgsFlag is a number of messages, at least 1; 0 when the flag is left out.
func msgsFlag(value *uint64) pflag.Value {
	return &parsed[uint64]{value: value, kind: "count", parse: func(s string) (uint64, error) {
		n, err := quantity.ParseCount(s)
		if err == nil && n < 1 {
			err = errors.New("it must be at least 1")
		}
		return uint64(max(0, n)), err
	}}
}

// sizeFlag is a number of bytes, at least 1.
func sizeFlag(value *int, def string) pflag.Value {
	p := &parsed[int]{value: value, kind: "size", parse: func(s string) (int, error) {
		n, err := quantity.ParseSize(s)
		switch {
		case err != nil:
			return 0, err
		case n < 1:
			return 0, errors.New("a message has at least 1 byte")
		case n > 64<<20:
			return 0, errors.New("no server takes messages over 64 MiB")
		default:
			return int(n), nil
		}
	}}
	if def != "" {
		_ = p.Set(def)
	}
	return p
}

// durationFlag is a time span; 0 when the flag is left out.
func durationFlag(value *time.Duration, def string) pflag.Value {
	p := &parsed[time.Duration]{value: value, kind: "duration", parse: quantity.ParseDuration}
	if def != "" {
		_ = p.Set(def)
	}
	return p
}

// rateFlag is a number of operations per second; 0 when the flag is left out.
func rateFlag(value *float64) pflag.Value {
	return &parsed[float64]{value: value, kind: "rate", parse: func(s string) (float64, error) {
		r, err := quantity.ParseRate(s)
		if err == nil && r <= 0 {
			err = errors.New("it must be above 0")
		}
		return r, err
	}}
}

// percentFlag is a share in percent, above 0 and up to 100; 0 when it is left out.
func percentFlag(value *float64) pflag.Value {
	return &parsed[float64]{value: value, kind: "percent", parse: func(s string) (float64, error) {
		share, err := quantity.ParseRatio(strings.TrimSuffix(s, "%") + "%")
		if err == nil && (share <= 0 || share > 1) {
			err = errors.New("it must be above 0 and at most 100%")
		}
		return 100 * share, err
	}}
}

// numberFlag is a whole number from least to most.
func numberFlag[T int | uint64](value *T, def, least, most T) pflag.Value {
	*value = def
	return &parsed[T]{value: value, text: fmt.Sprint(def), kind: "number", parse: func(s string) (T, error) {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < int64(least) || n > int64(most) {
			return 0, fmt.Errorf("want a whole number from %d to %d", least, most)
		}
		return T(n), nil
	}}
}

// A choiceValue is a flag that takes one of a few words.
type choiceValue struct {
	value *string
	words []string
}

// choice makes a flag value of the first word and the other words that it takes.
func choice(value *string, words ...string) pflag.Value {
	*value = words[0]
	return &choiceValue{value, words}
}

func (c *choiceValue) String() string { return *c.value }
func (c *choiceValue) Type() string   { return "word" }

func (c *choiceValue) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return fmt.Errorf("it is one of %s", strings.Join(c.words, ", "))
	}
	*c.value = s
	return nil
}

// completeChoices lets the shell complete the words of choice flags.
func completeChoices(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		words := cmd.Flags().Lookup(name).Value.(*choiceValue).words
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
}
