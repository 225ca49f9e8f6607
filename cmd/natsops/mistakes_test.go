package main

// A mistake is a command line that is wrong, and what must be said about it:
// the input at fault and what to do instead.
type mistake struct {
	command string
	says    []string
	// atServer is set when only a server can tell that it is wrong.
	atServer bool
}

// mistakes lists command lines by what is wrong with them. $DIR is a directory
// with the files empty, word and directory.
func mistakes() []mistake {
	return []mistake{
		// Commands.
		{"nonsense", []string{`unknown command "nonsense"`, "natsops --help"}, false},
		{"benhc", []string{`unknown command "benhc"`, "did you mean bench?"}, false},
		{"bench pubb", []string{`unknown command "pubb"`, "did you mean pub"}, false},
		{"bench requets", []string{`unknown command "requets"`, "did you mean request?"}, false},
		{"bench orders.new", []string{`unknown command "orders.new"`, "natsops bench --help"}, false},
		{"bench version", []string{`unknown command "version" for natsops bench`}, false},
		{"help nonsense", []string{`"nonsense"`}, false},
		{"completion tcsh", []string{`"tcsh"`}, false},
		{"version x", []string{`unexpected argument "x"`, "natsops version"}, false},
		{"lab x", []string{`unexpected argument "x"`, "natsops lab"}, false},
		{"bench pub a b", []string{`unexpected argument "b"`, "natsops bench pub [SUBJECT]"}, false},
		{"bench sub", []string{"natsops bench sub needs a subject", "natsops bench sub SUBJECT"}, false},
		{"bench reply", []string{"natsops bench reply needs a subject", "natsops bench reply SUBJECT"}, false},

		// Flags that are not there.
		{"--nope", []string{"--nope", "natsops --help"}, false},
		{"bench --nope", []string{"--nope", "natsops bench --help"}, false},
		{"bench pub --sizee 10", []string{"--sizee", "did you mean --size?"}, false},
		{"bench pub -z", []string{"-z", "natsops bench pub --help"}, false},
		{"bench pub --closed", []string{"--closed", "natsops bench pub --help"}, false},
		{"bench pub --queue workers", []string{"--queue", "natsops bench pub --help"}, false},
		{"bench pub --in-flight 5", []string{"--in-flight", "natsops bench pub --help"}, false},
		{"bench sub orders --rate 5", []string{"--rate", "natsops bench sub --help"}, false},
		{"bench reply orders --warmup 1s", []string{"--warmup", "natsops bench reply --help"}, false},
		{"lab --nope", []string{"--nope", "natsops lab --help"}, false},
		{"bench pub --size", []string{"--size", "needs an argument"}, false},

		// Sizes.
		{"bench pub --size 0", []string{"--size", `"0"`, "at least 1 byte"}, false},
		{"bench pub --size -1", []string{"--size", `"-1"`, "such as 4KiB"}, false},
		{"bench pub --size abc", []string{"--size", `"abc"`, "such as 4KiB"}, false},
		{"bench pub --size 4k", []string{"--size", `"4k"`, "KB, KiB"}, false},
		{"bench pub --size 1.5", []string{"--size", `"1.5"`, "not whole"}, false},
		{"bench pub --size 1GiB", []string{"--size", `"1GiB"`, "64 MiB"}, false},
		{"bench pub --size 2MiB", []string{"2097152 bytes", "1048576", "smaller --size"}, true},
		{"bench request --size 2MiB", []string{"2097152 bytes", "1048576", "smaller --size"}, true},
		{"bench reply orders --size 2MiB", []string{"2097152 bytes", "1048576", "smaller --size"}, true},
		{"bench pub --payload $DIR/large", []string{"1048577 bytes", "1048576", "$DIR/large"}, true},
		{"bench pubsub --size 10", []string{"--size 10", "24-byte stamp", "--size 24"}, false},
		{"bench reply orders --size 0", []string{"--size", `"0"`, "at least 1 byte"}, false},

		// Rates and schedules.
		{"bench pub --rate 0", []string{"--rate", `"0"`, "above 0", "max"}, false},
		{"bench pub --rate -1", []string{"--rate", `"-1"`, "such as 100k/s"}, false},
		{"bench pub --rate abc", []string{"--rate", `"abc"`, "such as 100k/s"}, false},
		{"bench pub --rate ''", []string{"--rate", `""`, "such as 100k/s"}, false},
		{"bench pub --rate 1k..2k", []string{"--rate", `"1k..2k"`, "--schedule ramp"}, false},
		{"bench pub --rate 1k,2k", []string{"--rate", `"1k,2k"`, "--schedule steps"}, false},
		{"bench pub --schedule ramp", []string{"--schedule ramp", "--rate"}, false},
		{"bench pub --schedule ramp --rate 1k", []string{"--schedule ramp", "FROM..TO", `"1k"`}, false},
		{"bench pub --schedule ramp --rate 1k..", []string{"--rate", `"1k.."`}, false},
		{"bench pub --schedule ramp --rate 1k..2k..3k", []string{"--rate", "2k..3k"}, false},
		{"bench pub --schedule steps --rate 1k", []string{"--schedule steps", "1k,2k,5k", `"1k"`}, false},
		{"bench pub --schedule steps --rate 1k,,2k", []string{"--rate", `"1k,,2k"`}, false},
		{"bench pub --schedule steps --rate 1k,0", []string{"--rate", `0`, "above 0"}, false},
		{"bench pub --schedule poisson", []string{"--schedule poisson", "--rate"}, false},
		{"bench pub --schedule poisson --rate 1k..2k", []string{"--rate", `"1k..2k"`, "--schedule ramp"}, false},
		{"bench pub --schedule sine", []string{"--schedule", `"sine"`, "constant, poisson, ramp, steps"}, false},
		{"bench pub --schedule ramp --rate 1k..2k --msgs 10", []string{"--schedule ramp", "--duration", "--msgs"}, false},
		{"bench pub --schedule steps --rate 1k,2k --msgs 10", []string{"--schedule steps needs --duration, not --msgs"}, false},

		// Lengths.
		{"bench pub --msgs 0", []string{"--msgs", `"0"`, "at least 1"}, false},
		{"bench pub --msgs -5", []string{"--msgs", `"-5"`, "such as 10k"}, false},
		{"bench pub --msgs 1.5", []string{"--msgs", `"1.5"`, "whole number"}, false},
		{"bench pub --msgs many", []string{"--msgs", `"many"`, "such as 10k"}, false},
		{"bench pub --msgs 10 --duration 1s", []string{"--msgs and --duration exclude each other"}, false},
		{"bench pub --duration 0", []string{"--duration 0s", "10s"}, false},
		{"bench pub --duration -1s", []string{"--duration", `-1s`, "such as"}, false},
		{"bench pub --duration 5", []string{"--duration", `"5"`, "such as"}, false},
		{"bench pub --duration long", []string{"--duration", `"long"`, "such as"}, false},
		{"bench pub --warmup -1s", []string{"--warmup", `-1s`, "such as"}, false},
		{"bench pub --warmup 5", []string{"--warmup", `"5"`, "such as"}, false},
		{"bench sub orders --idle -1s", []string{"--idle", `-1s`, "such as"}, false},
		{"bench sub orders --duration 0", []string{"--duration 0s", "10s"}, false},
		{"bench reply orders --msgs 0", []string{"--msgs", `"0"`, "at least 1"}, false},
		{"bench pub --repeat 0", []string{"--repeat", `"0"`, "at least 1"}, false},
		{"bench pub --repeat -1", []string{"--repeat", `"-1"`}, false},

		// Clients.
		{"bench pub --clients 0", []string{"--clients", `"0"`, "at least 1"}, false},
		{"bench pub --clients many", []string{"--clients", `"many"`}, false},
		{"bench pub --clients 100k", []string{"100000", "65536"}, false},
		{"bench pubsub --publishers 0", []string{"--publishers", `"0"`, "at least 1"}, false},
		{"bench pubsub --subscribers 0", []string{"--subscribers", `"0"`, "at least 1"}, false},
		{"bench request --responders 0", []string{"--responders", `"0"`, "at least 1"}, false},
		{"bench sub orders --clients 0", []string{"--clients", `"0"`, "at least 1"}, false},
		{"bench request --in-flight 0", []string{"--in-flight", `"0"`, "at least 1"}, false},
		{"bench request --retries -1", []string{"--retries", "-1", "0", "15"}, false},
		{"bench request --retries 99", []string{"--retries", "99", "0", "15"}, false},
		{"bench request --retries some", []string{"--retries", `"some"`, "15"}, false},
		{"bench request --timeout -1s", []string{"--timeout", "-1s", "such as"}, false},
		{"bench request --timeout 5", []string{"--timeout", `"5"`, "such as"}, false},
		{"bench request --external", []string{"--external needs the subject", "natsops bench request SUBJECT --external"}, false},
		{"bench request orders --external --responders 2", []string{"--external", "leave out --responders"}, false},
		{"bench request orders --external --queue workers", []string{"--external", "leave out", "--queue"}, false},
		{"bench pub --seed -1", []string{"--seed", `"-1"`}, false},

		// Subjects.
		{"bench pub --subjects 0", []string{"--subjects", `"0"`, "at least 1"}, false},
		{"bench pub ''", []string{`subject ""`, "empty"}, false},
		{"bench pub 'a b'", []string{`subject "a b"`, "white space"}, false},
		{"bench pub a..b", []string{`subject "a..b"`, "empty token", "orders.new"}, false},
		{"bench pub a.", []string{`subject "a."`, "empty token", "orders.new"}, false},
		{"bench pub .a", []string{`subject ".a"`, "empty token", "orders.new"}, false},
		{"bench pub a.*", []string{`subject "a.*"`, "wildcard", "name one subject"}, false},
		{"bench pubsub a.>", []string{`subject "a.>"`, "wildcard", "name one subject"}, false},
		{"bench request *", []string{`subject "*"`, "wildcard", "name one subject"}, false},
		{"bench sub a.>.b", []string{`subject "a.>.b"`, "> before its end"}, false},
		{"bench sub > --subjects 3", []string{`">"`, "--subjects"}, false},
		{"bench reply a.> --subjects 3", []string{`"a.>"`, "--subjects"}, false},
		{"bench sub 'a b'", []string{`subject "a b"`, "white space"}, false},
		{"bench pubsub --queue 'a b'", []string{"queue", `"a b"`, "white space"}, false},
		{"bench pubsub --queue a.*", []string{"queue", `"a.*"`, "wildcard"}, false},

		// Payloads and headers.
		{"bench pub --payload $DIR/missing", []string{"payload", "$DIR/missing", "no such file"}, false},
		{"bench pub --payload $DIR/empty", []string{"payload", "$DIR/empty", "empty"}, false},
		{"bench pub --payload $DIR/directory", []string{"payload", "$DIR/directory", "is a directory"}, false},
		{"bench pub --payload ''", []string{"--payload", "random, zero"}, false},
		{"bench pub --payload $DIR/word --size 10", []string{"--size", "--payload $DIR/word", "exclude each other"}, false},
		{"bench pub --header nocolon", []string{`"nocolon"`, "KEY:VALUE"}, false},
		{"bench pub --header :value", []string{"header", "KEY:VALUE"}, false},
		{"bench sub '>' --subjects 3", []string{`">"`, "--subjects"}, false},
		{"bench pub --server ''", []string{"--server", "empty"}, false},
		{"bench pub --payload /dev/zero", []string{"/dev/zero", "random, zero"}, false},
		{"bench pub --duration 20000h", []string{"20000h", "10000h"}, false},
		{"bench pub -H 'a b:value'", []string{`"a b:`, "KEY:VALUE"}, false},
		{"bench pub -H 'a\tb:value'", []string{`"a\tb:`, "KEY:VALUE"}, false},

		// Objectives.
		{"bench pubsub --slo ''", []string{"--slo", "such as p99<5ms"}, false},
		{"bench pubsub --slo p99", []string{"--slo", `"p99"`, "such as p99<5ms"}, false},
		{"bench pubsub --slo 'p99<'", []string{"--slo", `"p99<"`, "such as 5ms"}, false},
		{"bench pubsub --slo 'p99<5'", []string{"--slo", `"p99<5"`, "such as 5ms"}, false},
		{"bench pubsub --slo 'p99<5k'", []string{"--slo", `"p99<5k"`, "such as 5ms"}, false},
		{"bench pubsub --slo 'rate>5ms'", []string{"--slo", `"rate>5ms"`, "such as 100k/s"}, false},
		{"bench pubsub --slo 'lost==half'", []string{"--slo", `"lost==half"`, "such as 10k"}, false},
		{"bench pubsub --slo 'p98<5ms'", []string{"--slo", `unknown metric "p98"`, `did you mean "p9`}, false},
		{"bench pubsub --slo 'nonsense<5ms'", []string{"--slo", `unknown metric "nonsense"`, "p99, p999"}, false},
		{"bench pub --slo 'p99<5ms'", []string{"--slo", `"p99"`, "rate, throughput, sent"}, false},
		{"bench pubsub --slo 'retries==0'", []string{"--slo", `"retries"`, "lost"}, false},
		{"bench pubsub --slo 'p99<5ms,,lost==0'", []string{"--slo", "such as p99<5ms"}, false},
		{"bench --slo 'p99<5ms'", []string{"--slo needs a workload", "natsops bench request --slo"}, false},

		// Output.
		{"bench pub -o xml", []string{"--output", `"xml"`, "table, json, csv, markdown, hdr"}, false},
		{"bench pub --save $DIR/missing/result.json", []string{"save", "$DIR/missing", "no such file or directory"}, false},
		{"bench pub --save $DIR/directory", []string{"save", "$DIR/directory", "is a directory"}, false},
		{"bench pub --save $DIR/word/result.json", []string{"save", "$DIR/word"}, false},

		// Servers and credentials.
		{"bench pub -s http://host", []string{`--server "http://host"`, "nats, tls, ws or wss", "try a URL like nats://host:4222"}, false},
		{"bench pub -s nats://", []string{`--server "nats://"`, "no host", "try a URL like nats://host:4222"}, false},
		{"bench pub -s nats://host:99999", []string{`--server "nats://host:99999"`, "1 to 65535"}, false},
		{"bench pub -s 'nats://a host'", []string{`--server "nats://a host"`, "space"}, false},
		{"bench pub --creds a --nkey b", []string{"--creds together with --nkey", "try one kind of credential only"}, false},
		{"bench pub --token a --user b --password c", []string{"--user and --password together with --token"}, false},
		{"bench pub --password a", []string{"--password without a user", "try --user NAME"}, false},
		{"bench pub --creds $DIR/missing", []string{"--creds $DIR/missing", "no such file"}, false},
		{"bench pub --creds $DIR/word", []string{"--creds $DIR/word", "not a creds file", "try"}, false},
		{"bench pub --nkey $DIR/missing", []string{"--nkey $DIR/missing", "no such file"}, false},
		{"bench pub --nkey $DIR/word", []string{"--nkey $DIR/word", "no seed", "try"}, false},
		{"bench pub --tlscert $DIR/word", []string{"--tlscert without a key", "try --tlskey FILE"}, false},
		{"bench pub --tlskey $DIR/word", []string{"--tlskey without a certificate", "try --tlscert FILE"}, false},
		{"bench pub --tlsca $DIR/word", []string{"--tlsca $DIR/word", "no PEM certificate"}, false},
		{"bench pub --context production", []string{"context production", "no such context", "try"}, false},
		{"bench pub --context ../production", []string{`context "../production"`, "not a valid name"}, false},
		{"bench pub --socks-proxy http://proxy", []string{`--socks-proxy "http://proxy"`, "try a URL like socks5://"}, false},
		{"bench pub --inbox-prefix >", []string{"--inbox-prefix >", "try tokens without wildcards"}, false},
		{"bench pub --js-domain a --js-api-prefix b", []string{"--js-domain together with --js-api-prefix", "try one of them only"}, false},
		{"bench pub --monitor nonsense", []string{"--monitor", "http://"}, true},
		{"bench pub --monitor http://127.0.0.1:1", []string{"--monitor http://127.0.0.1:1", "connection refused"}, true},

		// The lab.
		{"lab --port -1", []string{"--port", "-1", "65535"}, false},
		{"lab --port 70000", []string{"--port", "70000", "65535"}, false},
		{"lab --port http", []string{"--port", `"http"`, "65535"}, false},
		{"lab --auth ldap", []string{"--auth", `"ldap"`, "none, token, user, nkey"}, false},
		{"lab --tls on", []string{"--tls", `"on"`, "off, server, mutual"}, false},
		{"lab --tlsfirst", []string{"--tlsfirst", "--tls server", "mutual"}, false},
	}
}
