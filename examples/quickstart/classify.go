package main

import (
	_ "embed"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/classify"
	"github.com/clientele-go/clientele/tagging/packs"
)

//go:embed data/industry.json
var industryRules []byte

// ruleSets are what companies are classified by: the pack for regions, and rules of this
// example that read the industry off the stock code.
func ruleSets() ([]classify.RuleSet, error) {
	region, err := packs.Region(packs.Options{})
	if err != nil {
		return nil, err
	}
	standard, err := packs.Industry(packs.Options{})
	if err != nil {
		return nil, err
	}
	industry, err := classify.ParseRuleSet(industryRules)
	industry.Dimensions = standard.Dimensions // the tags are those of GB/T 4754
	return []classify.RuleSet{region, industry}, err
}

// classify tags every company by rules, which follow its changes from then on.
func (t *tour) classify() error {
	t.heading("Classify by rules, count by two dimensions · 分类")
	sets, err := ruleSets()
	if err != nil {
		return err
	}
	me := t.book.As(clientele.Actor{ID: "analyst", Reason: "classification"})
	for _, set := range sets {
		start := time.Now()
		done, err := t.book.Rules().Activate(t.ctx, me.Job(), set, nil)
		if err != nil {
			return err
		}
		t.say("     rule set %s: %4d of %d companies tagged anew, in %s", pad(set.Name, 13), done.Changed, done.Evaluated, t.took(start))
	}
	return me.View(t.ctx, func(tx *clientele.ReadTx) error {
		if err := t.crossTab(tx); err != nil {
			return err
		}
		return t.filter(tx)
	})
}

// The size of the printed table.
const rowsShown, columnsShown = 8, 5

// crossTab prints the companies by industry and region, the largest of both.
func (t *tour) crossTab(tx *clientele.ReadTx) error {
	start := time.Now()
	table, err := tx.Tags.CrossTab(tagging.Query{}, tagging.Axis{Field: "industry"}, tagging.Axis{Field: "region"})
	if err != nil {
		return err
	}
	took := time.Since(start)
	columns := largest(table.Columns, columnsShown)
	names, err := tagNames(tx, "region", table.Columns, columns)
	if err != nil {
		return err
	}
	t.say("\n     %s %s", pad("", 34), strings.Join(names, " "))
	rows := largest(table.Rows, rowsShown)
	titles, err := tagNames(tx, "industry", table.Rows, rows)
	if err != nil {
		return err
	}
	for i, row := range rows {
		line := ""
		for j, column := range columns {
			line += padLeft(table.Cells[row][column], len([]rune(names[j]))*2) + " "
		}
		t.say("     %s %s", pad(titles[i], 34), line)
	}
	t.say("     … of %d industries by %d regions and %d companies, counted in %s", len(table.Rows)-1, len(table.Columns)-1, table.Total, took.Round(10*time.Microsecond))
	return nil
}

// largest returns the places of the buckets with the most companies, without None.
func largest(buckets []tagging.Bucket, n int) []int {
	var order []int
	for i, b := range buckets {
		if !b.None {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return int(buckets[j].Count - buckets[i].Count) })
	return order[:min(n, len(order))]
}

func tagNames(tx *clientele.ReadTx, dimension string, buckets []tagging.Bucket, chosen []int) ([]string, error) {
	names := make([]string, len(chosen))
	for i, at := range chosen {
		tag, err := tx.Tags.Tag(dimension, buckets[at].Value)
		if err != nil {
			return nil, err
		}
		names[i] = tag.Names.In(language.MustParse("zh-TW"))
	}
	return names, nil
}

// filter asks for a combination of tags: makers of electronics outside Taipei and New
// Taipei. A tag's name in Chinese finds it too, and /* includes what is below.
func (t *tour) filter(tx *clientele.ReadTx) error {
	const text = "industry:39 AND region:TW/* AND NOT region:(臺北市|TW-NWT)"
	start := time.Now()
	n, err := tx.Tags.Count(tagging.Query{Filter: text})
	if err != nil {
		return err
	}
	t.say("\n     %s: %d  (%s)", text, n, time.Since(start).Round(10*time.Microsecond))
	return nil
}
