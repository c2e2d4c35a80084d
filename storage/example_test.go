package storage_test

import (
	"context"
	"fmt"
	"log"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
	"github.com/clientele-go/clientele/storage/record"
)

// currency is a record of an embedder's own table.
type currency struct {
	Name   string
	Digits uint64
}

var currencies = &storage.Table[string, *currency]{
	ID: 200, Label: "currency", Key: storage.StringKey[string](), History: true,
	Append: func(dst []byte, c *currency) ([]byte, error) {
		w := record.Writer{Buf: dst}
		w.String(1, c.Name)
		w.Uint(2, c.Digits)
		return w.Buf, nil
	},
	Decode: func(src, _ string, _ storage.Meta) (*currency, error) {
		c := &currency{}
		r := record.NewReader(src)
		for r.Next() {
			switch r.Field() {
			case 1:
				c.Name = r.String()
			case 2:
				c.Digits = r.Uint()
			}
		}
		return c, r.Err()
	},
}

// A table of one's own: stored, changed, and read as it was.
func Example() {
	ctx := context.Background()
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	schema := &storage.Schema{Tables: []storage.AnyTable{currencies}}
	store, err := storage.Open(ctx, engine, schema, nil, storage.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	for _, name := range []string{"Yuan", "人民币"} {
		_, err := store.Update(ctx, storage.Session{Actor: "chen"}, func(tx *storage.Tx) error {
			return currencies.Put(tx, "CNY", &currency{Name: name, Digits: 2}, 1)
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	err = store.View(ctx, func(r *storage.Reader) error {
		for v, err := range currencies.Versions(r, "CNY") {
			if err != nil {
				return err
			}
			fmt.Println(v.Version, v.Value.Name, "by", v.Actor)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// 1 Yuan by chen
	// 2 人民币 by chen
}
