package deadletter

import (
	"path"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// overlap reports whether some subject matches both patterns.
func overlap(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := 0; ; i++ {
		switch {
		case i == len(as) || i == len(bs):
			return len(as) == len(bs)
		case as[i] == ">" || bs[i] == ">":
			return true
		case as[i] != bs[i] && as[i] != "*" && bs[i] != "*":
			return false
		}
	}
}

// takes reports whether a consumer is meant to get messages of subject.
func takes(c *jetstream.ConsumerInfo, subject string) bool {
	return slices.ContainsFunc(filters(c), func(filter string) bool { return overlap(filter, subject) })
}

// filters returns the patterns of which a consumer takes messages.
func filters(c *jetstream.ConsumerInfo) []string {
	switch {
	case c.Config.FilterSubject != "":
		return []string{c.Config.FilterSubject}
	case len(c.Config.FilterSubjects) > 0:
		return c.Config.FilterSubjects
	}
	return []string{">"}
}

// isLiteral reports whether a message can be published to subject.
func isLiteral(subject string) bool {
	if strings.ContainsAny(subject, " \t\r\n\f") {
		return false
	}
	return !slices.ContainsFunc(strings.Split(subject, "."), func(token string) bool { return token == "" || token == "*" || token == ">" })
}

// A glob selects names: "" selects all, and a name itself even where it looks
// like a pattern. Otherwise it is one of path.Match; names contain no slash.
type glob string

func (g glob) valid() error {
	_, err := path.Match(string(g), "")
	return err
}

func (g glob) selects(name string) bool {
	ok, err := path.Match(string(g), name)
	return g == "" || string(g) == name || (ok && err == nil)
}

// token returns the one name that g selects, or the wildcard for a token of a
// subject. A name with the byte 127 is not found by either, since the server
// leaves it out of its index of subjects (nats-server, server/stree).
func (g glob) token() string {
	if isName(string(g)) && !strings.ContainsAny(string(g), `?[`) {
		return string(g)
	}
	return "*"
}
