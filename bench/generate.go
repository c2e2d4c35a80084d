package main

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe/compare"
	"github.com/clientele-go/clientele/dedupe/match"
	"github.com/clientele-go/clientele/internal/sample"
)

// generatedSchema is that of generated records.
var generatedSchema = []match.Field{
	{Name: "name", Type: compare.Name}, {Name: "birth", Type: compare.DateBirth}, {Name: "phone", Type: compare.Phone},
	{Name: "address", Type: compare.Address}, {Name: "tax_id", Type: compare.Identifier}, {Name: "email", Type: compare.Email},
}

// duplicateShare is the share of generated customers that are recorded twice or more, so
// that there are 36 pairs for every 100 records.
const duplicateShare = 0.34

// generated is a list of records of people and organisations in Chinese and English, in
// which some customers stand two to four times, with the errors of clerks. It depends on
// the seed and the number of rows alone.
type generated struct {
	seed uint64
	rows int
}

// records streams the rows; their ids say the customer before the point.
func (g generated) records() iter.Seq2[match.Record, error] {
	return func(yield func(match.Record, error) bool) {
		rng := rand.New(rand.NewPCG(g.seed, 1))
		made := 0
		for c := range sample.Customers(g.seed, g.rows) {
			values := recordValues(c, rng)
			for copy := range copies(rng) {
				if made == g.rows {
					return
				}
				v := values
				if copy > 0 {
					v = spoil(rng, values)
				}
				if !yield(match.Record{ID: fmt.Sprintf("%d.%d", c.ID, copy), Values: v}, nil) {
					return
				}
				made++
			}
		}
	}
}

// copies is how often a customer stands in the list.
func copies(rng *rand.Rand) int {
	if rng.Float64() >= duplicateShare {
		return 1
	}
	switch x := rng.Float64(); {
	case x < 0.8:
		return 2
	case x < 0.95:
		return 3
	}
	return 4
}

func recordValues(c *customer.Customer, rng *rand.Rand) []string {
	v := make([]string, len(generatedSchema))
	v[0] = c.Name
	if c.Party == customer.Person {
		v[1] = fmt.Sprintf("%d-%02d-%02d", 1940+rng.IntN(65), 1+rng.IntN(12), 1+rng.IntN(28))
	}
	if len(c.Phones) > 0 {
		v[2] = c.Phones[0].Number
	}
	if len(c.Addresses) > 0 {
		v[3] = c.Addresses[0].Text
	}
	if len(c.Identifiers) > 0 {
		v[4] = c.Identifiers[0].Value
	}
	if len(c.Emails) > 0 {
		v[5] = ownMailbox(c.Emails[0].Address, c.ID)
	}
	return v
}

// ownMailbox makes an address no other customer's: providers give a mailbox, and registries
// a domain, to one only.
func ownMailbox(address string, id customer.ID) string {
	local, domain, _ := strings.Cut(address, "@")
	if name := strings.TrimRight(local, "0123456789"); name != local {
		return name + id.String() + "@" + domain
	}
	host, top, _ := strings.Cut(domain, ".")
	return local + "@" + host + id.String() + "." + top
}

// spoil copies a record as a second clerk would write it: fields left out, letters wrong,
// another phone, the legal form dropped.
func spoil(rng *rand.Rand, values []string) []string {
	v := append([]string(nil), values...)
	for i := range v {
		switch x := rng.Float64(); {
		case i > 0 && x < 0.25:
			v[i] = ""
		case x < 0.40:
			v[i] = typo(rng, v[i])
		}
	}
	if rng.Float64() < 0.2 {
		v[2] = fmt.Sprintf("1%010d", rng.IntN(1e10))
	}
	if rng.Float64() < 0.3 {
		for _, form := range []string{"股份有限公司", "有限公司", " Ltd", " Inc", " Co., Ltd."} {
			if short, cut := strings.CutSuffix(v[0], form); cut && short != "" {
				v[0] = short
				break
			}
		}
	}
	return v
}

// typo drops, doubles or swaps one character.
func typo(rng *rand.Rand, s string) string {
	r := []rune(s)
	if len(r) < 4 {
		return s
	}
	i := rng.IntN(len(r) - 1)
	switch rng.IntN(3) {
	case 0:
		r = append(r[:i], r[i+1:]...)
	case 1:
		r = append(r[:i+1], r[i:]...)
	default:
		r[i], r[i+1] = r[i+1], r[i]
	}
	return string(r)
}
