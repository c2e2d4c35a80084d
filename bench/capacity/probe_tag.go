package capacity

import (
	"context"
	"fmt"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/tagging"
)

// filterCount counts the customers that a filter over four tags means.
type filterCount struct{ *book }

func newFilter(_ context.Context, b *book) (probe, error) { return filterCount{b}, nil }

func (p filterCount) ask(ctx context.Context, _ int) (time.Duration, error) {
	n := int64(0)
	took, err := p.reading(ctx, func(tx *clientele.ReadTx) (err error) {
		n, err = tx.Tags.Count(tagging.Query{Filter: filterText})
		return err
	})
	if err == nil && n != p.expected.matching {
		err = wrong("the count of "+filterText, n, p.expected.matching)
	}
	return took, err
}

// facet counts the customers with a tag by region.
type facet struct{ *book }

func newFacet(_ context.Context, b *book) (probe, error) { return facet{b}, nil }

func (p facet) ask(ctx context.Context, _ int) (time.Duration, error) {
	var f *tagging.Facet
	took, err := p.reading(ctx, func(tx *clientele.ReadTx) (err error) {
		f, err = tx.Tags.Facet(tagging.Query{Filter: "flag:f0"}, tagging.Axis{Field: "region"})
		return err
	})
	if err == nil {
		err = sameCounts("flag:f0 by region", f.Buckets, p.region, p.expected.flagged[:])
	}
	return took, err
}

// sameCounts compares the buckets of some tags with what they must hold.
func sameCounts(what string, buckets []tagging.Bucket, tags []tagging.TagID, want []int64) error {
	got := map[tagging.TagID]int64{}
	for _, b := range buckets {
		got[b.Tag] = b.Count
	}
	for i, tag := range tags {
		if got[tag] != want[i] {
			return wrong(fmt.Sprintf("%s, tag %d", what, i), got[tag], want[i])
		}
	}
	return nil
}

// crossTab counts everybody by industry and region.
type crossTab struct{ *book }

func newCrossTab(_ context.Context, b *book) (probe, error) { return crossTab{b}, nil }

func (p crossTab) ask(ctx context.Context, _ int) (time.Duration, error) {
	var table *tagging.CrossTab
	took, err := p.reading(ctx, func(tx *clientele.ReadTx) (err error) {
		table, err = tx.Tags.CrossTab(tagging.Query{}, tagging.Axis{Field: "industry"}, tagging.Axis{Field: "region"})
		return err
	})
	if err != nil {
		return took, err
	}
	return took, p.check(table)
}

func (p crossTab) check(table *tagging.CrossTab) error {
	rows := map[tagging.TagID]int{}
	for i, b := range table.Rows {
		rows[b.Tag] = i
	}
	for i, tag := range p.industry {
		row := make([]tagging.Bucket, len(table.Columns))
		for j, b := range table.Columns {
			row[j] = tagging.Bucket{Tag: b.Tag, Count: table.Cells[rows[tag]][j]}
		}
		if err := sameCounts(fmt.Sprintf("industry %d by region", i), row, p.region, p.expected.cells[i][:]); err != nil {
			return err
		}
	}
	return nil
}
