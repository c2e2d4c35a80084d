package clientele_test

import (
	"errors"
	"fmt"
	"slices"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// Campaigns in the naive evaluator: who may decide on which grants, what is told of that,
// and that a revoked grant is gone.

type modelCampaign struct {
	id       orgtree.CampaignID
	reviewer string
	unit     customer.UnitID
	items    []*modelItem
	closed   bool
}

// modelItem is a grant in a campaign.
type modelItem struct {
	grant    orgtree.GrantID
	decision orgtree.Decision
	by       string
}

// openCampaign opens one over what is granted by now and has not ended, without denials.
func (w *world) openCampaign() {
	c := &modelCampaign{reviewer: draw(w, "reviewer", "p0", "p1", "p2", "p3", "root"), unit: w.drawOpen("reviewed")}
	for _, g := range w.grants {
		ended := !g.Until.IsZero() && !w.now().Before(g.Until)
		if !ended && !g.Deny && (c.unit == 0 || g.Scope.Unit != 0 && w.above(c.unit, g.Scope.Unit)) {
			c.items = append(c.items, &modelItem{grant: g.ID})
		}
	}
	w.do(func(tx *clientele.Tx) error {
		made, err := tx.Org.OpenCampaign(orgtree.Campaign{Name: "review", Reviewer: c.reviewer, Unit: c.unit})
		if err == nil {
			c.id = made.ID
		}
		return err
	})
	w.campaigns = append(w.campaigns, c)
}

func (w *world) drawCampaign() *modelCampaign {
	var open []*modelCampaign
	for _, c := range w.campaigns {
		if !c.closed {
			open = append(open, c)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return draw(w, "campaign", open...)
}

// certify has somebody decide on a grant, who may or may not.
func (w *world) certify() {
	c := w.drawCampaign()
	if c == nil || len(c.items) == 0 {
		return
	}
	item := draw(w, "item", c.items...)
	actor := draw(w, "certifier", c.reviewer, c.reviewer, "root", "p0", "p1", "p2", "p3")
	d := draw(w, "decision", orgtree.Confirmed, orgtree.Revoked)
	may, known := w.certifies(actor, c, item, d)
	if !known {
		return
	}
	err := w.book.As(clientele.Actor{ID: actor}).Update(w.t.Context(), func(tx *clientele.Tx) error {
		return tx.Org.Certify(c.id, item.grant, d, "")
	})
	refused := errors.Is(err, customer.ErrDenied) || errors.Is(err, orgtree.ErrFourEyes) || errors.Is(err, orgtree.ErrState)
	if may != (err == nil) || err != nil && !refused {
		w.rt.Fatalf("%s decides %d on grant %d in campaign %d of %s: %v; permitted: %v\n%s", actor, d, item.grant, c.id, c.reviewer, err, may, w)
	}
	if err == nil {
		w.settleItem(item, d, actor)
	}
}

// certifies reports whether somebody may decide on a grant. Where that hangs on what he
// administers, it is not known here.
func (w *world) certifies(actor string, c *modelCampaign, item *modelItem, d orgtree.Decision) (may, known bool) {
	i := slices.IndexFunc(w.grants, func(g *orgtree.Grant) bool { return g.ID == item.grant })
	own := i >= 0 && w.grants[i].Principal == c.reviewer
	switch {
	case actor == c.reviewer && own, actor == c.reviewer && !w.enabled(actor), actor != c.reviewer && !own:
		return false, true
	case own && w.administersAll(actor):
	case own:
		return false, !w.administersSomething(actor)
	}
	if item.decision == orgtree.Revoked {
		return false, true
	}
	if d == orgtree.Revoked {
		return true, true
	}
	uses := slices.ContainsFunc(w.hats(actor), func(hat []*orgtree.Grant) bool {
		return slices.ContainsFunc(hat, func(g *orgtree.Grant) bool { return g.ID == item.grant })
	})
	return i >= 0 && !uses, true
}

// administersAll reports whether somebody has the right to administer by a grant of his own
// on the whole book, and no denial.
func (m *model) administersAll(actor string) bool {
	hats := m.hats(actor)
	return len(hats) > 0 && m.onWhole(hats[:1], customer.RightAdminister) && !denies(hats[:1])
}

func (m *model) administersSomething(actor string) bool {
	return slices.ContainsFunc(m.hats(actor), func(hat []*orgtree.Grant) bool {
		return slices.ContainsFunc(hat, func(g *orgtree.Grant) bool { return m.gives(g.Role, customer.RightAdminister, customer.Identity) })
	})
}

// onWhole reports whether one of some grants gives a right on the whole book.
func (m *model) onWhole(hats [][]*orgtree.Grant, right customer.Right) bool {
	return slices.ContainsFunc(slices.Concat(hats...), func(g *orgtree.Grant) bool {
		return !g.Deny && g.Scope.All && !g.Scope.Own && g.Scope.Filter == "" && m.gives(g.Role, right, customer.Identity)
	})
}

func denies(hats [][]*orgtree.Grant) bool {
	return slices.ContainsFunc(slices.Concat(hats...), func(g *orgtree.Grant) bool { return g.Deny })
}

// settleItem keeps a decision; a revoked grant is gone.
func (w *world) settleItem(item *modelItem, d orgtree.Decision, by string) {
	if item.decision, item.by = d, by; d == orgtree.Revoked {
		w.grants = slices.DeleteFunc(w.grants, func(g *orgtree.Grant) bool { return g.ID == item.grant })
	}
}

// closeCampaign ends a campaign, also by revoking what nobody decided on.
func (w *world) closeCampaign() {
	c := w.drawCampaign()
	if c == nil {
		return
	}
	revoke := w.one("revoke", 2) && !slices.ContainsFunc(c.items, func(i *modelItem) bool { return i.decision == orgtree.Undecided && w.isRoots(i.grant) })
	w.do(func(tx *clientele.Tx) error { _, err := tx.Org.CloseCampaign(c.id, revoke); return err })
	c.closed = true
	for _, item := range c.items {
		if revoke && item.decision == orgtree.Undecided {
			w.settleItem(item, orgtree.Revoked, clientele.SystemActor)
		}
	}
}

func (m *model) isRoots(id orgtree.GrantID) bool {
	return slices.ContainsFunc(m.grants, func(g *orgtree.Grant) bool { return g.ID == id && g.Principal == "root" })
}

// setReviewer hands a campaign to somebody else.
func (w *world) setReviewer() {
	c := w.drawCampaign()
	if c == nil {
		return
	}
	reviewer := draw(w, "reviewer", "p0", "p1", "p2", "p3", "root")
	w.do(func(tx *clientele.Tx) error { _, err := tx.Org.SetReviewer(c.id, reviewer); return err })
	c.reviewer = reviewer
}

// certifications compares what is told of campaigns: who reviews what is open to all, what
// was decided to the reviewer and to who reviews all access.
func (r *reads) certifications() {
	got, want := []string{}, []string{}
	for c, err := range r.tx.Org.Campaigns() {
		r.fine("Campaigns", err)
		got = append(got, fmt.Sprint(c.ID, c.Reviewer, c.Unit, !c.Closed.IsZero()))
	}
	for _, c := range r.campaigns {
		want = append(want, fmt.Sprint(c.id, c.reviewer, c.unit, c.closed))
	}
	r.same("Campaigns", got, want)
	for _, c := range r.campaigns {
		r.certified(c)
	}
	r.ownGrants()
}

func (r *reads) certified(c *modelCampaign) {
	hats := r.hats(r.actor)
	may := r.onWhole(hats, customer.RightReview) || r.onWhole(hats, customer.RightAdminister)
	must := may && !denies(hats)
	if c.reviewer == r.actor && r.enabled(r.actor) {
		must, may = true, true
	}
	got, want, err := []string{}, []string{}, error(nil)
	for item, each := range r.tx.Org.Certifications(c.id) {
		if err = each; err != nil {
			break
		}
		got = append(got, fmt.Sprint(item.Grant, item.Decision, item.By))
	}
	if err != nil || !may {
		r.same(fmt.Sprint("Certifications of ", c.id, " are refused"), errors.Is(err, customer.ErrDenied) && !must, true)
		return
	}
	for _, item := range c.items {
		want = append(want, fmt.Sprint(item.grant, item.decision, item.by))
	}
	r.same(fmt.Sprint("Certifications of ", c.id), got, want)
}

// ownGrants compares what somebody is told of what was granted to him.
func (r *reads) ownGrants() {
	got, want := []orgtree.GrantID{}, []orgtree.GrantID{}
	for g, err := range r.tx.Org.GrantsOf(r.actor) {
		r.fine("GrantsOf", err)
		got = append(got, g.ID)
	}
	for _, g := range r.grants {
		if g.Principal == r.actor {
			want = append(want, g.ID)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	r.same("GrantsOf", got, want)
}
