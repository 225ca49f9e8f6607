package main

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Each script runs the real program. It begins with no server at all; the
// command serve starts one in this process and names it in NATS_URL. What
// natsops does with nothing named, scripts without serve show.
//
// Commands besides those of testscript:
//
//	exits CODE[|CODE] PROGRAM ARGS...
//	                                 run, and fail unless it exits with a CODE
//	becomes CODE PATTERN... -- PROGRAM ARGS...
//	                                 run again and again, until it exits with CODE and
//	                                 says every PATTERN
//	start [-stuck] NAME PROGRAM ARGS...
//	                                 run in the background; stuck: into a pipe that is full
//	says NAME PATTERN VARIABLE       wait until it says PATTERN, keep the first group of it
//	signal NAME INT|TERM|STOP|CONT   send it a signal, as a terminal does
//	ends CODE NAME                   wait for its end, and fail unless it exits with CODE
//	dies NAME                        wait for its end, and fail unless a signal was its end
//	nothing-left                     fail if a lab's directory or a process is left
//
//	serve [-auth KIND] [-tls KIND] [-tlsfirst] [-user NAME[:DENIED,...]]
//	                                 start a server; users have the password "known", and
//	                                 may not publish to what is denied
//	restart                          restart it
//	halt                             end it
//	mute                             listen like a server that never says a word
//	accepted                         wait until somebody has come to it
//	context NAME                     write a context of the nats CLI that names the server
//	respond [-times N] [-twice] SUBJECT
//	                                 answer requests: the first N, each twice
//	listen SUBJECT                   keep what is published
//	heard SUBJECT N                  wait for N messages, describe all on stdout
//	asked SUBJECT CLIENTS N          wait until so many clients have asked N times each
//	unheard SUBJECT                  fail if there was a message
//	flows [-at URL] SUBJECT          wait until a load is running
//	subscribed SUBJECT N             wait for N subscriptions
//	fetched PAGE N                   wait until the monitoring was asked for a page N times
//	disconnected                     wait until natsops has no connection any more
//
//	stream NAME SUBJECT              make a stream
//	consumer STREAM NAME             make a durable pull consumer
//	ephemerals STREAM N              make N ephemeral pull consumers
//	publish SUBJECT N                store N messages
//	give-up STREAM CONSUMER          terminate the next message of a consumer
//	delete STREAM[/CONSUMER]         delete a stream or a consumer
//
//	validates FILE                   FILE is one JSON document that fits the schema that it names
//	holds FILE A OP B                compare: .path.in.FILE, sums of those, or a constant
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUpStage,
		Condition: func(cond string) (bool, error) {
			if cond == "race" {
				return raceEnabled, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":        command(2, cmdExits),
			"becomes":      command(4, cmdBecomes),
			"start":        command(2, cmdStart),
			"says":         command(3, cmdSays),
			"signal":       command(2, cmdSignal),
			"ends":         command(2, cmdEnds),
			"dies":         command(1, cmdDies),
			"nothing-left": command(0, cmdNothingLeft),
			"serve":        command(0, cmdServe),
			"restart":      command(0, cmdRestart),
			"halt":         command(0, cmdHalt),
			"mute":         command(0, cmdMute),
			"accepted":     command(0, cmdAccepted),
			"context":      command(1, cmdContext),
			"respond":      command(1, cmdRespond),
			"listen":       command(1, cmdListen),
			"heard":        command(2, cmdHeard),
			"asked":        command(3, cmdAsked),
			"unheard":      command(1, cmdUnheard),
			"flows":        command(1, cmdFlows),
			"subscribed":   command(2, cmdSubscribed),
			"fetched":      command(2, cmdFetched),
			"disconnected": command(0, cmdDisconnected),
			"stream":       command(2, cmdStream),
			"consumer":     command(2, cmdConsumer),
			"ephemerals":   command(2, cmdEphemerals),
			"publish":      command(2, cmdPublish),
			"give-up":      command(2, cmdGiveUp),
			"delete":       command(1, cmdDelete),
			"validates":    command(1, cmdValidates),
			"holds":        command(4, cmdHolds),
		},
	})
}

// command makes a command of a script that cannot be negated and has at least
// so many arguments.
func command(least int, do func(*testscript.TestScript, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < least {
			ts.Fatalf("wrong use of this command; see TestScripts")
		}
		do(ts, args)
	}
}

func cmdExits(ts *testscript.TestScript, args []string) {
	got := exitCode(ts, args[1:])
	if !slices.Contains(strings.Split(args[0], "|"), strconv.Itoa(got)) {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// exitCode runs a program to its end.
func exitCode(ts *testscript.TestScript, program []string) int {
	err := ts.Exec(program[0], program[1:]...)
	if exit, failed := errors.AsType[*exec.ExitError](err); failed {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}
