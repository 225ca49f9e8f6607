# `make check` is the only gate; continuous integration runs exactly it.

GO         ?= go
TIMEOUT    ?= 30m
FUZZTIME   ?= 10s
BENCHCOUNT ?= 6
SOAKTIME   ?= 1800
RUNS       ?= 1

INTERRUPTIONS ?= 100

PLATFORMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

STEP       = @tools/step
LINT       = $(GO) tool -modfile=tools/golangci-lint/go.mod golangci-lint
GORELEASER = $(GO) tool -modfile=tools/goreleaser/go.mod goreleaser
GENDOCS    = $(GO) run ./cmd/natsops docs --dir

.DEFAULT_GOAL := help
.NOTPARALLEL:

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: check
check: tidy lint test race docs-check cross release-check ## the gate: everything below up to release-check

.PHONY: tidy
tidy: ## go.mod and go.sum say what the code needs
	$(STEP) tidy $(GO) mod tidy -diff

.PHONY: lint
lint: ## style, formatting, layers (.golangci.yml)
	$(STEP) lint sh -c '$(LINT) config verify && $(LINT) run ./...'

.PHONY: test
test: ## all tests
	$(STEP) test $(GO) test -timeout $(TIMEOUT) ./...

.PHONY: race
race: ## all tests under the race detector (needs cgo and a C compiler)
	$(STEP) race env CGO_ENABLED=1 $(GO) test -race -timeout $(TIMEOUT) ./...

.PHONY: docs-check
docs-check: ## docs/reference is what the program would generate now
	$(STEP) docs tools/docs-check docs/reference $(GENDOCS)

CROSS = $(PLATFORMS:%=cross/%)
.PHONY: cross $(CROSS)
cross: $(CROSS) ## build and vet, tests included, for every released platform
$(CROSS):
	$(STEP) $@ env CGO_ENABLED=0 GOOS=$(word 2,$(subst /, ,$@)) GOARCH=$(word 3,$(subst /, ,$@)) \
		sh -c '$(GO) build ./... && $(GO) vet ./...'

.PHONY: release-check
release-check: ## .goreleaser.yaml is valid and free of deprecations
	$(STEP) release-check $(GORELEASER) check

.PHONY: format
format: ## rewrite the code as the linter wants it
	$(LINT) fmt ./...
	$(GO) mod tidy

.PHONY: docs
docs: ## regenerate docs/reference
	$(GENDOCS) docs/reference

.PHONY: fuzz
fuzz: ## fuzz every target for FUZZTIME (10s)
	@tools/fuzz $(FUZZTIME)

.PHONY: bench
bench: ## Go benchmarks, BENCHCOUNT (6) times, as benchstat reads them
	$(GO) test -run '^$$' -bench . -benchmem -count $(BENCHCOUNT) -timeout 1h ./...

.PHONY: soak
soak: ## memory of a long run, then race tests in random order for SOAKTIME (1800) seconds
	$(STEP) "soak memory" env NATSOPS_SOAK=2m $(GO) test -count 1 -run TestMemoryStaysFlat -timeout 10m ./internal/bench/natsgo
	@tools/soak $(SOAKTIME)

.PHONY: drills
drills: ## all built-in drills, RUNS (1) times, and what they showed onto their pages (half an hour each)
	@tools/drills $(RUNS)

.PHONY: heal
heal: ## interrupt drills INTERRUPTIONS (100) times, and see that nothing is left
	$(STEP) heal env NATSOPS_INTERRUPTIONS=$(INTERRUPTIONS) $(GO) test ./cmd/natsops -count 1 -timeout 90m -run TestInterruptedDrills

.PHONY: compat
compat: ## lag, doctor and short drills against real servers of older versions
	@tools/compat

.PHONY: snapshot
snapshot: ## build the release archives into dist/, publish nothing
	$(GORELEASER) release --snapshot --clean

.PHONY: clean
clean: ## remove what the targets above left behind
	rm -rf dist completions natsops natsops.exe
