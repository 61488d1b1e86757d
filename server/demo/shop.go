package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// The shop is the demo's own repository: a few small Go packages with real
// tests, and twenty pull requests with what a queue meets on an ordinary day.

// shopWorkflow is what people write, and nothing more.
const shopWorkflow = `name: tests
on:
  push: {branches: ["mainstay/**"]}
permissions: {contents: read, id-token: write}
env: {GOFLAGS: "-vet=off"}
jobs:
  unit:
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {shard: [0, 1, 2, 3]}}
    steps:
      - uses: actions/checkout@v7
      - uses: mainstay-ci/mainstay@v1
        with: {server-url: "%s", mode: run, runner: go, tests: ./...}
`

// shopConfig makes small batches, so that there is something to watch.
const shopConfig = `version: 1
queues:
  - branch: main
    suites: {unit: 4}
    batch: {size: 5}
    parallel: %d
`

var shopPackages = []string{"cart", "money", "order", "stock"}

// shopFiles is the shop as it starts.
func shopFiles(serverURL string, parallel int) map[string]string {
	files := map[string]string{
		"go.mod":                     "module example.com/shop\n\ngo 1.21\n",
		"README.md":                  "# The shop\n\nPrices are in euro.\n",
		".github/workflows/test.yml": fmt.Sprintf(shopWorkflow, serverURL),
		".github/mainstay.yml":       fmt.Sprintf(shopConfig, max(1, parallel)),
		"money/rate.go":              "package money\n\n// Rate is the rate of tax, in percent.\nconst Rate = 21\n",
		"stock/supplier.go":          "package stock\n\n// Supplier is who delivers.\nconst Supplier = \"north\"\n",
		"order/limit.go":             "package order\n\n// Limit is the most items of one order.\nconst Limit = 10\n",
	}
	for _, p := range shopPackages {
		files[p+"/"+p+".go"] = fmt.Sprintf("// Package %s is a part of the shop.\npackage %s\n\n// Name says which.\nfunc Name() string { return %q }\n", p, p, p)
		files[p+"/"+p+"_test.go"] = fmt.Sprintf("package %s\n\nimport \"testing\"\n\nfunc TestName(t *testing.T) {\n\tif Name() != %q {\n\t\tt.Fatal(Name())\n\t}\n}\n", p, p)
	}
	return files
}

// shopPull is one pull request of the demo.
type shopPull struct {
	title string
	files map[string]string
	fork  bool // from a fork
	push  bool // its author pushes again while it is in line
	note  string
	promise
}

// feature is a good change with a test of its own.
func feature(pkg, name, title string) shopPull {
	file := strings.ToLower(name)
	return shopPull{title: title, files: map[string]string{
		pkg + "/" + file + ".go": fmt.Sprintf("package %s\n\n// %s is %s.\nfunc %s() int { return %d }\n", pkg, name, strings.ToLower(title), name, len(name)),
		pkg + "/" + file + "_test.go": fmt.Sprintf("package %s\n\nimport \"testing\"\n\nfunc Test%s(t *testing.T) {\n\tif %s() != %d {\n\t\tt.Fatal(%s())\n\t}\n}\n",
			pkg, name, name, len(name), name),
	}}
}

// shopPulls are the twenty, in the order they are labelled.
func shopPulls() []shopPull {
	flaky := feature("stock", "Recount", "Recount the stock every night")
	flaky.flake = "TestRecountAgainstTheWarehouse"
	flaky.note = "brings a test that fails the first time it runs"
	flaky.files["stock/recount_test.go"] = `package stock

import (
	"os"
	"testing"
)

func TestRecountAgainstTheWarehouse(t *testing.T) {
	seen := os.Getenv("DEMO_FLAKE_FILE")
	if _, err := os.Stat(seen); seen != "" && err != nil {
		os.WriteFile(seen, nil, 0o600)
		t.Fatal("the warehouse did not answer")
	}
	if Recount() != 7 {
		t.Fatal(Recount())
	}
}
`
	north := shopPull{title: "Buy from the south", files: map[string]string{
		"stock/supplier.go": "package stock\n\n// Supplier is who delivers.\nconst Supplier = \"south\"\n"}}
	east := shopPull{title: "Buy from the east", note: "edits the line that #8 edits", promise: promise{out: queue.Conflict}, files: map[string]string{
		"stock/supplier.go": "package stock\n\n// Supplier is who delivers.\nconst Supplier = \"east\"\n"}}
	broken := shopPull{title: "Round prices down", note: "fails by itself", promise: promise{out: queue.ChecksFailed, test: "TestRoundsDown"}, files: map[string]string{
		"money/round.go":      "package money\n\n// Round gives whole euro.\nfunc Round(cents int) int { return (cents + 50) / 100 }\n",
		"money/round_test.go": "package money\n\nimport \"testing\"\n\nfunc TestRoundsDown(t *testing.T) {\n\tif got := Round(199); got != 1 {\n\t\tt.Fatalf(\"199 cents are %d euro, want 1\", got)\n\t}\n}\n"}}
	limit := shopPull{title: "Let orders have 50 items", note: "green alone, red with #18", files: map[string]string{
		"order/limit.go": "package order\n\n// Limit is the most items of one order.\nconst Limit = 50\n"}}
	parcel := shopPull{title: "Send orders as one parcel", note: "green alone, red with #17",
		promise: promise{out: queue.ChecksFailed, test: "TestAnOrderFitsOneParcel", pair: 17}, files: map[string]string{
			"order/parcel_test.go": "package order\n\nimport \"testing\"\n\nfunc TestAnOrderFitsOneParcel(t *testing.T) {\n\tif Limit > 20 {\n\t\tt.Fatalf(\"a parcel takes 20 items, an order may have %d\", Limit)\n\t}\n}\n"}}
	fork := feature("cart", "Voucher", "Vouchers in the cart")
	fork.fork, fork.note = true, "comes from a fork"
	pushed := feature("cart", "Basket", "Name the basket")
	pushed.push, pushed.note = true, "pushed to while in line"
	return []shopPull{
		feature("cart", "Total", "Show the total in the cart"),
		feature("money", "Discount", "Discounts for friends"),
		feature("order", "History", "Keep the order history"),
		flaky,
		feature("money", "Invoice", "Print invoices"),
		feature("cart", "Wishlist", "Wish lists"),
		feature("order", "Tracking", "Track parcels"),
		north,
		east,
		fork,
		feature("money", "Refund", "Refunds within a week"),
		feature("stock", "Shelf", "Number the shelves"),
		feature("order", "Express", "Express orders"),
		broken,
		feature("cart", "Gift", "Wrap gifts"),
		feature("stock", "Alarm", "Tell when stock is low"),
		limit,
		parcel,
		feature("money", "Currency", "Prices in other currencies"),
		pushed,
	}
}

// openShop fills the repository and opens the pull requests; it gives their numbers.
func (w *world) openShop(pulls []shopPull) ([]int, error) {
	var fork *sandbox.Repository
	outsider := w.forge.NewUser("fabian")
	tip := w.repo.Ref("refs/heads/main")
	var numbers []int
	for i, p := range pulls {
		from, by := w.repo, w.author
		if p.fork {
			if fork == nil {
				var err error
				if fork, err = w.repo.Fork(outsider); err != nil {
					return nil, fmt.Errorf("fork the shop: %w", err)
				}
			}
			from, by = fork, outsider
		}
		branch := fmt.Sprintf("change-%02d", i+1)
		commit, err := from.CommitAt(tip, p.files, p.title, time.Date(2026, 11, 2, 9, i, 0, 0, time.UTC))
		if err != nil {
			return nil, fmt.Errorf("commit %q: %w", p.title, err)
		}
		if err := from.Push(by, sandbox.RefUpdate{Ref: "refs/heads/" + branch, New: commit}); err != nil {
			return nil, fmt.Errorf("push %q: %w", p.title, err)
		}
		open := sandbox.OpenPullRequest{By: by, Head: branch, Base: "main", Title: p.title, Body: p.note}
		if p.fork {
			open.HeadRepository = fork
		}
		pr, err := w.repo.OpenPullRequest(open)
		if err != nil {
			return nil, fmt.Errorf("open %q: %w", p.title, err)
		}
		numbers = append(numbers, int(pr.Number))
	}
	return numbers, nil
}

// seedShop puts the shop's first commit on main.
func (w *world) seedShop(files map[string]string) error {
	commit, err := w.repo.CommitAt("", files, "Open the shop", time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC))
	if err != nil {
		return fmt.Errorf("commit the shop: %w", err)
	}
	return w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "refs/heads/main", New: commit})
}
