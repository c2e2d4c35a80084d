package orgtree_test

import (
	"slices"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// region is HQ(E(HZ SH) W(CD)), with E's policy for a kind of data.
type region struct{ hq, east, hangzhou, shanghai, west, chengdu customer.UnitID }

func newRegion(b *book, sharing orgtree.Sharing) region {
	r := region{hq: b.unit("HQ", 0)}
	r.east = b.unitOf(orgtree.Unit{Code: "E", Parent: r.hq, Sharing: sharing})
	r.hangzhou, r.shanghai = b.unit("HZ", r.east), b.unit("SH", r.east)
	r.west = b.unit("W", r.hq)
	r.chengdu = b.unit("CD", r.west)
	return r
}

// A customer of E that is also assigned to CD, seen from each unit by itself and from
// each with those below it. Worked out by hand from the rules at Tree.Shares.
func TestShares(t *testing.T) {
	for _, c := range []struct {
		policy orgtree.Policy
		itself string // HQ E HZ SH W CD
		below  string
	}{
		{orgtree.Inherit, "-+----", "++----"}, // the book's default is Private
		{orgtree.Private, "-+----", "++----"},
		{orgtree.Assigned, "-+---+", "++--++"},
		{orgtree.SharedDown, "-+++-+", "++++++"},
		{orgtree.SharedUp, "++---+", "++--++"},
		{orgtree.Shared, "++++++", "++++++"},
	} {
		b := newBook(t)
		r := newRegion(b, orgtree.Sharing{customer.Identity: c.policy})
		tree := b.tree()
		for i, unit := range []customer.UnitID{r.hq, r.east, r.hangzhou, r.shanghai, r.west, r.chengdu} {
			for _, reach := range []orgtree.Reach{{Unit: unit}, {Unit: unit, Below: true}} {
				want := c.itself[i] == '+'
				if reach.Below {
					want = c.below[i] == '+'
				}
				if got := tree.Shares(reach, customer.Identity, r.east, r.chengdu); got != want {
					t.Errorf("%s from %+v: %v", c.policy, reach, got)
				}
				checkView(t, tree, reach, customer.Identity)
			}
		}
		if !tree.Shares(orgtree.Reach{Below: true}, customer.Identity, r.east) || tree.Shares(orgtree.Reach{Unit: 99}, customer.Identity, r.east) != false {
			t.Errorf("%s: the book, or an unknown unit", c.policy)
		}
	}
}

// checkView compares the sets of a view with the predicate, for every owner and up to
// one assignment.
func checkView(t *testing.T, tree *orgtree.Tree, from orgtree.Reach, d customer.Data) {
	t.Helper()
	v := tree.View(from, d)
	units := slices.Collect(tree.Subtree(0))
	for _, owner := range units {
		if got, want := v.All || slices.Contains(v.Owners, owner), tree.Shares(from, d, owner); got != want {
			t.Errorf("view %+v of %s: owner %d is %v", from, d, owner, got)
		}
		for _, assigned := range units[1:] {
			got := v.All || slices.Contains(v.Owners, owner) || slices.Contains(v.Assigned, assigned) && slices.Contains(v.Sharing, owner)
			if want := tree.Shares(from, d, owner, assigned); got != want {
				t.Errorf("view %+v of %s: owner %d, assigned to %d is %v", from, d, owner, assigned, got)
			}
		}
	}
}

func TestWhatIsNotIdentityIsSeenOnlyWithIdentity(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{customer.Identity: orgtree.SharedDown, customer.Credit: orgtree.Shared, customer.Items: orgtree.Private})
	tree := b.tree()
	for _, c := range []struct {
		from customer.UnitID
		data customer.Data
		want bool
	}{
		{r.shanghai, customer.Identity, true},
		{r.shanghai, customer.Credit, true}, // identity goes down, credit everywhere
		{r.chengdu, customer.Credit, false}, // credit would go there, identity does not
		{r.shanghai, customer.Items, false}, // identity goes there, items do not
		{r.east, customer.Items, true},
		{r.shanghai, customer.Tags, false}, // no policy anywhere: Private
		{r.shanghai, customer.Data(7), false},
	} {
		if got := tree.Shares(orgtree.Reach{Unit: c.from}, c.data, r.east); got != c.want {
			t.Errorf("%s from %d: %v", c.data, c.from, got)
		}
	}
	for _, d := range customer.AllData() {
		checkView(t, tree, orgtree.Reach{Unit: r.shanghai}, d)
		checkView(t, tree, orgtree.Reach{Unit: r.west, Below: true}, d)
	}
}

func TestPoliciesAreInherited(t *testing.T) {
	b := newBook(t)
	r := newRegion(b, orgtree.Sharing{customer.Tags: orgtree.SharedUp})
	b.update(func(tx tx) error {
		_, err := tx.UpdateUnit(&orgtree.Unit{Sharing: orgtree.Sharing{customer.Identity: orgtree.Assigned, customer.Tags: orgtree.Shared}})
		return err
	})
	tree := b.tree()
	for _, c := range []struct {
		unit customer.UnitID
		data customer.Data
		want orgtree.Policy
	}{
		{r.shanghai, customer.Tags, orgtree.SharedUp}, // from E
		{r.chengdu, customer.Tags, orgtree.Shared},    // from the book
		{r.shanghai, customer.Identity, orgtree.Assigned},
		{r.shanghai, customer.Credit, orgtree.Private},
		{0, customer.Tags, orgtree.Shared},
		{99, customer.Tags, orgtree.Private},
	} {
		if got := tree.Policy(c.unit, c.data); got != c.want {
			t.Errorf("%s of %d: %s, want %s", c.data, c.unit, got, c.want)
		}
	}
	if err := b.move(r.shanghai, r.west, start); err != nil { // a move takes the policies of its new place
		t.Fatal(err)
	}
	if got := b.tree().Policy(r.shanghai, customer.Tags); got != orgtree.Shared {
		t.Errorf("after the move: %s", got)
	}
}

func TestPoliciesAndKindsHaveNames(t *testing.T) {
	for _, d := range customer.AllData() {
		text, err := d.MarshalText()
		var back customer.Data
		if err != nil || back.UnmarshalText(text) != nil || back != d {
			t.Errorf("%s: %q %v", d, text, err)
		}
	}
	for p := orgtree.Inherit; p <= orgtree.Shared; p++ {
		text, err := p.MarshalText()
		var back orgtree.Policy
		if err != nil || back.UnmarshalText(text) != nil || back != p {
			t.Errorf("%s: %q %v", p, text, err)
		}
	}
	for k := orgtree.Group; k <= orgtree.Region; k++ {
		text, err := k.MarshalText()
		var back orgtree.Kind
		if err != nil || back.UnmarshalText(text) != nil || back != k {
			t.Errorf("%s: %q %v", k, text, err)
		}
	}
	if _, err := orgtree.Policy(9).MarshalText(); err == nil || new(customer.Data).UnmarshalText([]byte("all")) == nil {
		t.Error("unknown names are accepted")
	}
}
