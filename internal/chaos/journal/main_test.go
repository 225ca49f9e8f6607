package journal

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/natsops/natsops/internal/hint"
	"github.com/natsops/natsops/internal/leaktest"
)

// What else this test binary can be: it takes the lock on theTarget in its
// working directory, says so, and waits until its input ends.
const lockCommand = "__journal-lock"

const theTarget = "nats://n1:4222"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == lockCommand {
		os.Exit(lockMain())
	}
	leaktest.Main(m)
}

func lockMain() int {
	const dir = "."
	if _, err := Lock(dir, theTarget); err != nil {
		fmt.Println(err)
		return 1
	}
	b := someBegin("child")
	b.PID = os.Getpid()
	if _, err := Create(dir, b); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("locked")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	return 0
}

func TestALockBarsOtherProcessesUntilItsOwnDies(t *testing.T) {
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], lockCommand)
	child.Dir = dir
	stdin, err := child.StdinPipe()
	must(t, err)
	defer stdin.Close()
	stdout, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	t.Cleanup(func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || line != "locked\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	_, err = Lock(dir, theTarget)
	if !errors.Is(err, ErrRunning) || hint.Of(err) == "" {
		t.Fatalf("Lock = %v, want ErrRunning with a hint", err)
	}
	for _, part := range []string{`drill "kill-node"`, fmt.Sprint("process ", child.Process.Pid), " since ", theTarget} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("Lock = %q, want %q in it", err, part)
		}
	}
	other, err := Lock(dir, "nats://n2:4222")
	must(t, err)
	other()
	must(t, child.Process.Kill()) // no chance to release
	_ = child.Wait()
	release, err := Lock(dir, theTarget)
	must(t, err)
	release()
}

func TestALockBarsItsOwnProcessUntilItIsReleased(t *testing.T) {
	dir := t.TempDir()
	release, err := Lock(dir, "lab")
	must(t, err)
	if _, err := Lock(dir, "lab"); !errors.Is(err, ErrRunning) {
		t.Errorf("Lock = %v, want ErrRunning", err)
	}
	release()
	release, err = Lock(dir, "lab")
	must(t, err)
	release()
}

func TestALockWithoutAPlaceIsAnErrorOfTheJournal(t *testing.T) {
	file := dirFile(t)
	if _, err := Lock(file, "lab"); !errors.Is(err, ErrJournal) || errors.Is(err, ErrRunning) {
		t.Errorf("Lock = %v, want ErrJournal", err)
	}
}

// dirFile returns a file, which root cannot write into either.
func dirFile(t *testing.T) string {
	t.Helper()
	file := t.TempDir() + "/file"
	must(t, os.WriteFile(file, nil, 0o600))
	return file
}
