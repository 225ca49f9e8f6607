package process

import "testing"

func TestLimitOfFilesIsOthersToSetAndToPutBack(t *testing.T) {
	pid := startVictim(t).Process.Pid
	before, err := LimitFiles(pid, 4096)
	if err != nil {
		t.Fatal(err)
	}
	if was, err := LimitFiles(pid, before); err != nil || was != 4096 {
		t.Errorf("the limit was %d, error %v", was, err)
	}
	if was, err := LimitFiles(pid, before); err != nil || was != before {
		t.Errorf("the limit was %d, not %d, error %v", was, before, err)
	}
}
