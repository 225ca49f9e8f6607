package natsconn

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/natsops/natsops/internal/hint"
)

const defaultServer = "nats://127.0.0.1:4222"

// defaultPorts holds the schemes that nats.go dials, each with its port.
func defaultPorts() map[string]string {
	return map[string]string{"nats": "4222", "tls": "4222", "ws": "80", "wss": "443"}
}

func knownScheme(name string) bool {
	return defaultPorts()[name] != "" || strings.HasPrefix(name, "socks5")
}

// parseServers reads a comma separated list of server URLs, completing each
// with its scheme and port. Its errors never quote the user part.
func parseServers(said setting) ([]*url.URL, error) {
	if !said.said() {
		said = setting{value: defaultServer, from: nowhere, label: "the default"}
	}
	var servers []*url.URL
	entries := strings.Split(said.value, ",")
	strict := strings.Contains(entries[0], "://") && strings.Contains(said.value, "@")
	for i, entry := range entries {
		u, err := parseServer(strings.TrimSpace(entry))
		if err == nil && strict && !strings.Contains(entry, "://") {
			err = errors.New("it has no scheme, or follows a comma in a password")
		}
		if err != nil {
			which := ""
			if len(entries) > 1 {
				which = " (number " + strconv.Itoa(i+1) + " of " + strconv.Itoa(len(entries)) + ")"
			}
			return nil, hint.Wrap(configErrorf("cannot use %s %s: %s%s", said.label, shownURLs(said.value), err.Error(), which),
				"a URL like nats://host:4222, with special characters in a password percent-encoded")
		}
		servers = append(servers, u)
	}
	differs := func(u *url.URL) bool { return websocket(u) != websocket(servers[0]) }
	if slices.ContainsFunc(servers, differs) {
		return nil, configErrorf("cannot use %s %s: it mixes websocket and other URLs", said.label, shownURLs(said.value))
	}
	return servers, nil
}

// parseServer's errors are constant on purpose: those of net/url quote the
// part that they could not parse, which may be a password.
func parseServer(entry string) (*url.URL, error) {
	if entry == "" {
		return nil, errors.New("it names no server")
	}
	if strings.ContainsFunc(entry, func(r rune) bool { return r == ' ' || unprintable(r) }) {
		return nil, errors.New("it has a space or a control character in it")
	}
	if !strings.Contains(entry, "://") {
		entry = "nats://" + entry
	}
	u, err := url.Parse(entry)
	if err != nil {
		return nil, errors.New("not a URL with a valid host and port")
	}
	return u, completeServer(u)
}

func completeServer(u *url.URL) error {
	port, ok := defaultPorts()[u.Scheme]
	switch {
	case !ok:
		return errors.New("the scheme must be nats, tls, ws or wss")
	case u.Hostname() == "":
		return errors.New("it has no host")
	case u.RawQuery != "" || u.Fragment != "" || (!websocket(u) && strings.Trim(u.Path, "/") != ""):
		return errors.New("it has more than a host and a port")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("the port must be a number from 1 to 65535")
	}
	u.Host = net.JoinHostPort(u.Hostname(), port)
	if !websocket(u) {
		u.Path, u.RawPath = "", ""
	}
	if u.User.String() == "" {
		u.User = nil
	}
	u.ForceQuery = false
	return nil
}

func websocket(u *url.URL) bool { return u.Scheme == "ws" || u.Scheme == "wss" }
