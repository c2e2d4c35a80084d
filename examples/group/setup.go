package main

import (
	"context"
	"fmt"
	"io"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/sample"
	"github.com/clientele-go/clientele/orgtree"
)

// regions and branches are the group's, in the order of the tree.
var (
	regions = []struct{ code, zh, en string }{
		{"EAST", "华东大区", "East"}, {"NORTH", "华北大区", "North"}, {"SOUTH", "华南大区", "South"},
	}
	branches = []struct{ code, region, zh, en string }{
		{"SHA", "EAST", "上海分公司", "Shanghai"}, {"HGH", "EAST", "杭州分公司", "Hangzhou"},
		{"NKG", "EAST", "南京分公司", "Nanjing"}, {"SZV", "EAST", "苏州分公司", "Suzhou"},
		{"PEK", "NORTH", "北京分公司", "Beijing"}, {"TSN", "NORTH", "天津分公司", "Tianjin"},
		{"TAO", "NORTH", "青岛分公司", "Qingdao"}, {"DLC", "NORTH", "大连分公司", "Dalian"},
		{"CAN", "SOUTH", "广州分公司", "Guangzhou"}, {"SZX", "SOUTH", "深圳分公司", "Shenzhen"},
		{"XMN", "SOUTH", "厦门分公司", "Xiamen"}, {"HKG", "SOUTH", "香港分公司", "Hong Kong"},
	}
)

// group is the book of a company group.
type group struct {
	ctx   context.Context
	out   io.Writer
	book  *clientele.Book
	units map[string]customer.UnitID
	first map[string]customer.ID // of each branch's customers
}

// as returns a person's session.
func (g *group) as(who, why string) *clientele.Session {
	return g.book.As(clientele.Actor{ID: who, Reason: why})
}

func (g *group) say(format string, args ...any) { fmt.Fprintf(g.out, format+"\n", args...) }

// organise makes the units.
func (g *group) organise() error {
	g.units = map[string]customer.UnitID{}
	return g.book.System("the group's organisation").Update(g.ctx, func(tx *clientele.Tx) error {
		unit := func(code string, kind orgtree.Kind, parent customer.UnitID, zh, en string) error {
			u, err := tx.Org.CreateUnit(orgtree.Unit{Code: code, Kind: kind, Parent: parent, Names: customer.Names{"zh-Hans": zh, "en": en}})
			if err == nil {
				g.units[code] = u.ID
			}
			return err
		}
		if err := unit("HQ", orgtree.Company, 0, "集团总部", "Headquarters"); err != nil {
			return err
		}
		for _, r := range regions {
			if err := unit(r.code, orgtree.Region, g.units["HQ"], r.zh, r.en); err != nil {
				return err
			}
		}
		for _, b := range branches {
			if err := unit(b.code, orgtree.Branch, g.units[b.region], b.zh, b.en); err != nil {
				return err
			}
		}
		return nil
	})
}

// load creates the customers, dealt out to the branches one by one.
func (g *group) load(n int) error {
	system := g.book.System("the group's customers")
	if err := system.Update(g.ctx, func(tx *clientele.Tx) error { return tx.Customers.SetSchema(sample.Schema()) }); err != nil {
		return err
	}
	i := 0
	drafts := func(yield func(customer.Draft, error) bool) {
		for c := range sample.Customers(1, n) {
			d := c.Draft()
			d.Owner, d.Rep = g.units[branches[i%len(branches)].code], ""
			if i++; !yield(d, nil) {
				return
			}
		}
	}
	loaded, err := system.Load(g.ctx, customer.LoadOptions{}, drafts)
	if err != nil {
		return err
	}
	g.say("%d customers in %d branches of %d regions", loaded.Rows, len(branches), len(regions))
	g.first = map[string]customer.ID{}
	return system.View(g.ctx, func(tx *clientele.ReadTx) error {
		for _, b := range branches {
			for id, err := range tx.Customers.OwnedIDs(g.units[b.code]) {
				if err != nil {
					return err
				}
				g.first[b.code] = id
				break
			}
		}
		return nil
	})
}

// give appoints people and lets them do what their place in the group asks for.
func (g *group) give() error {
	return g.book.System("who may do what").Update(g.ctx, func(tx *clientele.Tx) error {
		roles := map[string][]customer.Right{
			"clerk":   {customer.RightRead, customer.RightCreate, customer.RightUpdate},
			"manager": {customer.RightRead, customer.RightUpdate, customer.RightTransfer},
			"auditor": {customer.RightRead, customer.RightReview},
			"admin":   {orgtree.AnyRight},
		}
		for name, rights := range roles {
			role := orgtree.Role{Name: name}
			for _, r := range rights {
				role.Permissions = append(role.Permissions, orgtree.Permission{Right: r})
			}
			if _, err := tx.Org.SetRole(role); err != nil {
				return err
			}
		}
		hidden, err := customer.NewMask("phone", "email", "contact")
		if err != nil {
			return err
		}
		grants := []orgtree.Grant{
			{Principal: "admin", Role: "admin", Scope: orgtree.Scope{All: true}},
			{Principal: "auditor", Role: "auditor", Scope: orgtree.Scope{All: true}, Mask: hidden},
			{Principal: "manager.east", Role: "manager", Scope: orgtree.Scope{Unit: g.units["EAST"]}},
			{Principal: "clerk.sha", Role: "clerk", Scope: orgtree.Scope{Unit: g.units["SHA"]}},
			{Principal: "clerk.hgh", Role: "clerk", Scope: orgtree.Scope{Unit: g.units["HGH"]}},
		}
		for _, grant := range grants {
			if _, err := tx.Org.SetPrincipal(orgtree.Principal{ID: grant.Principal}); err != nil {
				return err
			}
			if _, err := tx.Org.Give(grant); err != nil {
				return err
			}
		}
		return tx.Org.Enforce(true)
	})
}
