package bench

import (
	"strconv"
	"strings"
)

// CheckSubject returns an error that wraps ErrConfig unless s is a subject that
// a server accepts: tokens between dots, none empty, no white space, and
// wildcards (* for one token, > for the rest) only where they are allowed.
func CheckSubject(s string, wildcards bool) error { return checkName("subject", s, wildcards) }

// checkName checks a subject, or what follows the rules of one.
func checkName(what, s string, wildcards bool) error {
	wrong := func(why string) error { return configErrorf("%s %q %s", what, s, why) }
	if s == "" {
		return wrong("is empty")
	}
	if strings.ContainsAny(s, " \t\r\n\f\v\x00") {
		return wrong("has white space in it")
	}
	tokens := strings.Split(s, ".")
	for i, token := range tokens {
		switch {
		case token == "":
			return wrong("has an empty token; write tokens with one dot between them, as in orders.new")
		case token != "*" && token != ">":
		case !wildcards:
			return wrong("is a wildcard; nothing can be published to it, name one subject")
		case token == ">" && i != len(tokens)-1:
			return wrong("has > before its end")
		}
	}
	return nil
}

// publishSubjects returns the subjects that messages are spread over.
func (c Config) publishSubjects() []string {
	if c.Subjects == 1 {
		return []string{c.Subject}
	}
	subjects := make([]string, c.Subjects)
	for i := range subjects {
		subjects[i] = c.Subject + "." + strconv.Itoa(i)
	}
	return subjects
}

// subscribeSubject returns the one subject that matches all of them.
func (c Config) subscribeSubject() string {
	if c.Subjects == 1 {
		return c.Subject
	}
	return c.Subject + ".*"
}
