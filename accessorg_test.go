package clientele_test

import (
	"errors"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

var orgRows = map[string]row{
	"orgtree.Reader.Placement": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return tx.Org.Placement(id) }),
	"orgtree.Reader.PlacementAt": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		return tx.Org.PlacementAt(id, time.Now())
	}),
	"orgtree.Reader.Placements": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return all(tx.Org.Placements(id)) }),
	"orgtree.Reader.Overlay": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		x, err := tx.Org.Overlay(id, k.north)
		if err != nil || x.Note != "" {
			return x, err
		}
		return tx.Org.Overlay(id, k.east)
	}),
	"orgtree.Reader.Customers": numbered(1, 2, func(k *kit, tx *clientele.Tx) (int64, error) { return tx.Org.Customers(k.hq) }),
	"orgtree.Reader.ByLocalCode": numbered(0, 1, func(k *kit, tx *clientele.Tx) (int64, error) {
		_, err := tx.Org.ByLocalCode(k.north, "LZKANARI-1")
		if errors.Is(err, customer.ErrNotFound) {
			return 0, nil
		}
		return 1, err
	}),
	"orgtree.Reader.UnitsOf": numbered(1, 2, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		for _, id := range []customer.ID{k.seen, k.unseen} {
			switch owner, _, err := tx.Org.UnitsOf(id); {
			case err == nil && owner != 0:
				n++
			case err != nil && !errors.Is(err, customer.ErrNotFound):
				return n, err
			}
		}
		return n, nil
	}),
	"orgtree.Reader.Transfers": numbered(1, 2, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		for _, id := range []customer.ID{k.seen, k.unseen} {
			one, err := count(tx.Org.Transfers(id))
			if n += min(one, 1); err != nil && !errors.Is(err, customer.ErrNotFound) {
				return n, err
			}
		}
		return n, nil
	}),
	"orgtree.Reader.Consolidate": numbered(1, 2, func(k *kit, tx *clientele.Tx) (int64, error) {
		c, err := tx.Org.Consolidate(k.hq)
		if err != nil {
			return 0, err
		}
		return c.Total.Own, nil
	}),
	"orgtree.Tx.Transfer": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Org.Transfer(id, orgtree.Destination{Unit: k.east, KeepRep: true})
		return err
	}),
	"orgtree.Tx.Assign": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Org.Assign(id, orgtree.Assignment{Unit: k.east})
		return err
	}),
	"orgtree.Tx.Withdraw": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Org.Withdraw(id, k.east)
		return err
	}),
	"orgtree.Tx.SetTeam": write(func(k *kit, tx *clientele.Tx, id customer.ID) error { _, err := tx.Org.SetTeam(id, k.east); return err }),
	"orgtree.Tx.SetOverlay": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Org.SetOverlay(id, orgtree.Overlay{Unit: k.east, Terms: "NET30"})
		return err
	}),
	"orgtree.Tx.CreateUnit": guarded(func(k *kit, tx *clientele.Tx) error {
		_, err := tx.Org.CreateUnit(orgtree.Unit{Code: "X", Parent: k.hq})
		return err
	}),
	"orgtree.Tx.MoveUnit": guarded(func(k *kit, tx *clientele.Tx) error {
		_, err := tx.Org.MoveUnit(k.east, k.north, time.Time{})
		return err
	}),
	"orgtree.Tx.MergeUnits": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Org.MergeUnits(k.east, k.north); return err }),
	"orgtree.Tx.CloseUnit":  guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Org.CloseUnit(k.east, time.Time{}); return err }),
	"orgtree.Tx.UpdateUnit": guarded(func(k *kit, tx *clientele.Tx) error {
		u, err := tx.Org.Unit(k.east)
		if err == nil {
			u.Code = "WEST"
			_, err = tx.Org.UpdateUnit(u)
		}
		return err
	}),
	"orgtree.Tx.SetRepQuota": guarded(func(k *kit, tx *clientele.Tx) error { return tx.Org.SetRepQuota("x", 5) }),
	"orgtree.Tx.Enforce":     guarded(func(k *kit, tx *clientele.Tx) error { return tx.Org.Enforce(false) }),
	"orgtree.Tx.SetRole":     guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Org.SetRole(orgtree.Role{Name: "mine"}); return err }),
	"orgtree.Tx.RemoveRole":  guarded(func(k *kit, tx *clientele.Tx) error { return tx.Org.RemoveRole("clerk") }),
	"orgtree.Tx.SetPrincipal": guarded(func(k *kit, tx *clientele.Tx) error {
		_, err := tx.Org.SetPrincipal(orgtree.Principal{ID: "mine"})
		return err
	}),
	"orgtree.Tx.Give": guarded(func(k *kit, tx *clientele.Tx) error {
		_, err := tx.Org.Give(orgtree.Grant{Principal: "viewer", Role: "root", Scope: orgtree.Scope{All: true}})
		return err
	}),
	"orgtree.Tx.Revoke":               guarded(func(k *kit, tx *clientele.Tx) error { return tx.Org.Revoke(1) }),
	"orgtree.Tx.SetApprovalRules":     guarded(func(k *kit, tx *clientele.Tx) error { return tx.Org.SetApprovalRules(nil) }),
	"orgtree.Tx.OpenCampaign":         guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Org.OpenCampaign(orgtree.Campaign{}); return err }),
	"orgtree.Reader.Review":           guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Org.Review(orgtree.ReviewOptions{}); return err }),
	"orgtree.Reader.RightsOnCustomer": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Org.RightsOnCustomer(k.seen); return err }),
	"orgtree.Reader.EffectiveRights":  guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Org.EffectiveRights("root"); return err }),
	"orgtree.Reader.Explain": guarded(func(k *kit, tx *clientele.Tx) error {
		_, err := tx.Org.Explain("root", customer.RightRead, customer.Identity, k.seen)
		return err
	}),
	"orgtree.Reader.Uses":   guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Org.Uses(1); return err }),
	"orgtree.Reader.Unit":   {open: unit},
	"orgtree.Reader.Units":  {open: unit},
	"orgtree.Reader.Tree":   {open: unit},
	"orgtree.Reader.TreeAt": {open: unit},
}

// owned are methods of other packages that those packages prove.
func init() {
	for reason, names := range map[string][]string{
		unit: {"Reader.TreeKnown", "Reader.UnitByCode", "Reader.UnitHistory", "Reader.Enforced", "Reader.EnforcedAt", "Reader.ApprovalRules", "Reader.NeedsApproval", "Reader.RepQuota"},
		"names of roles, principals and campaigns, which are no customer's": {
			"Reader.Campaign", "Reader.Campaigns", "Reader.Principal", "Reader.PrincipalHistory", "Reader.Principals",
			"Reader.Role", "Reader.RoleHistory", "Reader.Roles",
		},
		"tells of those whom Visible shows: TestDueTimesAreThoseOfCustomersInSight in package orgtree": {"Reader.AssignmentDue", "Reader.Corrections"},
	} {
		for _, name := range names {
			orgRows["orgtree."+name] = row{open: reason}
			table["orgtree."+name] = row{open: reason}
		}
	}
}

var dedupeRows = map[string]row{}

func init() {
	for name, reason := range map[string]string{
		"Reader.ClusterOf": "is a number of a customer that Exact shows", "Reader.Members": "yields those whom Visible shows",
		"Reader.MergeOf": recorded, "Reader.Merges": recorded, "Reader.Model": definition, "Reader.ModelVersion": definition,
		"Tx.Confirm": "overrules the warnings of its own transaction", "Tx.Warnings": "are of what the transaction itself wrote, as CandidatesOf tells it",
	} {
		table["dedupe."+name] = row{open: reason}
	}
}

const recorded = "of those whom Exact shows: TestRecordsOfMergesTellNothingHidden"
