package fault

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/natsops/natsops/internal/chaos/watchdog"
	"github.com/natsops/natsops/internal/lab"
	"github.com/natsops/natsops/internal/leaktest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case lab.ChildCommand:
			exit(lab.ServeChild(context.Background(), os.Stdin, os.Stdout))
		case watchdog.Command:
			exit(watchdog.Serve(context.Background(), os.Stdin, os.Stdout))
		}
	}
	// Children built for the race detector would each wait a second at their end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	leaktest.Main(m)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
