package orgtree_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// Hour 1: clerk.nj is lent boss.east's grant for three hours. Hour 2: the role of clerks
// loses the right to update. Hour 3: clerk.nj's own grant is revoked. Hour 4: clerk.nj is
// disabled. Each hour is asked for afterwards.
func TestWhatAPrincipalCouldDoAtAPastDate(t *testing.T) {
	g := newGroup(t)
	own := g.grantOf("clerk.nj")
	hour := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	for n, change := range []func(tx) error{
		func(tx tx) error {
			_, err := tx.Delegate(orgtree.Delegation{From: "boss.east", To: "clerk.nj", End: hour(4)})
			return err
		},
		func(tx tx) error {
			_, err := tx.SetRole(orgtree.Role{Name: "clerk", Permissions: permissions(customer.RightRead)})
			return err
		},
		func(tx tx) error { return tx.Revoke(own) },
		func(tx tx) error {
			_, err := tx.SetPrincipal(orgtree.Principal{ID: "clerk.nj", Disabled: true})
			return err
		},
	} {
		g.setClock(hour(n + 1))
		g.as("root", change)
	}
	g.setClock(hour(10))
	want := []string{ // half an hour after each change
		"[clerk read update on 1 unit]",
		"[clerk read update on 1 unit, boss by boss.east on 3 units]",
		"[clerk read on 1 unit, boss by boss.east on 3 units]",
		"[boss by boss.east on 3 units]",
		"[]",
	}
	g.viewAs("root", func(r *orgtree.Reader, _ *customer.Reader) error {
		for n, want := range want {
			e, err := r.EffectiveRightsAt("clerk.nj", hour(n).Add(30*time.Minute))
			if err != nil {
				return err
			}
			if got := describe(e); got != want {
				t.Errorf("in hour %d clerk.nj could do %s, want %s", n, got, want)
			}
		}
		now, err := r.EffectiveRights("boss.east")
		then, failed := r.EffectiveRightsAt("boss.east", hour(10))
		if err != nil || failed != nil || describe(now) != describe(then) {
			t.Errorf("now it is %s, %v, by the past %s, %v", describe(now), err, describe(then), failed)
		}
		_, err = r.EffectiveRightsAt("clerk.nj", start.Add(-time.Hour))
		wantError(t, "before there was anybody", err, orgtree.ErrNotFound)
		for at, want := range map[time.Time]bool{start.Add(-time.Hour): false, hour(1): true} {
			if on, err := r.EnforcedAt(at); on != want || err != nil {
				t.Errorf("enforced at %v: %v, %v", at, on, err)
			}
		}
		return nil
	})
	g.viewAs("root", func(r *orgtree.Reader, _ *customer.Reader) error {
		for n, want := range map[int][]orgtree.GrantID{2: {1, 2, 3, 4, 5}, 3: {1, 3, 4, 5}} {
			var got []orgtree.GrantID
			for x, err := range r.GrantsKnown(hour(n).Add(30 * time.Minute)) {
				if err != nil {
					return err
				}
				got = append(got, x.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("in hour %d there were the grants %v, want %v", n, got, want)
			}
		}
		return nil
	})
	g.viewAs("boss.two", func(r *orgtree.Reader, _ *customer.Reader) error {
		_, err := r.EffectiveRightsAt("boss.east", hour(1))
		wantError(t, "another's past", err, customer.ErrDenied)
		_, err = r.EffectiveRightsAt("boss.two", hour(1))
		wantError(t, "one's own past", err, nil)
		for _, err := range r.GrantsKnown(hour(1)) {
			wantError(t, "all grants of the past", err, customer.ErrDenied)
		}
		return nil
	})
}

// describe lists rights: those of clerks with what the role permitted.
func describe(e *orgtree.Effective) string {
	text := ""
	for i, x := range e.Grants {
		if i > 0 {
			text += ", "
		}
		text += x.Role.Name
		if x.Role.Name == "clerk" {
			for _, p := range x.Role.Permissions {
				text += " " + string(p.Right)
			}
		}
		if x.Through != nil {
			text += " by " + x.Through.From
		}
		text += fmt.Sprintf(" on %d unit", x.Units)
		if x.Units > 1 {
			text += "s"
		}
	}
	return "[" + text + "]"
}
