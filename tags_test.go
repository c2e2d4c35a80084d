package clientele_test

import (
	"context"
	"errors"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/classify"
)

func TestErasedCustomersLoseTheirTags(t *testing.T) {
	ctx := context.Background()
	book := openBook(t, "", clientele.Options{WithoutSearch: true})
	me := book.As(clientele.Actor{ID: "chen"})
	var id customer.ID
	var vip *tagging.Tag
	err := me.Update(ctx, func(tx *clientele.Tx) error {
		c, err := tx.Customers.Create(customer.Draft{Name: "台灣水泥股份有限公司"})
		if err != nil {
			return err
		}
		level, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "level", Exclusive: true})
		if err != nil {
			return err
		}
		if vip, err = tx.Tags.CreateTag(tagging.Tag{Dimension: level.ID, Code: "vip"}); err != nil {
			return err
		}
		id = c.ID
		_, err = tx.Tags.Assign(id, tagging.Assignment{Tag: vip.ID, Reason: "is the minister's cousin"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	held := func() (tags []tagging.TagID, versions int) {
		err := me.View(ctx, func(tx *clientele.ReadTx) error {
			tagged, err := tx.Tags.Of(id)
			if err != nil {
				return err
			}
			history, err := tx.Tags.History(id)
			tags, versions = tagged.Tags(), len(history)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return tags, versions
	}
	if tags, versions := held(); len(tags) != 1 || versions != 1 {
		t.Errorf("tags %v in %d versions", tags, versions)
	}
	err = me.Update(ctx, func(tx *clientele.Tx) error {
		_, err := tx.Customers.Erase(id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if tags, versions := held(); len(tags) != 0 || versions != 0 {
		t.Errorf("tags %v in %d versions after the erasure", tags, versions)
	}
	err = me.Update(ctx, func(tx *clientele.Tx) error {
		_, err := tx.Tags.Assign(id, tagging.Assignment{Tag: vip.ID})
		return err
	})
	if !errors.Is(err, customer.ErrStatus) {
		t.Errorf("an erased customer was tagged: %v", err)
	}
}

// The hygiene report of a session has the rules that never gave anybody a tag.
func TestHygieneNamesSilentRules(t *testing.T) {
	ctx := context.Background()
	book := openBook(t, "", clientele.Options{WithoutSearch: true})
	create(t, book, "甲")
	me := book.As(clientele.Actor{ID: "chen", Reason: "test"})
	_, err := book.Rules().Activate(ctx, me.Job(), classify.RuleSet{
		Name: "size", Dimensions: []classify.DimensionSpec{{Code: "size", Tags: []classify.TagSpec{{Code: "small"}, {Code: "large"}}}},
		Rules: []classify.Rule{
			{Name: "everybody", Dimension: "size", Tag: "small"},
			{Name: "nobody", When: "false", Dimension: "size", Tag: "large"},
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := book.Rules().Sync(ctx); err != nil {
		t.Fatal(err)
	}
	report, err := me.Hygiene(ctx, tagging.HygieneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.SilentRules) != 1 || report.SilentRules[0].Rule != "nobody" || report.SilentRules[0].RuleSet != "size" || report.SilentRules[0].Version != 1 {
		t.Errorf("silent rules %+v", report.SilentRules)
	}
}
