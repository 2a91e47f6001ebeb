# `make help` lists the targets. Everything below needs Go; what else a target
# needs is looked for on PATH and installed when this user may (scripts/need.sh).

GO            ?= go
FUZZTIME      ?= 3s
# TEST_FLAGS goes to `go test`, e.g. TEST_FLAGS='-run TestPlan -v'.
TEST_FLAGS    ?=
# DEMO_FLAGS= (empty) leaves the demo running until it is interrupted.
DEMO_FLAGS    ?= --exit
# No cgo: one static binary. -s -w drops symbol tables, -trimpath local paths.
BUILD_FLAGS   := -trimpath -ldflags='-s -w'
LINT          := $(GO) tool -modfile=tools/go.mod golangci-lint

.DEFAULT_GOAL := help
.PHONY: help demo build test fmt vet lint unit race retail fuzz-short update bench soak bench-large bench-sdk vuln clean crash-matrix workers-matrix limits

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1	\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## preview, dry run, confirm and an agent on loopback, then end (DEMO_FLAGS= stays up)
	@sh scripts/need.sh $(GO)
	$(GO) run ./cmd/sluice demo $(DEMO_FLAGS)

build: ## the static binary: bin/sluice
	@sh scripts/need.sh $(GO)
	CGO_ENABLED=0 $(GO) build $(BUILD_FLAGS) -o bin/sluice ./cmd/sluice

# Committed corpora run with every test; looking for new inputs is a target of its
# own, because what it finds depends on chance.
test: fmt vet lint race retail ## the whole truth, what CI runs

fmt: ## fail when a Go file is not gofmt-formatted
	@sh scripts/need.sh $(GO)
	@files=$$(find . -name '*.go' -not -path '*/node_modules/*' -exec gofmt -l {} +) && \
	if [ -n "$$files" ]; then echo "not formatted, run gofmt -w on:"; echo "$$files"; exit 1; fi

vet: ## go vet
	@sh scripts/need.sh $(GO)
	$(GO) vet ./...

lint: ## golangci-lint (pinned in tools/go.mod; the first build takes minutes) and shellcheck
	@sh scripts/need.sh $(GO)
	@sh scripts/need.sh --optional shellcheck
	$(LINT) run ./...
	@! command -v shellcheck >/dev/null 2>&1 || shellcheck .ci/run scripts/*.sh

unit: ## go test ./... without the race detector: quick, needs nothing but Go
	@sh scripts/need.sh $(GO)
	$(GO) test $(TEST_FLAGS) ./...

# The race detector needs a C compiler; Node and npm run the MCP conformance suite,
# other MCP programs, and Meta's own SDK against
# the sandbox; the tests start a PostgreSQL of their own. Skipped tests are named
# after the run, in CI they fail it.
race: ## go test -race ./... with everything that needs other programs
	@sh scripts/need.sh $(GO) cc
	@sh scripts/need.sh --optional node npm postgres
	@skips=$$(mktemp); rc=0; \
	SLUICE_SKIPS=$$skips $(GO) test -race -timeout 20m $(if $(CI),-count=1) $(TEST_FLAGS) ./... || rc=$$?; \
	if [ -s "$$skips" ]; then echo "NOT RUN on this machine:"; cat "$$skips"; fi; \
	rm -f "$$skips"; exit $$rc

# A year of real orders, day by day: minutes under the race detector, which sees the
# same code in every other test.
retail: ## the tests over the public retail file, where it is there
	@sh scripts/need.sh $(GO)
	$(GO) test -timeout 20m $(if $(CI),-count=1) -run 'TestRetailReplay|TestVector38' $(TEST_FLAGS) ./e2e

fuzz-short: ## every fuzz target for FUZZTIME (3s)
	@sh scripts/need.sh $(GO)
	sh scripts/fuzz-short.sh $(FUZZTIME)

update: ## rewrite the committed lists and generated docs that tests compare
	@sh scripts/need.sh $(GO)
	$(GO) test ./internal/repotest -update

bench: ## what a relay costs an MCP client and server, then Go benchmarks (BENCH=regexp: only those)
	@sh scripts/need.sh $(GO)
	$(if $(BENCH),,$(GO) run ./bench/relay)
	$(GO) test -run '^$$' -bench '$(or $(BENCH),.)' -benchmem ./...

soak: ## 1 000 idle and 200 busy streams through the relay for five minutes, its upstreams killed twice (SOAK_FLAGS)
	@sh scripts/need.sh $(GO)
	$(GO) run ./bench/soak $(SOAK_FLAGS)

bench-large: ## a million orders from CSV to delivered, killed half way and resumed, on both stores
	@sh scripts/need.sh $(GO)
	@sh scripts/need.sh --optional postgres
	SLUICE_VECTOR35_ROWS=1000000 $(GO) test -count=1 -run TestVector35 -v -timeout 20m ./e2e

bench-sdk: ## capi against Meta's Node SDK, interleaved on one thread
	@sh scripts/need.sh $(GO) node npm
	$(GO) run ./bench/nodesdk

crash-matrix: ## kill senders at every point on both stores, ≥ 200 times; rewrites the table in docs/reliability.md (CRASH_FLAGS)
	@sh scripts/need.sh $(GO)
	$(GO) run ./bench/crashmatrix -write docs/reliability.md $(CRASH_FLAGS)

workers-matrix: ## 200 000 events through three workers on one PostgreSQL, one killed, one paused
	@sh scripts/need.sh $(GO)
	$(GO) run ./bench/crashmatrix -workers 200000 -write docs/reliability.md

limits: ## 100 000 calls race for one limit over several processes, and processes are killed under them, on both stores
	@sh scripts/need.sh $(GO)
	@sh scripts/need.sh --optional postgres
	SLUICE_LIMITS_CALLS=100000 SLUICE_LIMITS_KILLS=20 $(GO) test -count=1 -run 'TestProcessesRace|TestKilledProcesses' -v -timeout 30m ./e2e/limits

vuln: ## known vulnerabilities; says so when the database can't be reached
	@sh scripts/need.sh $(GO)
	sh scripts/vuln.sh

clean: ## remove what the targets built
	rm -rf bin dist
