package natsconn

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

const hidden = "(hidden)"

// longest bounds text of others that is quoted in an error.
const longest = 200

// shown is a path or a name fit for an error: one line, and never the secret
// that somebody passed where its file was asked for.
func shown(value string) string {
	switch {
	case inlineSecret(value):
		return hidden
	case value == "", strings.ContainsFunc(value, unprintable):
		return strconv.Quote(value)
	}
	return value
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// inlineSecret reports whether value is the content of a secret file (a seed,
// a JWT, PEM) rather than its path.
func inlineSecret(value string) bool {
	seed := regexp.MustCompile(`\bS[A-Z][A-Z2-7]{56}\b`)
	return seed.MatchString(value) || strings.Contains(value, "-----BEGIN") ||
		strings.HasPrefix(value, "eyJ") || strings.HasPrefix(value, "data:")
}

// shownURLs hides the user part of what may be a list of URLs, even a broken
// one. It hides from the first scheme to the last @: a password may hold commas,
// slashes and colons that make a URL unparsable, and the parts of it that look
// like a host must not be shown.
func shownURLs(list string) string {
	at := strings.LastIndex(list, "@")
	if at < 0 {
		return strconv.Quote(list)
	}
	scheme := ""
	if i := strings.Index(list, "://"); i >= 0 && knownScheme(list[:i]) {
		scheme = list[:i+len("://")]
	}
	return strconv.Quote(scheme + hidden + list[at:])
}

// shownURL is u without its user part.
func shownURL(u *url.URL) string {
	bare := *u
	bare.User = nil
	return bare.String()
}

// oneLine makes text of others (a server, a library) fit for an error.
func oneLine(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, hidden)
		}
	}
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unprintable(r)
	}), " ")
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}
