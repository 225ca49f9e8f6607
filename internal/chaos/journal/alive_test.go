package journal

import (
	"os"
	"testing"

	"github.com/natsops/natsops/internal/chaos/process"
)

func TestAProcessIsAliveOnlyIfItIsTheOneThatBegan(t *testing.T) {
	started, err := process.Started(os.Getpid())
	must(t, err)
	if !Alive(os.Getpid(), started) {
		t.Error("this process is not alive")
	}
	if Alive(os.Getpid(), started+"0") {
		t.Error("another process with the same pid counts as this one")
	}
	if Alive(1<<30, started) {
		t.Error("a process that is not there is alive")
	}
}
