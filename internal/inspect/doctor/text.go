package doctor

import (
	"fmt"
	"strconv"
	"time"

	"github.com/natsops/natsops/internal/inspect"
	"github.com/natsops/natsops/internal/quantity"
)

// How things are called in findings.

func connectionName(c *inspect.Connection) string {
	name := fmt.Sprintf("connection %d", c.CID)
	switch {
	case c.Name != "":
		name += " " + strconv.Quote(c.Name)
	case c.User != "":
		name += " of user " + strconv.Quote(c.User)
	case c.IP != "":
		name += " from " + c.IP
	}
	if c.Server == "" {
		return name
	}
	return name + " of server " + c.Server
}

// clientName is what the connections of one program have in common.
func clientName(c *inspect.Connection) string {
	switch {
	case c.Name != "":
		return strconv.Quote(c.Name) + inAccount(c.Account)
	case c.User != "":
		return "user " + strconv.Quote(c.User) + inAccount(c.Account)
	}
	return c.IP + inAccount(c.Account)
}

func inAccount(account string) string {
	if account == "" || account == "$G" {
		return ""
	}
	return " of account " + account
}

func serverName(s *inspect.Server) string {
	if s.Name == "" {
		return s.ID
	}
	return s.Name
}

func serverVersion(s *inspect.Server) string {
	if s.Version == "" && s.Varz != nil {
		return s.Varz.Version
	}
	return s.Version
}

func streamName(s *inspect.Stream) string { return "stream " + s.Name + inAccount(s.Account) }

func consumerName(c *inspect.Consumer) string {
	return "consumer " + c.Key().String() + inAccount(c.Account)
}

// count returns "1 stream", "2 streams".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// are returns "1 stream is", "2 streams are".
func are(n int, thing string) string {
	if n == 1 {
		return count(n, thing) + " is"
	}
	return count(n, thing) + " are"
}

func size[N int | int64 | uint64 | float64](bytes N) string {
	return quantity.FormatSize(float64(bytes))
}

func number[N int | int64 | uint32 | uint64 | float64](n N) string {
	return quantity.FormatCount(float64(n))
}

func perSecond(n float64, over time.Duration) string {
	return quantity.FormatRate(n / over.Seconds())
}

func duration(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day {
		return count(int(d/day), "day")
	}
	return quantity.FormatDuration(d)
}

// seconds shows a number of seconds.
func seconds(s float64) string {
	const century = 100 * 365 * 24 * 3600
	return duration(time.Duration(min(max(s, 0), century) * float64(time.Second)))
}

// share shows a part of a whole.
func share(part, whole float64) string { return quantity.FormatRatio(part / whole) }
