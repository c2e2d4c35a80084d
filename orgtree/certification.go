package orgtree

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/record"
)

// CampaignID numbers campaigns.
type CampaignID uint64

// Campaign asks a reviewer to confirm or revoke each of the grants that there were when
// it was opened. Campaigns and what was decided in them are kept.
type Campaign struct {
	ID       CampaignID
	Name     string
	Reviewer string          // a principal
	Unit     customer.UnitID // of the grants whose scope names it or a unit below it; 0 for all grants
	// Due is by when all should be decided, zero for no such date. Nothing is revoked then:
	// [Reader.Review] finds the campaign overdue until it is closed.
	Due    time.Time
	Opened time.Time
	Closed time.Time // zero while it is open

	rest string
}

// Overdue reports whether the campaign was to be over by an instant, and is open.
func (c *Campaign) Overdue(at time.Time) bool {
	return c.Closed.IsZero() && !c.Due.IsZero() && !at.Before(c.Due)
}

// Decision is what a reviewer made of a grant.
type Decision uint8

const (
	Undecided Decision = iota
	Confirmed
	Revoked
)

// Certified is a grant in a campaign.
type Certified struct {
	Campaign CampaignID
	Grant    GrantID
	Decision Decision
	By       string
	At       time.Time // of the decision
	Note     string

	rest string
}

// MaxCampaignGrants is the number of grants in one campaign: more are reviewed by unit.
const MaxCampaignGrants = 20_000

// OpenCampaign opens a campaign over the grants in force or ahead, denials aside. Of c it takes Name,
// Reviewer, Unit and Due. It needs the right to administer the unit.
func (tx *Tx) OpenCampaign(c Campaign) (*Campaign, error) {
	const op = "open campaign"
	next := &Campaign{Name: c.Name, Reviewer: c.Reviewer, Unit: c.Unit, Due: c.Due, Opened: tx.now()}
	if err := cleanTexts(op, field{"Name", &next.Name, MaxSubject}); err != nil {
		return nil, err
	}
	if !next.Due.IsZero() {
		next.Due = tx.effective(next.Due)
	}
	if err := tx.mayAdminister(c.Unit); err != nil {
		return nil, err
	}
	if err := tx.checkReviewer(op, c.Reviewer); err != nil {
		return nil, err
	}
	grants, err := tx.reviewed(c.Unit)
	if err != nil {
		return nil, err
	}
	if len(grants) > MaxCampaignGrants {
		return nil, &Error{Op: op, Field: "Unit", Value: unitText(c.Unit), Remedy: fmt.Sprintf("there are %d grants of at most %d; open a campaign for each region", len(grants), MaxCampaignGrants), Err: storage.ErrLimit}
	}
	id, err := tx.store.campaignIDs.Next(tx.tx, nil)
	if err != nil {
		return nil, err
	}
	next.ID = CampaignID(id)
	if err := tx.store.campaign.InsertNew(tx.tx, next.ID, next, uint8(CampaignSet)); err != nil {
		return nil, err
	}
	for _, g := range grants {
		key := certifiedKey{next.ID, g}
		if err := tx.store.certified.InsertNew(tx.tx, key, &Certified{}, uint8(CampaignSet)); err != nil {
			return nil, err
		}
	}
	return tx.Campaign(next.ID)
}

// reviewed returns the grants in force or ahead whose scope names a unit or one below.
// Denials are none of them: to drop one that nobody decided on would give rights.
func (tx *Tx) reviewed(unit customer.UnitID) (ids []GrantID, err error) {
	tree, err := tx.Tree()
	if err != nil {
		return nil, err
	}
	for g, err := range tx.full().Grants() {
		if err != nil {
			return nil, err
		}
		ended := !g.Until.IsZero() && !tx.now().Before(g.Until)
		if !ended && !g.Deny && (unit == 0 || g.Scope.Unit != 0 && tree.Contains(unit, g.Scope.Unit)) {
			ids = append(ids, g.ID)
		}
	}
	return ids, nil
}

// SetReviewer hands an open campaign to another reviewer, for one who left or is away. It
// needs the right to administer the campaign's unit; what was decided stays.
func (tx *Tx) SetReviewer(id CampaignID, reviewer string) (*Campaign, error) {
	const op = "set reviewer"
	c, err := tx.openCampaign(op, id)
	if err != nil {
		return nil, err
	}
	if err := tx.mayAdminister(c.Unit); err != nil {
		return nil, err
	}
	if err := tx.checkReviewer(op, reviewer); err != nil {
		return nil, err
	}
	c.Reviewer = reviewer
	if err := tx.store.campaign.Put(tx.tx, id, c, uint8(CampaignSet)); err != nil {
		return nil, err
	}
	return tx.Campaign(id)
}

func (tx *Tx) checkReviewer(op, reviewer string) error {
	if _, err := tx.Principal(reviewer); err != nil {
		return &Error{Op: op, Field: "Reviewer", Value: reviewer, Remedy: "use the id of one of the book's principals", Err: err}
	}
	return nil
}

// Certify records what the reviewer decided on a grant; a revoked one is gone at once.
// Only the reviewer may: but on the reviewer's own grants only another who administers the
// campaign's unit, not by what the reviewer delegated to him. Nobody confirms a grant that
// he uses by a delegation.
func (tx *Tx) Certify(campaign CampaignID, id GrantID, d Decision, note string) error {
	const op = "certify"
	if d != Confirmed && d != Revoked {
		return &Error{Op: op, Field: "Decision", Value: fmt.Sprint(uint8(d)), Remedy: "confirm or revoke", Err: ErrInvalid}
	}
	if err := cleanTexts(op, field{"Note", &note, MaxSubject}); err != nil {
		return err
	}
	c, err := tx.openCampaign(op, campaign)
	if err != nil {
		return err
	}
	g, _, err := tx.store.grant.Find(tx.Reader.storage, id)
	if err != nil {
		return err
	}
	if err := tx.mayCertify(op, c, g); err != nil {
		return err
	}
	key := certifiedKey{campaign, id}
	item, err := tx.store.certified.Get(tx.Reader.storage, key)
	if err != nil {
		return err
	}
	if item.Decision == Revoked {
		return &Error{Op: op, Field: "Grant", Value: fmt.Sprint(uint64(id)), Remedy: "it has been revoked; give another", Err: ErrState}
	}
	if d == Confirmed {
		if err := tx.mayConfirm(op, id, g); err != nil {
			return err
		}
	} else if g != nil {
		if err := tx.revoke(g); err != nil {
			return err
		}
	}
	item.Decision, item.By, item.At, item.Note = d, tx.tx.Session().Actor, tx.now(), note
	return tx.store.certified.Put(tx.tx, key, item, uint8(GrantCertified))
}

// mayCertify returns nil when the session may decide on a grant, nil for one that is gone.
func (tx *Tx) mayCertify(op string, c *Campaign, g *Grant) error {
	actor := tx.tx.Session().Actor
	reviewers := g != nil && g.Principal == c.Reviewer
	switch {
	case actor == c.Reviewer && reviewers:
		return &Error{Op: op, Field: "Grant", Value: fmt.Sprint(uint64(g.ID)), Remedy: "let someone else who administers the campaign's unit review it: it is the reviewer's own", Err: ErrFourEyes}
	case actor == c.Reviewer:
		return tx.mayAct()
	case reviewers:
		if own, ok := tx.access().(*Access); ok {
			return own.without(c.Reviewer).AllowsAt(customer.RightAdminister, customer.Identity, c.Unit)
		}
		return tx.mayAdminister(c.Unit)
	}
	return &Error{Op: op, Field: "Actor", Value: actor, Remedy: "let " + c.Reviewer + " decide, who reviews this campaign", Err: customer.ErrDenied}
}

// mayConfirm returns nil when a grant is there, and not in use by the session itself.
func (tx *Tx) mayConfirm(op string, id GrantID, g *Grant) error {
	if g == nil {
		return &Error{Op: op, Field: "Grant", Value: fmt.Sprint(uint64(id)), Remedy: "it is gone, so say that it is revoked", Err: ErrState}
	}
	if own, ok := tx.access().(*Access); ok && own.plan.wears(id) {
		return &Error{Op: op, Field: "Grant", Value: fmt.Sprint(uint64(id)), Remedy: "let someone else confirm it: it is delegated to the reviewer", Err: ErrFourEyes}
	}
	return nil
}

// wears reports whether a grant is among those that the actor uses, its own or delegated.
func (p *plan) wears(id GrantID) bool {
	return slices.ContainsFunc(p.hats, func(h *hat) bool {
		return slices.ContainsFunc(h.grants, func(g *held) bool { return g.ID == id })
	})
}

func (tx *Tx) openCampaign(op string, id CampaignID) (*Campaign, error) {
	c, err := tx.Campaign(id)
	if err != nil {
		return nil, err
	}
	if !c.Closed.IsZero() {
		return nil, &Error{Op: op, Field: "Campaign", Value: c.Name, Remedy: "it was closed on " + day(c.Closed) + "; open another", Err: ErrState}
	}
	return c, nil
}

// CloseCampaign ends a campaign. With revoke, the grants that nobody decided on are
// revoked. It needs the right to administer the campaign's unit.
func (tx *Tx) CloseCampaign(id CampaignID, revoke bool) (*Campaign, error) {
	const op = "close campaign"
	c, err := tx.openCampaign(op, id)
	if err != nil {
		return nil, err
	}
	if err := tx.mayAdminister(c.Unit); err != nil {
		return nil, err
	}
	if revoke {
		if err := tx.revokeUndecided(c); err != nil {
			return nil, err
		}
	}
	c.Closed = tx.now()
	if err := tx.store.campaign.Put(tx.tx, id, c, uint8(CampaignSet)); err != nil {
		return nil, err
	}
	return tx.Campaign(id)
}

func (tx *Tx) revokeUndecided(c *Campaign) error {
	var items []*Certified
	for item, err := range tx.certified(c.ID) {
		if err != nil {
			return err
		}
		if item.Decision == Undecided {
			items = append(items, item)
		}
	}
	for _, item := range items {
		if g, err := tx.grantOf(item.Grant); err == nil {
			if err := tx.revoke(g); err != nil {
				return err
			}
		} else if !isNotFound(err) {
			return err
		}
		item.Decision, item.By, item.At = Revoked, tx.tx.Session().Actor, tx.now()
		if err := tx.store.certified.Put(tx.tx, certifiedKey{c.ID, item.Grant}, item, uint8(GrantCertified)); err != nil {
			return err
		}
	}
	return nil
}

// Campaign returns a campaign, or an error that wraps ErrNotFound. It costs one read.
func (r *Reader) Campaign(id CampaignID) (*Campaign, error) {
	return r.store.campaign.Get(r.storage, id)
}

// Campaigns yields all campaigns, in the order in which they were opened.
func (r *Reader) Campaigns() iter.Seq2[*Campaign, error] {
	return r.store.campaign.Records(r.storage, kv.Range{}, false)
}

// Certifications yields the grants of a campaign and what was decided on them, to its
// reviewer and to who may review everybody's access.
func (r *Reader) Certifications(id CampaignID) iter.Seq2[*Certified, error] {
	return func(yield func(*Certified, error) bool) {
		c, err := r.Campaign(id)
		if own, ok := r.access().(*Access); err == nil && !(ok && own.plan.actor == c.Reviewer && r.mayAct() == nil) {
			err = r.mayReview()
		}
		if err != nil {
			yield(nil, err)
			return
		}
		r.certified(id)(yield)
	}
}

func (r *Reader) certified(id CampaignID) iter.Seq2[*Certified, error] {
	return r.store.certified.Records(r.storage, kv.Prefix(storage.Key(nil).Uint(uint64(id))), false)
}

// The stored fields of campaigns and what is decided in them.
const (
	campaignName     = 1
	campaignReviewer = 2
	campaignUnit     = 3
	campaignDue      = 4
	campaignOpened   = 5
	campaignClosed   = 6

	certifiedDecision = 1
	certifiedBy       = 2
	certifiedAt       = 3
	certifiedNote     = 4
)

func appendCampaign(dst []byte, c *Campaign) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.String(campaignName, c.Name)
	w.String(campaignReviewer, c.Reviewer)
	w.Uint(campaignUnit, uint64(c.Unit))
	writeTime(&w, campaignDue, c.Due)
	writeTime(&w, campaignOpened, c.Opened)
	writeTime(&w, campaignClosed, c.Closed)
	w.Raw(c.rest)
	return w.Buf, nil
}

func decodeCampaign(src string, id CampaignID, _ storage.Meta) (c *Campaign, err error) {
	c = &Campaign{ID: id}
	c.rest, err = readFields(src, func(r *record.Reader) {
		switch r.Field() {
		case campaignName:
			c.Name = r.String()
		case campaignReviewer:
			c.Reviewer = r.String()
		case campaignUnit:
			c.Unit = customer.UnitID(r.Uint())
		case campaignDue:
			c.Due = readTime(r)
		case campaignOpened:
			c.Opened = readTime(r)
		case campaignClosed:
			c.Closed = readTime(r)
		default:
			r.Skip()
		}
	})
	return c, err
}

func appendCertified(dst []byte, c *Certified) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(certifiedDecision, uint64(c.Decision))
	w.String(certifiedBy, c.By)
	writeTime(&w, certifiedAt, c.At)
	w.String(certifiedNote, c.Note)
	w.Raw(c.rest)
	return w.Buf, nil
}

func decodeCertified(src string, key certifiedKey, _ storage.Meta) (c *Certified, err error) {
	c = &Certified{Campaign: key.campaign, Grant: key.grant}
	c.rest, err = readFields(src, func(r *record.Reader) {
		switch r.Field() {
		case certifiedDecision:
			c.Decision = Decision(r.Uint())
		case certifiedBy:
			c.By = r.String()
		case certifiedAt:
			c.At = readTime(r)
		case certifiedNote:
			c.Note = r.String()
		default:
			r.Skip()
		}
	})
	return c, err
}
