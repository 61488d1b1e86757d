# Mainstay. `make` alone prints what there is.
STATICCHECK_VERSION := v0.8.2
GOVULNCHECK_VERSION := v1.9.0
ACT_VERSION := v0.2.89
GO_VERSION := go1.26.8# of what is released: another compiler makes other bytes
VERSION ?= $(shell cat action/version)
TESTFLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help build demo test check fmt vet staticcheck shellcheck act dist dist-check bench explore mutants suites issuer truth graphql vuln clean need

help: ## print this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

need:
	@command -v go  >/dev/null || { echo "Go is missing: install Go 1.26 or newer (https://go.dev/dl)"; exit 1; }
	@command -v gcc >/dev/null || { echo "gcc is missing: apt-get install gcc libc6-dev"; exit 1; }
	@command -v git >/dev/null || { echo "git is missing: apt-get install git (2.39 or newer)"; exit 1; }

build: need ## the server and the Action's binary into bin/
	@go build -o bin/mainstay ./server
	@CGO_ENABLED=0 go build -trimpath -tags nethttpomithttp2 -ldflags '-s -w' -o bin/mainstay-action ./action

demo: build ## twenty pull requests from label to landed, on real git
	@bin/mainstay demo

test: need ## every test
	go test $(TESTFLAGS) ./...

check: fmt vet staticcheck shellcheck ## what a change must pass: format, vet, staticcheck, shellcheck, every test with -race
	$(MAKE) test TESTFLAGS="-race -timeout 20m"

fmt: need
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "not gofmt-ed:"; echo "$$out"; exit 1; }

vet: need
	go vet ./...

staticcheck: need
	go run honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION) ./...

shellcheck:
	@if command -v shellcheck >/dev/null; then shellcheck -x -P SCRIPTDIR action/scripts/*.sh .ci/*; \
	else echo "SKIPPED: shellcheck is not installed; the shell scripts were not checked" >&2; fi

act: build ## the Action in a runner that is not ours: nektos/act, in host mode, against the live server
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	GOFLAGS= GOBIN="$$dir" go install github.com/nektos/act@$(ACT_VERSION) && \
	MAINSTAY_ACT="$$dir/act" go test -count=1 -v -run 'UnderAct$$' ./server

dist: need ## the Action's binaries of VERSION, with their checksums beside action.yml: what a release needs committed
	@.ci/dist dist "$(VERSION)" $(GO_VERSION) >dist-checksums.tmp || { rm -f dist-checksums.tmp; exit 1; }
	@mv dist-checksums.tmp action/checksums.txt
	@echo "$(VERSION)" >action/version

dist-check: need ## build the binaries again and compare them with action/checksums.txt
	@.ci/dist dist "$$(cat action/version)" $(GO_VERSION) >dist-checksums.tmp || { rm -f dist-checksums.tmp; exit 1; }
	@diff action/checksums.txt dist-checksums.tmp; same=$$?; rm -f dist-checksums.tmp; exit $$same

bench: build ## the figures of docs/performance.md
	@bin/mainstay bench

explore: build ## every state of small worlds, held against the laws
	@bin/mainstay bench --only explore

mutants: need ## drop one guard of the rules after the other: each must be caught
	@go run ./queue/explore/mutants

suites: need ## every story of the real suites, by each of Go, pytest and jest
	MAINSTAY_SUITES=all go test -count=1 -timeout 30m -run 'TestARealSuite|TestAShardThat|TestATestThat|TestWhatDoesNot|TestAMissingReport|TestShardsOfTwo|TestAFlakeIsRun|TestAKnownFlake|TestAPullRequestCannot|TestARerunWithout|TestWithoutTheServer|TestInLine' ./server

issuer: need ## tokens of an issuer and a client that are not ours (installs two npm packages in a temporary folder)
	MAINSTAY_ISSUER=1 go test -count=1 -v -run TestTokensOfAnIssuerThatIsNotOurs ./server/web

truth: need ## fetch anew what tests hold GitHub's word from: OpenAPI description, webhook schemas and payloads (needs npm)
	@command -v npm >/dev/null || { echo "npm is missing: apt-get install npm"; exit 1; }
	@.ci/truth

graphql: need ## the GraphQL query, judged by GitHub's published schema (installs two npm packages in a temporary folder)
	MAINSTAY_GRAPHQL=1 go test -count=1 -v -run TestTheQueryIsOneOfGitHubsSchema ./server/github

vuln: need ## known vulnerabilities (asks the public database)
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) ./...

clean: ## remove bin/ and dist/
	rm -rf bin dist
