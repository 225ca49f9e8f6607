package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// What a strike or a drill makes in JetStream has these metadata, so that it can
// be told from what others made.
const (
	MetaOwner = "natsops.owner" // the site's mark, or that and "-" and more
	MetaKind  = "natsops.kind"  // MetaChaos
	MetaChaos = "chaos"
)

// Metadata are those of what is made under a mark.
func Metadata(mark string) map[string]string {
	return map[string]string{MetaOwner: mark, MetaKind: MetaChaos}
}

// ErrForeign is about something that is not deleted, since it does not bear the
// mark.
var ErrForeign = errors.New("it is not ours")

// Revert does what an undo says, for a strike that could not heal, and tells what
// was done. It may be repeated: what is already undone, or over by itself, is no
// error. The site needs an App, a JS and the Mark of the strike; of a process,
// nothing.
func Revert(ctx context.Context, u Undo, s Site) (done string, err error) {
	err = persist(ctx, func(ctx context.Context) error {
		done, err = u.revert(ctx, s)
		return err
	})
	if err != nil {
		return done, fmt.Errorf("%s: %w", u, err)
	}
	return done, nil
}

func (u Undo) revert(ctx context.Context, s Site) (done string, err error) {
	switch u.Kind {
	case UndoPause:
		return revertPause(ctx, u, s)
	case UndoConsumer:
		return revertConsumer(ctx, u, s)
	case UndoStream:
		return revertStream(ctx, u, s)
	case UndoFill:
		return revertFill(ctx, u, s)
	case UndoStop:
		return continueProcess(u.PID, u.Started)
	default:
		return "", fmt.Errorf("there is no undo %q", u.Kind)
	}
}

// String is what would be done.
func (u Undo) String() string {
	switch u.Kind {
	case UndoPause:
		return fmt.Sprintf("resume consumer %s/%s", u.Stream, u.Consumer)
	case UndoConsumer:
		return fmt.Sprintf("delete consumer %s/%s", u.Stream, u.Consumer)
	case UndoStream:
		return "delete stream " + u.Stream
	case UndoFill:
		return fmt.Sprintf("purge %s of stream %s", u.Subject, u.Stream)
	case UndoStop:
		return fmt.Sprintf("continue process %d", u.PID)
	default:
		return string(u.Kind)
	}
}

func revertPause(ctx context.Context, u Undo, s Site) (string, error) {
	name := u.Stream + "/" + u.Consumer
	info, err := consumerInfo(ctx, s, u)
	switch {
	case gone(err):
		return "consumer " + name + " is gone", nil
	case err != nil:
		return "", err
	case !info.Paused:
		return "consumer " + name + " is not paused any more", nil
	case !pausedByUs(info, u):
		return "consumer " + name + " is paused by somebody else, and left so", nil
	}
	if err := resume(ctx, s, u); err != nil {
		return "", err
	}
	return "resumed consumer " + name, nil
}

func revertConsumer(ctx context.Context, u Undo, s Site) (string, error) {
	name := u.Stream + "/" + u.Consumer
	info, err := consumerInfo(ctx, s, u)
	if gone(err) {
		return "consumer " + name + " is gone", nil
	}
	if err == nil {
		err = s.owns(info.Config.Metadata)
	}
	if err == nil {
		err = s.JS.DeleteConsumer(ctx, u.Stream, u.Consumer)
	}
	if err != nil && !gone(err) {
		return "", err
	}
	return "deleted consumer " + name, nil
}

func revertStream(ctx context.Context, u Undo, s Site) (string, error) {
	stream, err := s.JS.Stream(ctx, u.Stream)
	if gone(err) {
		return "stream " + u.Stream + " is gone", nil
	}
	if err == nil {
		err = s.owns(stream.CachedInfo().Config.Metadata)
	}
	if err == nil {
		err = s.JS.DeleteStream(ctx, u.Stream)
	}
	if err != nil && !gone(err) {
		return "", err
	}
	return "deleted stream " + u.Stream, nil
}

// revertFill purges a subject, which is the mark's or it stays. The stream need
// not be ours.
func revertFill(ctx context.Context, u Undo, s Site) (string, error) {
	if u.Subject == "" || strings.HasPrefix(u.Subject, ">") || strings.HasPrefix(u.Subject, "*") {
		return "", fmt.Errorf("the subject %q is everybody's: %w", u.Subject, ErrForeign)
	}
	if err := purge(ctx, s, u); err != nil {
		return "", err
	}
	return fmt.Sprintf("purged %s of stream %s", u.Subject, u.Stream), nil
}

// purge removes the messages of a subject, until that is answered. A stream that
// is gone has none.
func purge(ctx context.Context, s Site, u Undo) error {
	return persist(ctx, func(ctx context.Context) error {
		stream, err := s.JS.Stream(ctx, u.Stream)
		if err == nil {
			err = stream.Purge(ctx, jetstream.WithPurgeSubject(u.Subject))
		}
		if gone(err) {
			return nil
		}
		return err
	})
}

// owns refuses what does not bear the mark.
func (s Site) owns(metadata map[string]string) error {
	owner, kind := metadata[MetaOwner], metadata[MetaKind]
	if kind != MetaChaos || !marked(owner, s.Mark) {
		return fmt.Errorf("%w: its %s is %q, not %s", ErrForeign, MetaOwner, owner, s.Mark)
	}
	return nil
}

// marked tells whether a name is that of something under a mark, and not under
// one that is only longer.
func marked(name, mark string) bool {
	return mark != "" && (name == mark || strings.HasPrefix(name, mark+"-"))
}
