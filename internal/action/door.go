package action

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/natsops/natsops/internal/hint"
)

// A Door lets actions through. All fields but the flags must be set; what is
// missing keeps it shut.
type Door struct {
	// Confirm asks a person. It returns false when they decline, and an error
	// when nobody could be asked.
	Confirm  func(context.Context, Action) (bool, error)
	Audit    Audit
	Now      func() time.Time
	Who      string   // the user of the operating system
	Version  string   // of natsops
	Servers  []string // the URLs of the servers it leads to; user and password are not written down
	ReadOnly bool     // nothing goes through
	DryRun   bool     // everything but asking and doing
}

// An Audit keeps entries for good. When Append returns without an error, the
// entry survives a crash of the machine.
type Audit interface{ Append(Entry) error }

// Perform does a, if it is allowed, confirmed, unchanged and on record. The
// errors [ErrReadOnly], [ErrDeclined], [ErrChanged] and [ErrAudit] with a zero
// outcome say that nothing was sent. When only the end of a could not be
// written down, the outcome comes with an ErrAudit.
func (d Door) Perform(ctx context.Context, a Action) (Outcome, error) {
	if err := d.admit(ctx, a); err != nil {
		return Outcome{}, fmt.Errorf("%s: %w", a.Name, err)
	}
	e := d.entry(a)
	if d.DryRun {
		e.Phase, e.Outcome = PhaseDryRun, "nothing was sent"
		if err := d.Audit.Append(e); err != nil {
			return Outcome{}, fmt.Errorf("%s: %w", a.Name, unwritten(err, "it would not be done"))
		}
		return Outcome{Summary: "dry run: nothing was sent"}, nil
	}
	if err := d.Audit.Append(e); err != nil {
		return Outcome{}, fmt.Errorf("%s: %w", a.Name, unwritten(err, "nothing was done"))
	}
	out, err := a.Do(ctx)
	e.Phase, e.Time, e.Outcome, e.Detail = PhaseEnd, d.Now(), out.Summary, out.Detail
	if err != nil {
		e.Error = err.Error()
	}
	if lost := d.Audit.Append(e); lost != nil {
		err = errors.Join(err, fmt.Errorf("%s: %w", a.Name, unwritten(lost, "it was done, but how it ended is not on record")))
	}
	return out, err
}

// admit goes through all that must be true before anything is written or sent.
func (d Door) admit(ctx context.Context, a Action) error {
	if err := a.complete(); err != nil {
		return err
	}
	if d.ReadOnly {
		return fmt.Errorf("%w: nothing is changed", ErrReadOnly)
	}
	if d.Audit == nil || d.Now == nil || d.Who == "" {
		return fmt.Errorf("%w: it is not known where, when or who", ErrAudit)
	}
	if !d.DryRun {
		if err := d.ask(ctx, a); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	switch err := a.Check(ctx); {
	case errors.Is(err, ErrChanged):
		return err
	case err != nil:
		return fmt.Errorf("nothing was done, since it could not be read again: %w", err)
	}
	return ctx.Err()
}

func (d Door) ask(ctx context.Context, a Action) error {
	if d.Confirm == nil {
		return fmt.Errorf("%w: there is nobody to ask", ErrDeclined)
	}
	switch yes, err := d.Confirm(ctx, a); {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrDeclined, err)
	case !yes:
		return ErrDeclined
	}
	return nil
}

// entry is the line that says that a begins.
func (d Door) entry(a Action) Entry {
	e := Entry{
		ID: rand.Text(), Phase: PhaseBegin, Time: d.Now(),
		Who: d.Who, Version: d.Version,
		Action: a.Name, Target: a.Target, Object: a.Object, Impact: a.Impact,
		DryRun: d.DryRun,
	}
	for _, server := range d.Servers {
		e.Servers = append(e.Servers, withoutUser(server))
	}
	return e
}

// withoutUser removes what may be a secret from the URL of a server.
func withoutUser(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return "(not a URL)" // it may hold a password all the same
	}
	u.User = nil
	return u.String()
}

func unwritten(err error, therefore string) error {
	return hint.Wrap(fmt.Errorf("%w, so %s: %w", ErrAudit, therefore, err),
		"making room and giving yourself the right to write there, or naming another directory in XDG_STATE_HOME")
}

// Who returns the name of the user of the operating system who runs this
// process, or their number.
func Who() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "uid " + strconv.Itoa(os.Getuid())
}
