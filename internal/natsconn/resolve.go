package natsconn

import (
	"net/url"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/hint"
)

// Resolve decides what to connect to and how. A flag beats the environment,
// which beats the context, field by field; but a credential is never combined
// with one of another kind: the strongest layer that gives one decides which.
//
// Its errors are [ErrConfig], or [ErrNoTarget] under [OnlyExplicit]. Every
// file that a setting names has been read; nothing has been dialled.
func Resolve(flags Config, getenv func(string) string, policy Policy) (Target, error) {
	named := setting{value: flags.Context, from: byFlag, label: "--context"}
	if !named.said() {
		named = setting{value: getenv("NATS_CONTEXT"), from: byEnv, label: "NATS_CONTEXT"}
	}
	if policy != MayUseSelectedContext && !named.said() && flags.Servers == "" && getenv("NATS_URL") == "" {
		return Target{}, noTarget()
	}
	timeout, err := chooseTimeout(flags, getenv)
	if err != nil {
		return Target{}, err
	}
	ctx, err := loadContext(named, getenv, policy)
	if err != nil {
		return Target{}, err
	}
	r := resolved{
		context:  ctx.name,
		timeout:  timeout,
		tlsFirst: flags.TLSFirst || ctx.settings.TLSFirst,
	}
	s := gather(flags, getenv, ctx)
	s.expandPaths(getenv)
	if err := r.use(s); err != nil {
		return Target{}, err
	}
	if err := ctx.supported(s, r); err != nil {
		return Target{}, err
	}
	return newTarget(r), nil
}

// For makes a target of exactly what c says, for a server that this program
// has started itself: the environment and the contexts are left out.
func For(c Config) (Target, error) {
	if c.Servers == "" {
		return Target{}, noTarget()
	}
	nothing := func(string) string { return "" }
	timeout, err := chooseTimeout(c, nothing)
	if err != nil {
		return Target{}, err
	}
	r := resolved{timeout: timeout, tlsFirst: c.TLSFirst}
	if err := r.use(gather(c, nothing, storedContext{})); err != nil {
		return Target{}, err
	}
	return newTarget(r), nil
}

func noTarget() error {
	return hint.Wrap(ErrNoTarget, "--server URL or --context NAME (or NATS_URL, NATS_CONTEXT)")
}

func chooseTimeout(flags Config, getenv func(string) string) (time.Duration, error) {
	timeout, said := flags.Timeout, getenv("NATS_TIMEOUT")
	if timeout == 0 && said != "" {
		d, err := time.ParseDuration(said)
		if err != nil || d <= 0 {
			return 0, hint.Wrap(configErrorf("cannot use NATS_TIMEOUT %s: not a positive duration", shown(said)), "5s")
		}
		timeout = d
	}
	switch {
	case timeout < 0:
		return 0, configErrorf("cannot use --timeout %s: it must be positive", timeout)
	case timeout == 0:
		return DefaultTimeout, nil
	}
	return timeout, nil
}

// use completes r with what the settings say, checking all of it.
func (r *resolved) use(s settings) error {
	steps := []func(settings) error{
		r.useServers, r.useLogin, r.useTLS, r.useProxy, r.useJetStream, r.useInbox,
	}
	for _, step := range steps {
		if err := step(s); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolved) useServers(s settings) (err error) {
	r.servers, err = parseServers(s.of("server"))
	return err
}

// useLogin drops the user part of the URLs if another credential won, for
// nats.go would let it win.
func (r *resolved) useLogin(s settings) (err error) {
	r.login, err = chooseLogin(s, r.servers)
	if r.login.kind != byURL {
		for _, u := range r.servers {
			u.User = nil
		}
	}
	return err
}

func (r *resolved) useTLS(s settings) (err error) {
	r.tls, err = loadTLS(s)
	return err
}

func (r *resolved) useProxy(s settings) error {
	said := s.of("socks-proxy")
	if !said.said() {
		return nil
	}
	u, err := url.Parse(said.value)
	if err != nil || u.Hostname() == "" || (u.Scheme != "socks5" && u.Scheme != "socks5h") {
		return hint.Wrap(configErrorf("cannot use %s %s: not the URL of a SOCKS5 proxy", said.label, shownURLs(said.value)),
			"a URL like socks5://host:1080")
	}
	r.proxy = u
	return nil
}

func (r *resolved) useJetStream(s settings) error {
	domain, prefix := s.of("js-domain"), s.of("js-api-prefix")
	switch {
	case !domain.said() || !prefix.said():
		r.jsDomain, r.jsAPIPrefix = domain.value, prefix.value
	case domain.from == prefix.from:
		return hint.Wrap(configErrorf("cannot use %s together with %s", domain.label, prefix.label), "one of them only")
	case domain.from < prefix.from:
		r.jsDomain = domain.value
	default:
		r.jsAPIPrefix = prefix.value
	}
	return nil
}

func (r *resolved) useInbox(s settings) error {
	said := s.of("inbox-prefix")
	if said.said() && nats.CustomInboxPrefix(said.value)(&nats.Options{}) != nil {
		return hint.Wrap(configErrorf("cannot use %s %s: not a subject that can be extended", said.label, shown(said.value)),
			"tokens without wildcards, like _INBOX.me")
	}
	r.inboxPrefix = said.value
	return nil
}
