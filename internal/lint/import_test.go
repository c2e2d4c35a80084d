package lint

import (
	"path"
	"slices"
	"strings"
)

// layer is a package, or with /... all below a folder, and the packages of this
// module that it may import.
type layer struct {
	path    string
	imports []string
}

// What the upper layers share. Siblings are missing from it on purpose: none imports
// another.
var (
	facts    = []string{"internal/enum", "internal/text", "internal/region", "internal/phone", "customer/identifier"}
	records  = []string{"storage", "storage/kv", "storage/record", "storage/bitset"}
	masters  = slices.Concat(facts, records, []string{"customer"})
	merged   = slices.Concat(masters, []string{"internal/lineage"})
	figures  = []string{"internal/enum", "credit/money", "credit/date"}
	siblings = []string{"tagging", "tagging/filter", "dedupe", "orgtree", "credit", "credit/money", "credit/date", "credit/aging"}
	uses     = slices.Concat(masters, siblings)
	all      = []string{"..."}
)

// layout is the map of the module from the bottom up. A package that isn't on the map
// has no place yet: give it one here, and in the README.
var layout = []layer{
	{"storage/kv", nil},
	{"storage/kv/kvtest", []string{"storage/kv"}},
	{"storage/kv/pebblekv", []string{"storage/kv"}},
	{"storage/kv/pgkv", []string{"storage/kv"}},
	{"storage/record", nil},
	{"storage/bitset", []string{"storage/kv"}}, // reads its stored form
	{"storage", []string{"storage/kv", "storage/record", "storage/bitset"}},
	{"storage/slogmetrics", []string{"storage"}},
	{"storage/prommetrics", []string{"storage", "storage/kv"}},

	{"internal/enum", nil},
	{"internal/chart", nil},
	{"internal/font", nil},
	{"internal/page", []string{"internal/chart"}},
	{"internal/text", nil},
	{"internal/text/...", nil},
	{"internal/region", []string{"internal/text"}},
	{"internal/region/...", []string{"internal/text"}},
	{"internal/phone", []string{"internal/text"}},
	{"internal/phone/...", []string{"internal/text"}},
	{"internal/lineage", []string{"storage", "storage/kv", "storage/record"}},
	{"customer/identifier", []string{"internal/text"}},
	{"customer", slices.Concat(facts, records)},

	{"tagging/filter", nil},
	{"tagging", slices.Concat(merged, []string{"tagging/filter"})},
	{"tagging/classify", slices.Concat(masters, []string{"tagging", "tagging/filter"})},
	{"tagging/packs", slices.Concat(masters, []string{"tagging", "tagging/filter", "tagging/classify"})},
	{"tagging/taggingtest", slices.Concat(masters, []string{"tagging", "tagging/filter", "tagging/classify", "storage/kv/pebblekv"})},
	{"credit/money", nil},
	{"credit/date", nil},
	{"credit/aging", figures},
	{"credit/measure", figures},
	{"credit/score", figures},
	{"credit/provision", slices.Concat(figures, []string{"credit/aging"})},
	{"dedupe", slices.Concat(masters, []string{"dedupe/match", "dedupe/compare"})},
	{"dedupe/compare", facts},
	{"dedupe/match", []string{"dedupe/compare"}},
	{"orgtree", merged},
	{"credit", slices.Concat(merged, []string{"credit/..."})},
	{"customer/search", uses},
	{"customer/exchange/tabular", nil},
	{"customer/exchange", slices.Concat(uses, []string{"customer/exchange/tabular"})},
	{"customer/stocktake", uses}, // in tests, which begin at the front door; itself it asks the siblings through interfaces
	{"customer/stocktake/stocktaketest", []string{"customer", "customer/stocktake"}},
	{"customer/stocktake/report", []string{"internal/font", "customer", "customer/stocktake", "customer/exchange/tabular", "credit/money", "internal/chart", "internal/page"}},

	{".", slices.Concat(uses, []string{"storage/kv/pebblekv", "credit/score", "tagging/classify", "tagging/packs", "customer/search", "customer/exchange", "customer/exchange/tabular", "customer/stocktake"})},
	{"examples/...", all},
	{"bench", all},
	{"bench/...", all},

	{"internal/accesstest", masters},                                        // says in tests what an actor may see
	{"internal/sample", masters},                                            // makes customers for tests and benchmarks
	{"internal/sample/receivable", []string{"credit/money", "credit/date"}}, // so that contests can make it too
	{"internal/crashtest", all},
	{"internal/lint", nil},
}

// forTests are what the tests of every package may import besides: an engine to run
// on, and customers to try with. External tests may also begin at the front door, as
// their readers do.
var (
	forTests         = []string{"storage/kv/pebblekv", "storage/kv/kvtest", "tagging/taggingtest", "internal/sample", "internal/sample/receivable", "internal/accesstest", "customer/stocktake/stocktaketest"}
	forExternalTests = []string{"."}
)

// confined are other modules' packages that one package of ours is there to hide.
var confined = []struct {
	imported string
	only     []string
}{
	{"github.com/cockroachdb/", []string{"storage/kv/pebblekv"}},
	{"github.com/blevesearch/", []string{"customer/search"}},
	{"github.com/jackc/", []string{"storage/kv/pgkv"}},
	{"github.com/prometheus/", []string{"storage/prommetrics"}},
	{"codeberg.org/go-pdf/", []string{"customer/stocktake/report"}},
	{"golang.org/x/image/", []string{"internal/font"}},
	{"github.com/nyaruka/", []string{"internal/phone", "internal/phone/..."}},
	{"pgregory.net/rapid", []string{"storage/kv/kvtest"}},
	{"github.com/anishathalye/porcupine", []string{"storage/kv/kvtest"}},
	{"go.uber.org/goleak", nil},
}

// imports checks the direction of imports. Which other modules a test uses is its own
// affair: it may compare with them or break them.
func imports(s *source, report func(finding)) {
	for _, p := range s.packages {
		place, known := findLayer(p.dir)
		if !known {
			report(finding{"imports", p.dir, "this package is not in the layout; say there what it may import"})
			continue
		}
		for _, f := range p.files {
			for _, spec := range f.ast.Imports {
				if what := forbidden(place, f, importPath(spec)); what != "" {
					report(finding{"imports", f.place(spec), what})
				}
			}
		}
	}
}

func findLayer(dir string) (layer, bool) {
	for _, l := range layout {
		if matches(l.path, dir) {
			return l, true
		}
	}
	return layer{}, false
}

func matches(pattern, dir string) bool {
	if below, ok := strings.CutSuffix(pattern, "..."); ok {
		return strings.HasPrefix(dir, below)
	}
	return dir == pattern
}

// forbidden says why a file may not import something, or nothing.
func forbidden(l layer, f *file, imported string) string {
	if imported == "C" {
		return "cgo is not used: the library must build anywhere with the Go tools alone"
	}
	dir, ours := ownPackage(imported)
	if !ours {
		return confinement(f, imported)
	}
	allowed := l.imports
	if f.test {
		allowed = slices.Concat(allowed, forTests, []string{path.Dir(f.path)})
	}
	if f.external() {
		allowed = slices.Concat(allowed, forExternalTests)
	}
	if !slices.ContainsFunc(allowed, func(pattern string) bool { return matches(pattern, dir) }) {
		return "must not import " + dir + "; imports run one way"
	}
	return ""
}

// ownPackage returns the folder of a package of this module.
func ownPackage(imported string) (dir string, ours bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

func confinement(f *file, imported string) string {
	for _, c := range confined {
		here := func(pattern string) bool { return matches(pattern, path.Dir(f.path)) }
		if !f.test && strings.HasPrefix(imported, c.imported) && !slices.ContainsFunc(c.only, here) {
			return "must not import " + imported + "; only " + strings.Join(append(c.only, "tests"), " and ") + " may"
		}
	}
	return ""
}
