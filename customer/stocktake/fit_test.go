package stocktake_test

import (
	"errors"
	"testing"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/stocktake"
	"github.com/clientele-go/clientele/tagging"
)

// What a definition names must be in the book when it is saved, not only when it is run.
func TestDefinitionsThatNameWhatIsNotThereAreNotSaved(t *testing.T) {
	b := newBook(t, clientele.Options{})
	b.update(func(tx *clientele.Tx) error {
		return tx.Customers.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{
			{Name: "sales", Type: customer.Number, Decimals: 2}, {Name: "size", Type: customer.Enum, Values: []string{"small"}, Indexed: true},
		}})
	})
	for value, x := range map[string]struct {
		field string
		d     stocktake.Definition
	}{
		"phone":        {"Definition.Dimensions", stocktake.Definition{Dimensions: []string{"kind", "phone"}}},
		"attr.color":   {"Definition.Dimensions", stocktake.Definition{Dimensions: []string{"attr.color"}}},
		"attr.sales":   {"Definition.Dimensions", stocktake.Definition{Dimensions: []string{"attr.sales"}}},
		"tag.level":    {"Definition.Dimensions", stocktake.Definition{Dimensions: []string{"tag.level"}}},
		"@big":         {"Definition.Filter", stocktake.Definition{Filter: "@big"}},
		"level:vip":    {"Definition.Filter", stocktake.Definition{Filter: "level:vip"}},
		"size":         {"Definition.Revenue", stocktake.Definition{Revenue: &stocktake.Measure{Attribute: "size", Currency: "CNY"}}},
		"margin":       {"Definition.Profit", stocktake.Definition{Profit: &stocktake.Measure{Attribute: "margin", Currency: "CNY"}}},
		"999":          {"Definition.Units", stocktake.Definition{Units: []customer.UnitID{999}}},
		"Asia/Nowhere": {"Definition.Zone", stocktake.Definition{Zone: "Asia/Nowhere"}},
	} {
		x.d.Name = "all"
		err := b.Update(t.Context(), func(tx *clientele.Tx) error { _, err := tx.Stocktake.SaveDefinition(x.d); return err })
		var wrong *stocktake.Error
		if !errors.As(err, &wrong) || !errors.Is(err, stocktake.ErrInvalid) || wrong.Field != x.field || wrong.Value != value || wrong.Remedy == "" {
			t.Errorf("%s: %v", value, err)
		}
	}
	b.update(func(tx *clientele.Tx) error {
		_, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "level"})
		return err
	})
	b.save(stocktake.Definition{Name: "all", Dimensions: []string{"tag.level", "attr.size"}, Revenue: &stocktake.Measure{Attribute: "sales", Currency: "CNY"}})
}

// A definition can be retired also when what it names is gone.
func TestDefinitionsOfWhatIsGoneCanBeRetired(t *testing.T) {
	b := newBook(t, clientele.Options{})
	schema := func(indexed bool) {
		b.update(func(tx *clientele.Tx) error {
			return tx.Customers.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{
				{Name: "size", Type: customer.Enum, Values: []string{"small"}, Indexed: indexed},
			}})
		})
	}
	schema(true)
	d := b.save(stocktake.Definition{Name: "all", Dimensions: []string{"attr.size"}})
	schema(false)
	err := b.Update(t.Context(), func(tx *clientele.Tx) error { _, err := tx.Stocktake.SaveDefinition(*d); return err })
	if !errors.Is(err, stocktake.ErrInvalid) {
		t.Errorf("saved again: %v", err)
	}
	d.Retired = true
	if saved := b.save(*d); !saved.Retired {
		t.Errorf("%+v; want it retired", saved)
	}
}
