package load

import (
	"context"
	"os"
	"testing"

	"github.com/natsops/natsops/internal/lab"
	"github.com/natsops/natsops/internal/leaktest"
)

// TestMain makes the test binary a lab server when a lab starts it as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == lab.ChildCommand {
		if err := lab.ServeChild(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	// Children built for the race detector would each wait a second at their end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	leaktest.Main(m)
}
