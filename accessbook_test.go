package clientele_test

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

// planted are values, in lower case, that the clerk must never be told: everything of a
// customer out of sight, and the hidden fields of one in sight.
var planted = []string{"zkanari", "卡那里", "13800138777", "91350100m000100y43", "22099131"}

// kit is a book with planted values, and sessions to look for them.
type kit struct {
	t                     *testing.T
	log                   *lockedBuffer
	book                  *clientele.Book
	system, clerk, viewer *clientele.Session
	stranger              *clientele.Session
	hq, east, north       customer.UnitID
	seen, unseen, absent  customer.ID
	dimension             tagging.DimensionID
	vip, plain            tagging.TagID
	begun                 time.Time
	owed                  map[customer.ID]owed
	group                 credit.GroupID
	proofs
	day date.Date
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func newKit(t *testing.T) *kit {
	t.Helper()
	k := &kit{t: t, log: &lockedBuffer{}, absent: 999_999}
	k.book = openBook(t, "", clientele.Options{
		TickEvery: -1, Logger: slog.New(slog.NewTextHandler(k.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	k.system = k.book.System("set up")
	k.clerk = k.book.As(clientele.Actor{ID: "clerk"})
	k.viewer = k.book.As(clientele.Actor{ID: "viewer"})
	k.stranger = k.book.As(clientele.Actor{ID: "stranger"})
	for _, step := range []func(*clientele.Tx) error{k.defineUnits, k.defineFields, k.plant, k.describe, k.owe, k.grant, k.ask} {
		if err := k.system.Update(t.Context(), step); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.book.As(clientele.Actor{ID: "root"}).Update(t.Context(), k.approve); err != nil {
		t.Fatal(err)
	}
	if err := k.system.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *kit) defineUnits(tx *clientele.Tx) error {
	k.begun = time.Now().Add(-time.Hour)
	made := func(code string, kind orgtree.Kind, parent customer.UnitID) (customer.UnitID, error) {
		u, err := tx.Org.CreateUnit(orgtree.Unit{Code: code, Kind: kind, Parent: parent})
		if err != nil {
			return 0, err
		}
		return u.ID, nil
	}
	var err error
	if k.hq, err = made("HQ", orgtree.Company, 0); err != nil {
		return err
	}
	if k.east, err = made("EAST", orgtree.Branch, k.hq); err != nil {
		return err
	}
	k.north, err = made("NORTH", orgtree.Branch, k.hq)
	return err
}

func (k *kit) defineFields(tx *clientele.Tx) error {
	err := tx.Customers.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{
		{Name: "secret", Type: customer.Text, Indexed: true},
		{Name: "turnover", Type: customer.Number, Indexed: true},
	}})
	if err != nil {
		return err
	}
	d, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "level"})
	if err != nil {
		return err
	}
	k.dimension = d.ID
	for code, id := range map[string]*tagging.TagID{"vip": &k.vip, "plain": &k.plain} {
		tag, err := tx.Tags.CreateTag(tagging.Tag{Dimension: d.ID, Code: code})
		if err != nil {
			return err
		}
		*id = tag.ID
	}
	return nil
}

// plant creates a customer that the clerk sees without most fields, and one out of its sight.
func (k *kit) plant(tx *clientele.Tx) error {
	for _, x := range []struct {
		id         *customer.ID
		draft      customer.Draft
		identifier customer.Identifier
	}{
		{&k.seen, customer.Draft{Name: "Visible Trading", Code: "V1", Owner: k.east}, customer.Identifier{Scheme: "cn.uscc", Value: "91350100M000100Y43"}},
		{&k.unseen, customer.Draft{Name: "Zkanari Cement 卡那里水泥", Code: "ZKANARI-1", Owner: k.north}, customer.Identifier{Scheme: "tw.ubn", Value: "22099131"}},
	} {
		d := x.draft
		d.Aliases, d.Website, d.Note, d.Rep = []string{"Zkanari alias"}, "zkanari.example", "zkanari note", "zkanari.rep"
		d.Identifiers = []customer.Identifier{x.identifier}
		d.SourceKeys = []customer.SourceKey{{System: "erp", Key: "zkanari-" + d.Code}}
		d.Phones = []customer.Phone{{Number: "+8613800138777"}}
		d.Emails = []customer.Email{{Address: "zkanari@example.com"}}
		d.Addresses = []customer.Address{{Text: "Zkanari Road 1", Country: "CN", Province: "Zkanari province", City: "Zkanari city"}}
		d.Contacts = []customer.Contact{{Name: "Zkanari Li", Phone: "+8613800138777"}}
		d.Attributes = []customer.Attribute{
			{Name: "secret", Value: customer.TextValue("zkanari secret")}, {Name: "turnover", Value: customer.NumberValue(5)},
		}
		c, err := tx.Customers.Create(d)
		if err != nil {
			return err
		}
		*x.id = c.ID
	}
	return nil
}

// describe plants values in what other packages keep of both customers.
func (k *kit) describe(tx *clientele.Tx) error {
	for _, id := range []customer.ID{k.seen, k.unseen} {
		if _, err := tx.Tags.Assign(id, tagging.Assignment{Tag: k.vip, Reason: "zkanari reason"}); err != nil {
			return err
		}
		if err := tx.Customers.SetHold(id, customer.Hold{Ground: "a law"}); err != nil {
			return err
		}
		if err := tx.Customers.Record(id, customer.Event{Type: "visit"}); err != nil {
			return err
		}
		c, err := tx.Customers.Get(id)
		if err != nil {
			return err
		}
		_, err = tx.Org.SetOverlay(id, orgtree.Overlay{Unit: c.Owner, Note: "zkanari overlay", LocalCode: "L" + c.Code})
		if err != nil {
			return err
		}
	}
	return tx.Customers.SetHold(k.unseen, customer.Hold{Ground: "zkanari law"})
}

func (k *kit) grant(tx *clientele.Tx) error {
	every := func(rights ...customer.Right) (list []orgtree.Permission) {
		for _, r := range rights {
			list = append(list, orgtree.Permission{Right: r})
		}
		return list
	}
	for _, r := range []orgtree.Role{
		{Name: "clerk", Permissions: every(customer.RightRead, customer.RightCreate, customer.RightUpdate, customer.RightTransfer, customer.RightTag, customer.RightArchive, customer.RightErase, customer.RightMerge)},
		{Name: "viewer", Permissions: every(customer.RightRead)},
		{Name: "root", Permissions: every(orgtree.AnyRight)},
	} {
		if _, err := tx.Org.SetRole(r); err != nil {
			return err
		}
	}
	mask, err := customer.NewMask("identifier", "source", "alias", "website", "note", "rep", "phone", "email", "address", "contact", "tag", "attr.*")
	if err != nil {
		return err
	}
	for _, g := range []orgtree.Grant{
		{Principal: "clerk", Role: "clerk", Scope: orgtree.Scope{Unit: k.east}, Mask: mask},
		{Principal: "viewer", Role: "viewer", Scope: orgtree.Scope{Unit: k.east}, Mask: mask},
		{Principal: "root", Role: "root", Scope: orgtree.Scope{All: true}},
	} {
		if _, err := tx.Org.SetPrincipal(orgtree.Principal{ID: g.Principal}); err != nil {
			return err
		}
		if _, err := tx.Org.Give(g); err != nil {
			return err
		}
	}
	return tx.Org.Enforce(true)
}
