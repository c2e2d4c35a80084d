# make alone lists the targets.

SHELL := bash
FUZZTIME ?= 1m
FUZZ ?= .
BENCHTIME ?= 1s
CRASH_RUNS ?= 200

.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

.PHONY: test
test: ## all tests
	go test ./...

.PHONY: race
race: ## all tests, short variants, under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -short ./...

.PHONY: lint
lint: ## gofmt, vet, staticcheck, and the rules of internal/lint
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	go test ./internal/lint

.PHONY: fuzz
fuzz: ## every fuzz target below the folders FUZZ (.) for FUZZTIME (1m)
	@set -euo pipefail; grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' $(FUZZ) | sort | while IFS=: read -r file func; do \
		echo "$$(dirname "$$file") $${func#func }"; \
		go test "$$(dirname "$$file")" -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime $(FUZZTIME) </dev/null; \
	done

# Tests with Kill in their name stage CRASH_RUNS crashes, of imports a quarter of that and
# with files of a thousand times as many rows; those with PowerLoss are cheaper and stage
# five times as many. CLIENTELE_IMPORT_KILLS and CLIENTELE_IMPORT_ROWS set imports apart.
.PHONY: crash
crash: ## CRASH_RUNS (200) kills of a writing process, a quarter of imports, five times as many power losses
	CLIENTELE_CRASH_RUNS=$(CRASH_RUNS) go test . -run Kill -count=1 -timeout 60m -v
	CLIENTELE_CRASH_RUNS=$$((5 * $(CRASH_RUNS))) go test ./storage/kv/pebblekv -run PowerLoss -count=1 -timeout 60m -v

.PHONY: bench
bench: ## every benchmark for BENCHTIME (1s)
	go test ./... -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -timeout 60m
