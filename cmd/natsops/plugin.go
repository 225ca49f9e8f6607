package main

import (
	"errors"
	"io"
	"strings"

	"github.com/natsops/natsops/internal/inspectreport"
)

// A pluginError ends a monitoring plugin whose state is not OK: what there is to
// say is said on stdout.
type pluginError struct{ state inspectreport.PluginState }

func (e pluginError) Error() string { return strings.ToLower(e.state.String()) }

func pluginExit(state inspectreport.PluginState) error {
	if state == inspectreport.PluginOK {
		return nil
	}
	return pluginError{state}
}

// asPlugin makes the failure to look the outcome of a monitoring plugin, which
// says on one line of stdout why it knows nothing.
func asPlugin(w world, plugin string, err error) error {
	if _, said := errors.AsType[pluginError](err); err == nil || said {
		return err
	}
	_, _ = io.WriteString(w.stdout, plugin+" UNKNOWN - "+strings.Join(strings.Fields(err.Error()), " ")+"\n")
	return pluginExit(inspectreport.PluginUnknown)
}
