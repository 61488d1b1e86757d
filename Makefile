# Mainstay. `make` alone prints what there is.
STATICCHECK_VERSION := v0.8.2
GOVULNCHECK_VERSION := v1.9.0
TESTFLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help build demo test check fmt vet staticcheck bench explore mutants issuer vuln clean need

help: ## print this
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

need:
	@command -v go  >/dev/null || { echo "Go is missing: install Go 1.26 or newer (https://go.dev/dl)"; exit 1; }
	@command -v gcc >/dev/null || { echo "gcc is missing: apt-get install gcc libc6-dev"; exit 1; }
	@command -v git >/dev/null || { echo "git is missing: apt-get install git (2.39 or newer)"; exit 1; }

build: need ## the server and the Action's binary into bin/
	@go build -o bin/mainstay ./server
	@CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/mainstay-action ./action

demo: build ## twenty pull requests from label to landed, on real git
	@bin/mainstay demo

test: need ## every test
	go test $(TESTFLAGS) ./...

check: fmt vet staticcheck ## what a change must pass: format, vet, staticcheck, every test with -race
	$(MAKE) test TESTFLAGS=-race

fmt: need
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "not gofmt-ed:"; echo "$$out"; exit 1; }

vet: need
	go vet ./...

staticcheck: need
	go run honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION) ./...

bench: build ## the figures of docs/performance.md
	@bin/mainstay bench

explore: build ## every state of small worlds, held against the laws
	@bin/mainstay bench --only explore

mutants: need ## drop one guard of the rules after the other: each must be caught
	@go run ./queue/explore/mutants

issuer: need ## tokens of an issuer and a client that are not ours (installs two npm packages in a temporary folder)
	MAINSTAY_ISSUER=1 go test -count=1 -v -run TestTokensOfAnIssuerThatIsNotOurs ./server/web

vuln: need ## known vulnerabilities (asks the public database)
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) ./...

clean: ## remove bin/
	rm -rf bin
