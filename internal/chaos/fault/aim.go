package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/quantity"
)

// The errors of a spec and of an aim are one of these.
var (
	ErrSpec     = errors.New("a fault that cannot be") // whatever the site
	ErrNoVictim = errors.New("there is no victim")
	ErrNeeds    = errors.New("the site does not have what the fault needs")
)

// longest bounds [Spec.For]: who breaks something for longer has an outage, not
// a drill.
const longest = time.Hour

// An aim is a spec that is about to find its victims at a site. Its For is set.
type aim struct {
	Spec
	Site
	settings settings // of Params
}

// Check tells what is wrong with the spec, as far as that can be told without a
// site. Its error is [ErrSpec].
func (s Spec) Check() error {
	k, err := Lookup(s.Kind)
	if err != nil {
		return err
	}
	set, err := k.read(s.Params)
	if err != nil {
		return fmt.Errorf("fault %s: %w", s.Kind, err)
	}
	for _, err := range []error{s.checkTimes(k, set), s.Victim.check(k)} {
		if err != nil {
			return fmt.Errorf("fault %s: %w", s.Kind, err)
		}
	}
	return nil
}

func (s Spec) checkTimes(k Kind, set settings) error {
	repeated := set.duration(paramEvery) > 0
	switch {
	case s.At < 0 || s.For < 0:
		return refuse(ErrSpec, "it is at %s for %s: neither can be negative", quantity.FormatDuration(s.At), quantity.FormatDuration(s.For))
	case s.For > longest:
		return refuse(ErrSpec, "it is for %s, which is longer than %s", quantity.FormatDuration(s.For), quantity.FormatDuration(longest))
	case s.For > 0 && k.Default == 0 && !repeated:
		return refuse(ErrSpec, "it is over at once, and cannot be for %s", quantity.FormatDuration(s.For))
	case s.For == 0 && k.Default == 0 && repeated:
		return hint.Wrap(refuse(ErrSpec, "it is repeated, and nothing says for how long"), "for, a duration")
	}
	return nil
}

// check tells what is wrong with a victim of a kind.
func (v Victim) check(k Kind) error {
	const servers, connections = SelectServers, SelectConnections
	for _, part := range []struct {
		name string
		set  bool
		of   Selection
	}{
		{"role", v.Role != "", servers},
		{"servers", len(v.Servers) > 0, servers | connections},
		{"tag", v.Tag != "", servers},
		{"client", v.Client != "", connections},
		{"user", v.User != "", connections},
		{"account", v.Account != "", connections},
		{"subject", v.Subject != "", connections},
		{"cid", v.CID != 0, connections},
		{"stream", v.Stream != "", SelectStream | SelectConsumer},
		{"consumer", v.Consumer != "", SelectConsumer},
		{"percent", v.Percent != 0, servers | connections},
		{"max", v.Max != 0, servers | connections},
	} {
		if part.set && k.Selects&part.of == 0 {
			return hint.Wrap(refuse(ErrSpec, "its victim cannot be selected by %s", part.name), k.Selects.String())
		}
	}
	return v.checkValues()
}

func (v Victim) checkValues() error {
	if v.Role != "" && !slices.Contains(Roles(), v.Role) {
		return hint.Wrap(refuse(ErrSpec, "there is no role %q", v.Role), oneOf(v.Role, Roles()))
	}
	if v.Role != "" && len(v.Servers) > 0 {
		return refuse(ErrSpec, "a victim has a role or is one of servers, not both")
	}
	if _, err := path.Match(v.Client, ""); err != nil {
		return refuse(ErrSpec, "the pattern %q of a client's name cannot be read", v.Client)
	}
	if v.Subject != "" && !isSubject(v.Subject) {
		return refuse(ErrSpec, "%q is no subject", v.Subject)
	}
	if !(v.Percent >= 0 && v.Percent <= 100) { // NaN is neither
		return refuse(ErrSpec, "%v percent is not between 0 and 100", v.Percent)
	}
	if v.Max < 0 {
		return refuse(ErrSpec, "at most %d victims are negative", v.Max)
	}
	return nil
}

// String is what can be said of a victim, as a remedy.
func (s Selection) String() string {
	var can []string
	for _, part := range []struct {
		of    Selection
		names string
	}{
		{SelectServers, "role, servers or tag"},
		{SelectConnections, "client, user, account, subject, cid or servers"},
		{SelectStream, "stream"},
		{SelectConsumer, "stream and consumer"},
	} {
		if s&part.of != 0 {
			can = append(can, part.names)
		}
	}
	if len(can) == 0 {
		return "it without a victim: it has none to choose"
	}
	return strings.Join(can, ", or ")
}

// Roles are the roles that a server can have.
func Roles() []string {
	return []string{StreamLeader, StreamFollower, ConsumerLeader, MetaLeader, AnyServer, AllServers, Minority}
}

// Aim finds the victims of a fault and tells what would be done to them. It asks,
// and changes nothing. Its error is [ErrSpec], [ErrNeeds], [ErrNoVictim], or that
// of a question without an answer.
func (s Spec) Aim(ctx context.Context, site Site) (*Strike, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	k, err := Lookup(s.Kind)
	if err != nil {
		return nil, err
	}
	a := aim{Spec: s, Site: site}
	if a.settings, err = k.read(s.Params); err != nil {
		return nil, err
	}
	if a.For == 0 {
		a.For = k.Default
	}
	err = k.Needs.check(site)
	if err == nil {
		err = a.needVersion(ctx, k.Since)
	}
	var strike *Strike
	if err == nil {
		strike, err = k.aim(ctx, a)
	}
	if err != nil {
		return nil, fmt.Errorf("aim %s: %w", s.Kind, err)
	}
	return strike, nil
}

// check tells what a site does not have.
func (n Need) check(s Site) error {
	const ours = "natsops's own cluster, which is what it uses when no server is named"
	for _, need := range []struct {
		missing      bool
		what, remedy string
	}{
		{n.System && s.System == nil, "the system account: from another one its calls get no answer", "credentials of the system account"},
		{n.Nodes && len(s.Nodes) == 0, "servers whose processes are ours", ours},
		{n.Links && s.Links == nil, "links between servers that go through proxies of ours", ours},
		{n.Doors && s.Links == nil, "connections that go through proxies of ours", ours},
		{n.Linux && runtime.GOOS != "linux", "Linux", "a machine that runs it"},
		{n.Unix && runtime.GOOS == "windows", "signals, which Windows does not have", "another system"},
	} {
		if need.missing {
			return hint.Wrap(refuse(ErrNeeds, "it needs %s", need.what), need.remedy)
		}
	}
	return nil
}

// dice are for one strike: unlike those of the site they may be thrown while
// another one is aimed.
func (a aim) dice() *rand.Rand {
	if a.Rand == nil {
		return rand.New(rand.NewPCG(0, 0)) //nolint:gosec // a choice that can be repeated, no secret
	}
	return rand.New(rand.NewPCG(a.Rand.Uint64(), a.Rand.Uint64())) //nolint:gosec // a choice that can be repeated, no secret
}

// A refusal is an error of one of the kinds of this package.
type refusal struct {
	kind error
	why  error
}

func (r refusal) Error() string   { return r.why.Error() }
func (r refusal) Unwrap() []error { return []error{r.kind, r.why} }

func refuse(kind error, format string, args ...any) error {
	return refusal{kind, fmt.Errorf(format, args...)}
}
