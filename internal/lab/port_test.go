package lab

import (
	"errors"
	"net"
	"slices"
	"syscall"
	"testing"
)

func TestPortOfALabIsNoOthersWhileNobodyListens(t *testing.T) {
	var a, b claims
	defer b.release()
	port, err := a.claim()
	if err != nil {
		t.Fatal(err)
	}
	if port < firstPort || port > lastPort {
		t.Errorf("got port %d", port)
	}
	if err := b.take(port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("claimed twice: %v", err)
	}
	a.release()
	if err := b.take(port); err != nil {
		t.Errorf("not free after its lab: %v", err)
	}
}

func TestPortThatSomebodyListensOnIsNotClaimed(t *testing.T) {
	var a, b claims
	defer b.release()
	port, err := a.claim()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", loopback(port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a.release()
	if err := b.take(port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("claimed: %v", err)
	}
	if len(b.held) != 0 {
		t.Error("held all the same")
	}
}

func TestNodesOfALabHavePortsOfTheirOwn(t *testing.T) {
	var c claims
	defer c.release()
	var ports []int
	for range 5 {
		s := spec{Config: Config{Leafs: true}, Cluster: &membership{}}
		if err := c.fill(&s); err != nil {
			t.Fatal(err)
		}
		ports = append(ports, s.Config.Port, s.MonitorPort, s.LeafPort, s.Cluster.Port)
	}
	slices.Sort(ports)
	if got := len(slices.Compact(ports)); got != 20 {
		t.Errorf("got %d ports of 20: %v", got, ports)
	}
}
