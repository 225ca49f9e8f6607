package natsconn

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/natsops/natsops/internal/hint"
)

// loginKind is a way to prove who is connecting. A connection uses one.
type loginKind int

const (
	anonymous loginKind = iota
	byPassword
	byToken
	byCreds
	byNKey
	byURL // the user part of the server URL
)

// login is the one credential that is sent. A token and a password are its
// secret; creds and nkey are its file, read anew for each connection, so that
// a file that is replaced meanwhile takes effect.
type login struct {
	kind               loginKind
	from               layer
	label              string
	user, secret, file string
}

// chooseLogin picks the credential of the strongest layer that gives one, and
// refuses two of the same layer. Fields of one kind may come from different
// layers: --user with NATS_PASSWORD, say.
func chooseLogin(s settings, servers []*url.URL) (login, error) {
	given, err := logins(s, servers)
	if err != nil || len(given) == 0 {
		return login{}, err
	}
	slices.SortStableFunc(given, func(a, b login) int { return int(a.from) - int(b.from) })
	if len(given) > 1 && given[0].from == given[1].from {
		return login{}, hint.Wrap(configErrorf("cannot use %s together with %s", given[0].label, given[1].label),
			"one kind of credential only")
	}
	return given[0], given[0].check()
}

func logins(s settings, servers []*url.URL) ([]login, error) {
	var given []login
	if hasUser := func(u *url.URL) bool { return u.User != nil }; slices.ContainsFunc(servers, hasUser) {
		given = append(given, login{kind: byURL, from: s.of("server").from, label: "the credentials in the URL of " + s.of("server").label})
	}
	if user, err := userLogin(s); err != nil {
		return nil, err
	} else if user.kind != anonymous {
		given = append(given, user)
	}
	if t := s.of("token"); t.said() {
		given = append(given, login{kind: byToken, from: t.from, label: t.label, secret: t.value})
	}
	if c := s.of("creds"); c.said() {
		given = append(given, login{kind: byCreds, from: c.from, label: c.label, file: c.value})
	}
	if k := s.of("nkey"); k.said() {
		given = append(given, login{kind: byNKey, from: k.from, label: k.label, file: k.value})
	}
	return given, nil
}

// userLogin follows the nats CLI: a user who is given no password by the flags
// or the environment is a token, whatever a context adds.
func userLogin(s settings) (login, error) {
	user, password := s.of("user"), s.of("password")
	switch {
	case user.said() && user.from < byContext && password.from >= byContext:
		return login{kind: byToken, from: user.from, label: user.label + " (without a password: a token)", secret: user.value}, nil
	case user.said() && !password.said():
		return login{kind: byPassword, from: user.from, label: user.label, user: user.value}, nil
	case user.said():
		return login{
			kind: byPassword, from: min(user.from, password.from), label: user.label + " and " + password.label,
			user: user.value, secret: password.value,
		}, nil
	case password.from == byFlag:
		return login{}, hint.Wrap(configErrorf("cannot use --password without a user"), "--user NAME --password PASSWORD")
	}
	return login{}, nil
}

// check reads the file, if there is one, so that a wrong one is known before
// anything is dialled. A reference to a secret kept elsewhere, which only some
// versions of the nats CLI resolve, must not be sent as if it were the secret.
func (l login) check() error {
	for _, scheme := range []string{"op://", "nsc://", "env://", "data:"} {
		if l.from == byContext && strings.HasPrefix(l.secret+l.file, scheme) {
			return hint.Wrap(configErrorf("cannot use %s: %s references are not supported", l.label, scheme),
				"giving the value itself, by a flag or the environment")
		}
	}
	if l.file == "" {
		return nil
	}
	content, err := os.ReadFile(l.file)
	if err != nil {
		return fileError(l.label, l.file, err)
	}
	switch _, jwtErr := nkeys.ParseDecoratedJWT(content); {
	case l.kind == byNKey && !isUserSeed(content):
		return hint.Wrap(configErrorf("cannot use %s %s: it holds no seed of a user", l.label, shown(l.file)),
			"a file whose line starts with SU")
	case l.kind == byCreds && (jwtErr != nil || !isUserSeed(content)):
		return hint.Wrap(configErrorf("cannot use %s %s: it is not a creds file", l.label, shown(l.file)),
			"a file written by: nsc generate creds")
	}
	return nil
}

func isUserSeed(content []byte) bool {
	pair, err := nkeys.ParseDecoratedNKey(content)
	if err != nil {
		return false
	}
	defer pair.Wipe()
	public, err := pair.PublicKey()
	return err == nil && nkeys.IsValidPublicUserKey(public)
}

// option tells nats.go what to send.
func (l login) option() (nats.Option, error) {
	switch l.kind {
	case byPassword:
		return nats.UserInfo(l.user, l.secret), nil
	case byToken:
		return nats.Token(l.secret), nil
	case byCreds:
		return nats.UserCredentials(l.file), nil
	case byNKey:
		return nats.NkeyOptionFromSeed(l.file)
	default: // none, or in the URL
		return nil, nil
	}
}

// expired reports when the JWT in the creds file ran out, if it has.
func (l login) expired(now time.Time) (time.Time, bool) {
	content, err := os.ReadFile(l.file)
	if l.kind != byCreds || err != nil {
		return time.Time{}, false
	}
	token, err := nkeys.ParseDecoratedJWT(content)
	parts := strings.Split(token, ".")
	if err != nil || len(parts) != 3 {
		return time.Time{}, false
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claim struct{ Exp int64 }
	if err != nil || json.Unmarshal(claims, &claim) != nil || claim.Exp == 0 {
		return time.Time{}, false
	}
	at := time.Unix(claim.Exp, 0).UTC()
	return at, at.Before(now)
}
