package clientele_test

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/classify"
)

// Reasons that several methods share.
const (
	definition = "a definition, which is no customer's"
	unit       = "the organisation's structure, which is no customer's"
	handle     = "returns a handle whose methods are in the table"
)

// table has every method of a session. A package that joins adds a table of its own here.
var table = joined(customerRows, customerWrites, taggingRows, taggingWrites, orgRows, dedupeRows, exchangeRows, stocktakeRows, sessionRows, storageRows)

func joined(tables ...map[string]row) map[string]row {
	all := map[string]row{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

func read(f func(k *kit, tx *clientele.Tx, id customer.ID) (any, error)) row { return row{read: f} }

func numbered(clerk, system int64, f func(k *kit, tx *clientele.Tx) (int64, error)) row {
	return row{number: f, clerk: clerk, system: system}
}

func write(f func(k *kit, tx *clientele.Tx, id customer.ID) error) row { return row{write: f} }

func guarded(f func(k *kit, tx *clientele.Tx) error) row { return row{guarded: f} }

var customerRows = map[string]row{
	"customer.Reader.Get":     read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return tx.Customers.Get(id) }),
	"customer.Reader.Exact":   read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return tx.Customers.Exact(id) }),
	"customer.Reader.ByCode":  read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return tx.Customers.ByCode("zkanari-1") }),
	"customer.Reader.History": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return all(tx.Customers.History(id)) }),
	"customer.Reader.At":      read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return tx.Customers.At(id, time.Now()) }),
	"customer.Reader.AtVersion": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		return tx.Customers.AtVersion(id, 1)
	}),
	"customer.Reader.Hold": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return tx.Customers.Hold(id) }),
	"customer.Reader.List": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		var lists []any
		for _, order := range []customer.Order{customer.ByID, customer.ByName, customer.ByCode} {
			list, err := all(tx.Customers.List(customer.List{Order: order, Reverse: order == customer.ByCode}))
			if err != nil {
				return nil, err
			}
			lists = append(lists, list)
		}
		return lists, nil
	}),
	"customer.Reader.CountsByPlace": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return tx.Customers.CountsByPlace() }),
	"customer.Reader.ByIdentifier": numbered(0, 2, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		for scheme, value := range map[string]string{"cn.uscc": "91350100M000100Y43", "tw.ubn": "22099131"} {
			switch _, err := tx.Customers.ByIdentifier(scheme, value); {
			case err == nil:
				n++
			case !errors.Is(err, customer.ErrNotFound):
				return n, err
			}
		}
		return n, nil
	}),
	"customer.Reader.BySourceKey": numbered(0, 1, func(k *kit, tx *clientele.Tx) (int64, error) {
		_, err := tx.Customers.BySourceKey("erp", "zkanari-V1")
		if errors.Is(err, customer.ErrNotFound) {
			return 0, nil
		}
		return 1, err
	}),
	"customer.Reader.ByPhone": numbered(0, 2, func(k *kit, tx *clientele.Tx) (int64, error) { return count(tx.Customers.ByPhone("+8613800138777")) }),
	"customer.Reader.Repeated": numbered(0, 2, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		for ids, err := range tx.Customers.Repeated(customer.CommonPhone) {
			if err != nil {
				return 0, err
			}
			n += int64(len(ids))
		}
		return n, nil
	}),
	"customer.Reader.ByEmail": numbered(0, 2, func(k *kit, tx *clientele.Tx) (int64, error) {
		return count(tx.Customers.ByEmail("zkanari@example.com"))
	}),
	"customer.Reader.ByRep": numbered(0, 1, func(k *kit, tx *clientele.Tx) (int64, error) { return count(tx.Customers.ByRep(k.east, "zkanari.rep")) }),
	"customer.Reader.ByAttribute": numbered(0, 2, func(k *kit, tx *clientele.Tx) (int64, error) {
		return count(tx.Customers.ByAttribute("secret", customer.TextValue("zkanari secret")))
	}),
	"customer.Reader.OwnerCount": numbered(0, 1, func(k *kit, tx *clientele.Tx) (int64, error) { return tx.Customers.OwnerCount(k.north) }),
	"customer.Reader.RepCount":   numbered(0, 2, func(k *kit, tx *clientele.Tx) (int64, error) { return tx.Customers.RepCount("zkanari.rep") }),
	"customer.Reader.OwnedIDs":   numbered(0, 1, func(k *kit, tx *clientele.Tx) (int64, error) { return count(tx.Customers.OwnedIDs(k.north)) }),
	"customer.Reader.Counts": numbered(1, 2, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		counts, err := tx.Customers.Counts()
		for _, c := range counts {
			n += c.N
		}
		return n, err
	}),
	"customer.Reader.Events": numbered(1, 2, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		for _, id := range []customer.ID{k.seen, k.unseen} {
			one, err := count(tx.Customers.Events(id))
			if n += one; err != nil {
				return n, err
			}
		}
		return n, nil
	}),
	"customer.Reader.LastEvent": numbered(1, 2, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		for _, id := range []customer.ID{k.seen, k.unseen} {
			at, err := tx.Customers.LastEvent(id, "visit")
			if err != nil {
				return n, err
			}
			if !at.IsZero() {
				n++
			}
		}
		return n, nil
	}),
	"customer.Reader.Visible": numbered(1, 2, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		for _, id := range []customer.ID{k.seen, k.unseen, k.absent} {
			seen, err := tx.Customers.Visible(id)
			if err != nil {
				return n, err
			}
			if seen {
				n++
			}
		}
		return n, nil
	}),
	"customer.Reader.Permit": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		return tx.Customers.Permit(customer.RightUpdate, customer.Identity, id)
	}),
	"customer.Reader.PermitAll": guarded(func(k *kit, tx *clientele.Tx) error {
		return tx.Customers.PermitAll(customer.RightAdminister, customer.Identity)
	}),
	"customer.Reader.Marks": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		var keys []string
		city, err := tx.Customers.Field("city")
		if err != nil {
			return nil, err
		}
		err = tx.Customers.Marks().Scan(&tx.Storage.Reader, city.All().Range, func(key storage.Key, _ uint64, _ []byte) error {
			keys = append(keys, string(key))
			return nil
		})
		return keys, err
	}),
	"customer.Reader.Entries": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		var keys []string
		secret, err := tx.Customers.Field("attr.secret")
		if err != nil {
			return nil, err
		}
		err = tx.Customers.Entries(&secret, secret.All(), func(_ customer.ID, key storage.Key) error {
			keys = append(keys, string(key))
			return nil
		})
		return keys, err
	}),
	"customer.Reader.Resolve": numbered(1, 2, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		for _, id := range []customer.ID{k.seen, k.unseen} {
			switch way, err := tx.Customers.Resolve(id); {
			case err == nil:
				n += int64(len(way))
			case !errors.Is(err, customer.ErrNotFound):
				return n, err
			}
		}
		return n, nil
	}),
	"customer.Reader.ByName": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		return all(tx.Customers.ByName("Zkanari Cement 卡那里水泥"))
	}),
	"customer.Reader.BySystem":   read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return all(tx.Customers.BySystem("erp")) }),
	"customer.Reader.Derived":    {open: "needs an index that the package which shows its customers keeps to itself"},
	"customer.Reader.MergedInto": {open: "yields those whom Visible shows"},
	"customer.Reader.Access":     {open: "is what decides"},
	"customer.Reader.Schema":     {open: definition},
	"customer.Reader.Field":      {open: definition},
	"customer.Reader.Fields":     {open: definition},
}

var customerWrites = map[string]row{
	"customer.Tx.Update": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		c, err := tx.Customers.Get(id)
		if err != nil { // out of sight, or absent
			c = &customer.Customer{ID: id, Version: 1}
		}
		c.Name = "New name"
		_, err = tx.Customers.Update(c)
		return err
	}),
	"customer.Tx.Suspend": write(func(k *kit, tx *clientele.Tx, id customer.ID) error { _, err := tx.Customers.Suspend(id); return err }),
	"customer.Tx.Resume":  write(func(k *kit, tx *clientele.Tx, id customer.ID) error { _, err := tx.Customers.Resume(id); return err }),
	"customer.Tx.Archive": write(func(k *kit, tx *clientele.Tx, id customer.ID) error { _, err := tx.Customers.Archive(id); return err }),
	"customer.Tx.Reactivate": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Customers.Reactivate(id)
		return err
	}),
	"customer.Tx.Erase": write(func(k *kit, tx *clientele.Tx, id customer.ID) error { _, err := tx.Customers.Erase(id); return err }),
	"customer.Tx.SetHold": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		return tx.Customers.SetHold(id, customer.Hold{Ground: "x"})
	}),
	"customer.Tx.ReleaseHold": write(func(k *kit, tx *clientele.Tx, id customer.ID) error { return tx.Customers.ReleaseHold(id) }),
	"customer.Tx.Record": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		return tx.Customers.Record(id, customer.Event{Type: "order"})
	}),
	"customer.Tx.Assign": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Customers.Assign(id, k.east, "")
		return err
	}),
	"customer.Tx.Merge": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		keep := func(survivor, _ *customer.Customer) (*customer.Customer, error) { return survivor, nil }
		_, err := tx.Customers.Merge(id, []customer.ID{k.absent + 1}, keep)
		if id == k.seen && !errors.Is(err, customer.ErrDenied) {
			return nil // the other one doesn't exist
		}
		return err
	}),
	"customer.Tx.Discard": write(func(k *kit, tx *clientele.Tx, id customer.ID) error { return tx.Customers.Discard(id, 1) }),
	"customer.Tx.Unmerge": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, _, err := tx.Customers.Unmerge(id)
		return err
	}),
	"customer.Tx.Create": guarded(func(k *kit, tx *clientele.Tx) error {
		_, err := tx.Customers.Create(customer.Draft{Name: "New", Owner: k.north})
		return err
	}),
	"customer.Tx.SetSchema": guarded(func(k *kit, tx *clientele.Tx) error {
		s, err := tx.Customers.Schema()
		if err != nil {
			return err
		}
		return tx.Customers.SetSchema(s)
	}),
	"customer.Tx.Guard":   {open: "only refuses"},
	"customer.Tx.OnErase": {open: "is called after an erasure that was permitted"},
}

var everybody = tagging.Query{Statuses: customer.AllStatuses()}

var taggingRows = map[string]row{
	"tagging.Reader.Of":      read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return tx.Tags.Of(id) }),
	"tagging.Reader.At":      read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return tx.Tags.At(id, time.Now()) }),
	"tagging.Reader.History": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) { return tx.Tags.History(id) }),
	"tagging.Reader.Facet": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		var facets []any
		for _, field := range []string{"city", "rep", "attr.secret"} {
			f, err := tx.Tags.Facet(everybody, tagging.Axis{Field: field})
			if err != nil {
				return nil, err
			}
			facets = append(facets, f)
		}
		return facets, nil
	}),
	"tagging.Reader.CrossTab": read(func(k *kit, tx *clientele.Tx, id customer.ID) (any, error) {
		return tx.Tags.CrossTab(everybody, tagging.Axis{Field: "province"}, tagging.Axis{Field: "level"})
	}),
	"tagging.Reader.Count": numbered(0, 12, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		for _, filter := range []string{"level:vip", "has:phone", "city:\"Zkanari city\"", "has:note", "attr.turnover:5", "rep:zkanari.rep"} {
			one, err := tx.Tags.Count(tagging.Query{Filter: filter})
			if n += one; err != nil {
				return n, err
			}
		}
		return n, nil
	}),
	"tagging.Reader.IDs": numbered(1, 2, func(k *kit, tx *clientele.Tx) (int64, error) { return count(tx.Tags.IDs(everybody, 0)) }),
	"tagging.Reader.Page": numbered(1, 2, func(k *kit, tx *clientele.Tx) (int64, error) {
		ids, _, err := tx.Tags.Page(everybody, 0, 9)
		return int64(len(ids)), err
	}),
	"tagging.Reader.Set": numbered(1, 2, func(k *kit, tx *clientele.Tx) (int64, error) {
		s, err := tx.Tags.Set(everybody)
		return s.Len(), err
	}),
	"tagging.Reader.Sample": numbered(1, 2, func(k *kit, tx *clientele.Tx) (int64, error) {
		ids, err := tx.Tags.Sample(everybody, 9, 1)
		return int64(len(ids)), err
	}),
	"tagging.Reader.Contains": numbered(0, 2, func(k *kit, tx *clientele.Tx) (n int64, err error) {
		for _, id := range []customer.ID{k.seen, k.unseen} {
			in, err := tx.Tags.Contains(tagging.Query{Filter: "level:vip"}, id)
			if err != nil {
				return n, err
			}
			if in {
				n++
			}
		}
		return n, nil
	}),
	"tagging.Reader.Figures": numbered(0, 10, func(k *kit, tx *clientele.Tx) (int64, error) {
		f, err := tx.Tags.Figures(everybody, tagging.Axis{Field: "level"}, tagging.Measure{Name: "turnover", Attribute: "turnover"})
		if err != nil {
			return 0, err
		}
		return f.Total.Sums[0].In("").Amount, nil
	}),
	"tagging.Reader.FigureTable": numbered(0, 10, func(k *kit, tx *clientele.Tx) (int64, error) {
		f, err := tx.Tags.FigureTable(everybody, tagging.Axis{Field: "level"}, tagging.Axis{Field: "city"}, tagging.Measure{Name: "turnover", Attribute: "turnover"})
		if err != nil {
			return 0, err
		}
		return f.Total.Sums[0].In("").Amount, nil
	}),
	"tagging.Reader.Hygiene": numbered(1, 2, func(k *kit, tx *clientele.Tx) (int64, error) {
		h, err := tx.Tags.Hygiene(tagging.HygieneOptions{Query: everybody})
		if err != nil {
			return 0, err
		}
		return h.Customers, nil
	}),
	"tagging.Reader.NextDue":       {open: "is that of those whose tags Of shows: TestDueTimesAreThoseInSight in package tagging"},
	"tagging.Reader.Suppose":       {open: "computes from what it is given"},
	"tagging.Reader.Plan":          {open: "tells how a query is evaluated, not what it finds"},
	"tagging.Reader.Now":           {open: "is the time"},
	"tagging.Reader.Edition":       {open: definition},
	"tagging.Reader.Dimension":     {open: definition},
	"tagging.Reader.DimensionByID": {open: definition},
	"tagging.Reader.Dimensions":    {open: definition},
	"tagging.Reader.Tag":           {open: definition},
	"tagging.Reader.TagByID":       {open: definition},
	"tagging.Reader.Tags":          {open: definition},
	"tagging.Reader.Path":          {open: definition},
	"tagging.Reader.Segment":       {open: definition},
	"tagging.Reader.Segments":      {open: definition},
}

var taggingWrites = map[string]row{
	"tagging.Tx.Assign": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Tags.Assign(id, tagging.Assignment{Tag: k.plain})
		return err
	}),
	"tagging.Tx.Replace": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Tags.Replace(id, tagging.Assignment{Tag: k.plain})
		return err
	}),
	"tagging.Tx.Remove": write(func(k *kit, tx *clientele.Tx, id customer.ID) error { _, err := tx.Tags.Remove(id, k.vip); return err }),
	"tagging.Tx.Deny":   write(func(k *kit, tx *clientele.Tx, id customer.ID) error { _, err := tx.Tags.Deny(id, k.vip); return err }),
	"tagging.Tx.Allow":  write(func(k *kit, tx *clientele.Tx, id customer.ID) error { _, err := tx.Tags.Allow(id, k.vip); return err }),
	"tagging.Tx.Settle": write(func(k *kit, tx *clientele.Tx, id customer.ID) error { _, err := tx.Tags.Settle(id); return err }),
	"tagging.Tx.Forget": write(func(k *kit, tx *clientele.Tx, id customer.ID) error { return tx.Tags.Forget(id) }),
	"tagging.Tx.SetRuleTags": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Tags.SetRuleTags(id, "set", nil)
		return err
	}),
	"tagging.Tx.SetAllRuleTags": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Tags.SetAllRuleTags(id, []tagging.RuleTags{{RuleSet: "set"}})
		return err
	}),
	"tagging.Tx.MergeCustomers": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		_, err := tx.Tags.MergeCustomers(id, k.seen+1000)
		if id == k.seen && !errors.Is(err, customer.ErrDenied) {
			return nil // the other one doesn't exist
		}
		return err
	}),
	"tagging.Tx.UnmergeCustomers": write(func(k *kit, tx *clientele.Tx, id customer.ID) error {
		err := tx.Tags.UnmergeCustomers(&tagging.Combination{Survivor: id, Loser: k.seen + 1000})
		if id == k.seen && !errors.Is(err, customer.ErrDenied) {
			return nil // the other one doesn't exist
		}
		return err
	}),
	"tagging.Tx.CreateDimension": guarded(func(k *kit, tx *clientele.Tx) error {
		_, err := tx.Tags.CreateDimension(tagging.Dimension{Code: "new"})
		return err
	}),
	"tagging.Tx.UpdateDimension": guarded(func(k *kit, tx *clientele.Tx) error {
		d, err := tx.Tags.Dimension("level")
		if err != nil {
			return err
		}
		d.Description = "changed"
		_, err = tx.Tags.UpdateDimension(d)
		return err
	}),
	"tagging.Tx.RetireDimension": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Tags.RetireDimension(k.dimension); return err }),
	"tagging.Tx.CreateTag": guarded(func(k *kit, tx *clientele.Tx) error {
		_, err := tx.Tags.CreateTag(tagging.Tag{Dimension: k.dimension, Code: "new"})
		return err
	}),
	"tagging.Tx.UpdateTag": guarded(func(k *kit, tx *clientele.Tx) error {
		tag, err := tx.Tags.Tag("level", "vip")
		if err != nil {
			return err
		}
		tag.Description = "changed"
		_, err = tx.Tags.UpdateTag(tag)
		return err
	}),
	"tagging.Tx.MoveTag":   guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Tags.MoveTag(k.plain, k.vip); return err }),
	"tagging.Tx.RetireTag": guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Tags.RetireTag(k.plain); return err }),
	"tagging.Tx.MergeTag":  guarded(func(k *kit, tx *clientele.Tx) error { _, err := tx.Tags.MergeTag(k.plain, k.vip); return err }),
	"tagging.Tx.SaveSegment": guarded(func(k *kit, tx *clientele.Tx) error {
		_, err := tx.Tags.SaveSegment(tagging.Segment{Name: "mine", Filter: "level:vip"})
		return err
	}),
	"tagging.Tx.RemoveSegment": guarded(func(k *kit, tx *clientele.Tx) error { return tx.Tags.RemoveSegment("none") }),
}

// aRule is a rule set that finds planted values out.
func aRule() classify.RuleSet {
	return classify.RuleSet{Name: "probe", Rules: []classify.Rule{{Name: "all", Dimension: "level", Tag: "plain", Where: "kind:buyer"}}}
}

var sessionRows = map[string]row{
	"clientele.Session.Search": {session: func(k *kit, s *clientele.Session) (any, error) {
		var found []any
		for _, text := range []string{"zkanari", "卡那里", "13800138777", "91350100M000100Y43", "zkanari@example.com", "zkanari.example", "zkanari road", "visible"} {
			r, err := s.Search(k.t.Context(), search.Query{Text: text, Facets: []search.Field{search.FieldCity, search.FieldRep}})
			if err != nil {
				return found, err
			}
			if text != "visible" && r.Total > 0 {
				found = append(found, "zkanari")
			}
			found = append(found, r)
		}
		return found, nil
	}},
	"clientele.Session.Pick": {session: func(k *kit, s *clientele.Session) (any, error) {
		for _, text := range []string{"zkanari", "13800138777", "22099131"} {
			if hits, err := s.Pick(k.t.Context(), search.Query{Text: text}); err != nil || len(hits) > 0 {
				return "zkanari", err
			}
		}
		return nil, nil
	}},
	"clientele.Session.Changes": {session: func(k *kit, s *clientele.Session) (any, error) {
		for c, err := range s.Changes(k.t.Context(), 0) {
			if err != nil {
				return nil, err
			}
			if c.ID == k.unseen {
				return "zkanari", nil
			}
		}
		return nil, nil
	}},
	"clientele.Session.Follow": {session: func(k *kit, s *clientele.Session) (any, error) {
		ctx, stop := context.WithTimeout(k.t.Context(), 200*time.Millisecond)
		defer stop()
		for c, err := range s.Follow(ctx, 0) {
			if err == nil && c.ID == k.unseen {
				return "zkanari", nil
			}
		}
		return nil, nil
	}},
	"clientele.Session.Hygiene": {session: func(k *kit, s *clientele.Session) (any, error) {
		h, err := s.Hygiene(k.t.Context(), tagging.HygieneOptions{})
		if err == nil && h.Customers > 1 {
			return "zkanari", nil
		}
		return h, err
	}},
	"clientele.Session.Load": {session: func(k *kit, s *clientele.Session) (any, error) {
		taken := func(yield func(customer.Draft, error) bool) {
			yield(customer.Draft{Name: "Loaded", Owner: k.east, Code: "new", SourceKeys: []customer.SourceKey{{System: "erp", Key: "zkanari-V1"}}}, nil)
		}
		var refused customer.ID
		_, err := s.Load(k.t.Context(), customer.LoadOptions{Refused: func(_ int, err error) {
			var d *customer.DuplicateError
			if errors.As(err, &d) {
				refused = d.Holder
			}
		}}, taken)
		if refused == k.seen {
			return "zkanari", err
		}
		if errors.Is(err, customer.ErrDenied) {
			err = nil
		}
		return nil, err
	}},
	"clientele.Session.ExplainAccess": {session: func(k *kit, s *clientele.Session) (any, error) {
		x, err := s.ExplainAccess(k.t.Context(), "root", customer.RightRead, customer.Identity, k.unseen)
		if err == nil && x.Allowed {
			return "zkanari", nil
		}
		return nil, err
	}},
	"clientele.Session.Rules":     {open: handle},
	"clientele.Session.View":      {open: handle},
	"clientele.Session.Update":    {open: handle},
	"clientele.Session.Job":       {open: "is bound to the session: TestJobsObeyAccess"},
	"clientele.Session.OrgJob":    {open: "is bound to the session, as package orgtree proves"},
	"clientele.Session.DedupeJob": {open: "begins every transaction as Update does"},
	"clientele.Session.Sync":      {open: "only waits"},

	"clientele.RuleSession.Explain": {session: func(k *kit, s *clientele.Session) (any, error) {
		x, err := s.Rules().Explain(k.t.Context(), k.unseen, classify.TagRef{Dimension: "level", Tag: "vip"})
		return x, err
	}},
	"clientele.RuleSession.DryRun": {session: func(k *kit, s *clientele.Session) (any, error) {
		x, err := s.Rules().DryRun(k.t.Context(), classify.Trial{RuleSet: aRule()})
		if x.Evaluated > 1 {
			return "zkanari", err
		}
		return x, err
	}},
	"clientele.RuleSession.Replay": {session: func(k *kit, s *clientele.Session) (any, error) {
		x, err := s.Rules().Replay(k.t.Context(), classify.Trial{RuleSet: aRule(), At: time.Now()})
		if x.Evaluated > 1 {
			return "zkanari", err
		}
		return x, err
	}},
	"clientele.RuleSession.Deltas": {session: func(k *kit, s *clientele.Session) (any, error) {
		for d, err := range s.Rules().Deltas(k.t.Context(), classify.Trial{RuleSet: aRule()}) {
			if err != nil {
				return nil, err
			}
			if d.Customer == k.unseen {
				return "zkanari", nil
			}
		}
		return nil, nil
	}},
	"clientele.RuleSession.Evaluate": {session: func(k *kit, s *clientele.Session) (any, error) {
		done, err := s.Rules().Evaluate(k.t.Context(), classify.Bulk{})
		if done.Total > 1 {
			return "zkanari", err
		}
		return done, err
	}},
	"clientele.RuleSession.Activate": {denied: func(k *kit, s *clientele.Session) error {
		_, err := s.Rules().Activate(k.t.Context(), aRule(), nil)
		return err
	}},
	"clientele.RuleSession.Deactivate": {denied: func(k *kit, s *clientele.Session) error {
		_, err := s.Rules().Deactivate(k.t.Context(), "probe", nil)
		return err
	}},
	"clientele.RuleSession.Release": {denied: func(k *kit, s *clientele.Session) error {
		_, err := s.Rules().Release(k.t.Context(), "probe", "all", nil)
		return err
	}},
	"clientele.RuleSession.Statistics": {denied: func(k *kit, s *clientele.Session) error {
		_, err := s.Rules().Statistics(k.t.Context())
		return err
	}},
	"clientele.RuleSession.Failures": {denied: func(k *kit, s *clientele.Session) error {
		_, err := s.Rules().Failures(k.t.Context())
		return err
	}},
	"clientele.RuleSession.RuleSets": {open: definition},
}

var storageRows = map[string]row{
	"storage.Reader.Context":  {open: "is the caller's own"},
	"storage.Reader.Position": {open: "a number of the journal"},
	"storage.Reader.Beside":   {open: "is a Reader, which shows no customer"},
	"storage.Reader.Era":      {open: "tells whether two states are of one span of time"},
	"storage.Reader.Recency":  {open: "tells which state is the later one"},
	"storage.Reader.Writing":  {open: "tells what kind of transaction it is"},
	"storage.Tx.Now":          {open: "is the time"},
	"storage.Tx.Session":      {open: "is the caller's own"},
}
