package doctor

import (
	"fmt"
	"time"

	"github.com/natsops/natsops/internal/inspect"
)

// A course is how one thing went over the window, oldest sample first. The
// last sample is of the last snapshot; snapshots that do not tell of it have
// none.
type course[T any] struct {
	samples []*T
	at      []time.Time // when the snapshots were taken
}

func (c course[T]) first() *T { return c.samples[0] }
func (c course[T]) last() *T  { return c.samples[len(c.samples)-1] }

func (c course[T]) elapsed() time.Duration { return c.at[len(c.at)-1].Sub(c.at[0]) }

// always reports whether something held in all samples, of which there must be
// two: what is seen once may have been a moment.
func (c course[T]) always(holds func(*T) bool) bool {
	for _, s := range c.samples {
		if !holds(s) {
			return false
		}
	}
	return len(c.samples) > 1
}

// growth returns by how much a counter grew. It is not known with one sample,
// nor when the counter went back: whoever counts has begun anew.
func growth[T any, N int | int64 | uint32 | uint64](c course[T], counter func(*T) N) (float64, bool) {
	from, to := counter(c.first()), counter(c.last())
	if len(c.samples) < 2 || to < from || c.elapsed() <= 0 {
		return 0, false
	}
	return float64(to - from), true
}

// A plan says how to follow a kind of things through snapshots.
type plan[T any] struct {
	list func(*inspect.Snapshot) []T
	name func(*T) string // what stays the same as long as it is the same thing
	read func(*T) inspect.Reading
}

// follow returns the course of everything that the last snapshot has fresh
// values of.
func follow[T any](window []*inspect.Snapshot, p plan[T]) []course[T] {
	if len(window) == 0 {
		return nil
	}
	places := map[string]int{}
	last := p.list(window[len(window)-1])
	for i := range last {
		if _, twice := places[p.name(&last[i])]; !twice && p.read(&last[i]).State == inspect.Fresh {
			places[p.name(&last[i])] = len(places)
		}
	}
	courses, turns := make([]course[T], len(places)), make([]int, len(places))
	for turn, s := range window {
		list := p.list(s)
		for i := range list {
			place, known := places[p.name(&list[i])]
			if !known || turns[place] > turn || p.read(&list[i]).State != inspect.Fresh {
				continue
			}
			turns[place] = turn + 1
			courses[place].samples = append(courses[place].samples, &list[i])
			courses[place].at = append(courses[place].at, s.At)
		}
	}
	return courses
}

func serverCourse() plan[inspect.Server] {
	return plan[inspect.Server]{
		list: func(s *inspect.Snapshot) []inspect.Server { return s.Servers },
		name: func(s *inspect.Server) string { // the ID is another one after a restart
			if s.Name == "" {
				return s.ID
			}
			return s.Name
		},
		read: func(s *inspect.Server) inspect.Reading { return s.Reading },
	}
}

func connectionCourse() plan[inspect.Connection] {
	return plan[inspect.Connection]{
		list: func(s *inspect.Snapshot) []inspect.Connection { return s.Connections },
		name: func(c *inspect.Connection) string { // numbers begin anew with the server
			return fmt.Sprintf("%s/%d/%d", c.Server, c.CID, c.Start.UnixNano())
		},
		read: func(c *inspect.Connection) inspect.Reading { return c.Reading },
	}
}

func streamCourse() plan[inspect.Stream] {
	return plan[inspect.Stream]{
		list: func(s *inspect.Snapshot) []inspect.Stream { return s.Streams },
		name: func(s *inspect.Stream) string {
			return fmt.Sprintf("%s/%s/%d", s.Account, s.Name, s.Created.UnixNano())
		},
		read: func(s *inspect.Stream) inspect.Reading { return s.Reading },
	}
}

func consumerCourse() plan[inspect.Consumer] {
	return plan[inspect.Consumer]{
		list: func(s *inspect.Snapshot) []inspect.Consumer { return s.Consumers },
		name: func(c *inspect.Consumer) string {
			return fmt.Sprintf("%s/%s/%s/%d", c.Account, c.Stream, c.Name, c.Created.UnixNano())
		},
		read: func(c *inspect.Consumer) inspect.Reading { return c.Reading },
	}
}

func accountCourse() plan[inspect.Account] {
	return plan[inspect.Account]{
		list: func(s *inspect.Snapshot) []inspect.Account { return s.Accounts },
		name: func(a *inspect.Account) string { return a.Name },
		read: func(*inspect.Account) inspect.Reading { return inspect.Reading{State: inspect.Fresh} },
	}
}
