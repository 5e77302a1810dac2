# make demo   the seed's job end to end, on data it makes
# make test   everything that guards us and needs Go alone, in minutes
# make bench        the benchmark: pqjoin beside its peers, into docs/benchmarks.md, in about nine minutes
# make vuln         asks the vulnerability database about what is linked; needs the network
# make torture      tries to break the program: bounds, kills, faults, damaged files; writes docs/reliability.md (as root, an hour)
# make bench-micro  what each kernel costs a row, beside its limit; REF=HEAD~5 compares
# make acceptance   the big ones: 100M rows inside memory cgroups, pandas' answer cell for cell

GO ?= go
BIN := bin/pqjoin
VENV ?= .venv
PYTHON ?= python3

.PHONY: torture all build demo test race lint vuln fuzz acceptance bench bench-smoke bench-setup bench-micro clean

all: build

build:
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=auto -o $(BIN) .

demo: build
	./$(BIN) demo

test:
	$(GO) vet ./...
	$(GO) test -timeout 20m ./...

race:
	$(GO) test -race -short -timeout 20m ./...

# The tools' versions are pinned here and nowhere else.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0

lint:
	@fmt=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$fmt" ]; then echo "gofmt -w these: $$fmt"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# Known vulnerabilities of what is linked and called. It needs the network: the tool's module, and the database. Only where the
# database cannot be reached it says so and ends well; a tool that cannot be had, a program that does not compile, a vulnerability and
# any other failure is an error.
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.8.0
vuln:
	@$(GO) build ./... || { echo "vuln: FAILED: the program does not compile: nothing was checked"; exit 1; }; \
	$(GO) run $(GOVULNCHECK) -version || { echo "vuln: FAILED: $(GOVULNCHECK) cannot be had, of the module proxy say: nothing was checked"; exit 1; }; \
	out=$$($(GO) run $(GOVULNCHECK) ./... 2>&1); code=$$?; echo "$$out"; \
	if [ $$code -eq 1 ] && echo "$$out" | grep -q '^govulncheck: fetching vulnerabilities: '; then \
	  echo "SKIPPED: the vulnerability database, https://vuln.go.dev, cannot be reached from here: NOTHING WAS CHECKED"; \
	else exit $$code; fi

# Counted executions, as fuzzing for a duration fails at its end by chance (go.dev/issue/75804); the seeds alone run with
# make test. Without its limit, making the first find smaller takes the minute.
FUZZTIME ?= 100000x
fuzz:
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$p || exit 1; \
	  done; done

$(VENV)/bin/python: bench/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install -q -r bench/requirements.txt
	touch $@

bench-setup: $(VENV)/bin/python

# BENCHFLAGS: see bench/README.md, or $(VENV)/bin/python bench/run.py -h.
BENCHFLAGS ?=
bench: build bench-setup bin/benchgen
	$(VENV)/bin/python bench/run.py $(BENCHFLAGS)

# Every workload once, small, with DuckDB alone: the harness works, and the answers are equal.
bench-smoke: build bench-setup bin/benchgen
	dir=$$(mktemp -d ./.bench-smoke.XXXXXX) && trap 'rm -rf "$$dir"' EXIT && \
	  $(VENV)/bin/python bench/run.py --smoke --engines pqjoin,duckdb --data "$$dir" --out "$$dir/docs"

.PHONY: bin/benchgen
bin/benchgen:
	CGO_ENABLED=0 $(GO) build -trimpath -o $@ ./bench/gen

torture: build
	$(GO) run ./torture -bin bin/pqjoin -report docs/reliability.md $(TORTUREFLAGS)

acceptance: build bench-setup
	VENV=$(VENV) bash bench/acceptance.sh

# What each kernel costs a row, beside the limit that it runs into; minutes. With REF, a comparison with that commit:
# make bench-micro REF=HEAD~5 BENCH=Probe PKG=hashjoin COUNT=12
BENCHSTAT := golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
BENCH ?= .
COUNT ?= 0
bench-micro:
	$(GO) run ./bench/micro -go '$(GO)' -bench '$(BENCH)' -ref '$(REF)' -count '$(COUNT)' -benchstat $(BENCHSTAT) $(PKG)

clean:
	rm -rf bin pqjoin-demo
