package load

import (
	"fmt"
	"net"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/natsops/natsops/internal/chaos/history"
)

func TestAnswersAreToldApart(t *testing.T) {
	apiErr := func(code int, text string) string {
		return fmt.Sprintf(`{"stream":"DRILL","error":{"code":400,"err_code":%d,"description":%q},"seq":0}`, code, text)
	}
	tests := []struct {
		name, status, data string
		want               verdict
	}{
		{"stored", "", `{"stream":"DRILL","seq":5}`, verdict{outcome: history.Acked, streamSeq: 5}},
		{"stored, in a domain", "", `{"stream":"DRILL","domain":"hub","seq":5}`, verdict{outcome: history.Acked, streamSeq: 5}},
		{"stored before", "", `{"stream":"DRILL", "seq":5,"duplicate": true}`, verdict{outcome: history.Acked, streamSeq: 5, duplicate: true}},
		{"nobody there", "503", "", verdict{outcome: history.Refused, class: history.NoResponders}},
		{"another status", "408", "", verdict{class: history.Other}},
		{"nothing", "", "", verdict{class: history.Other}},
		{"an echo", "", "hello", verdict{class: history.Other}},
		{"JSON of somebody", "", `{"ok":true}`, verdict{class: history.Other}},
		{"another stream", "", `{"stream":"OTHER","seq":5}`, verdict{class: history.Other}},
		{"in process, before 2.11", "", `{"stream":"DRILL","seq":0,"duplicate": true}`, verdict{class: history.Other}},
		{"in process", "", apiErr(10158, "duplicate message id is in process"), verdict{class: history.InProcess}},
		{"account full", "", apiErr(10002, "resource limits exceeded for account"), verdict{outcome: history.Refused, class: "api-10002"}},
		{"server full", "", apiErr(10023, "insufficient resources"), verdict{outcome: history.Refused, class: "api-10023"}},
		{"sealed", "", apiErr(10109, "invalid operation on sealed stream"), verdict{outcome: history.Refused, class: "api-10109"}},
		{"overrun", "429", apiErr(10167, "too many requests"), verdict{outcome: history.Refused, class: "api-10167"}},
		{"stream full", "", apiErr(10077, "maximum bytes exceeded"), verdict{outcome: history.Refused, class: "api-10077"}},
		{"stream full", "", apiErr(10077, "maximum messages exceeded"), verdict{outcome: history.Refused, class: "api-10077"}},
		{"leader's store fails", "", apiErr(10077, "store is closed"), verdict{class: "api-10077"}},
		{"leader's disk is full", "", apiErr(10077, "no space left on device"), verdict{class: "api-10077"}},
		{"leader cannot apply", "", apiErr(10063, "expected stream sequence does not match"), verdict{class: "api-10063"}},
		{"no API", "", apiErr(10008, "JetStream system temporarily unavailable"), verdict{class: "api-10008"}},
		{"unknown code", "", apiErr(19999, "news"), verdict{class: "api-19999"}},
	}
	for _, tt := range tests {
		m := nats.NewMsg("")
		m.Data = []byte(tt.data)
		if tt.status != "" {
			m.Header.Set("Status", tt.status)
		}
		if got := judge(m, streamName); got != tt.want {
			t.Errorf("%s: %q is %+v, want %+v", tt.name, tt.data, got, tt.want)
		}
	}
}

func TestWhatMayBeOnItsWayIsUnknown(t *testing.T) {
	tests := []struct {
		err  error
		want verdict
	}{
		{nats.ErrReconnectBufExceeded, verdict{outcome: history.Refused, class: history.Disconnected}},
		{nats.ErrConnectionClosed, verdict{outcome: history.Refused, class: history.Closed}},
		{nats.ErrConnectionDraining, verdict{outcome: history.Refused, class: history.Closed}},
		{nats.ErrMaxPayload, verdict{outcome: history.Refused, class: history.Other}},
		{&net.OpError{Op: "write", Err: errLine}, verdict{class: history.Other}},
	}
	for _, tt := range tests {
		if got := unsent(tt.err); got != tt.want {
			t.Errorf("%v is %+v, want %+v", tt.err, got, tt.want)
		}
	}
}
