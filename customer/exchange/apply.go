package exchange

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

var (
	errAmbiguous  = errors.New("fields lead to different customers")
	errNoCustomer = errors.New("no such customer")
	errPresent    = errors.New("the book has the customer")
	errOtherCode  = errors.New("an earlier row gives the customer another code")
)

func ignoreAmbiguous(err error) error {
	if errors.Is(err, errAmbiguous) {
		return nil
	}
	return err
}

// refusal reports errors of other packages that are about a row's values.
func refusal(err error) bool {
	var tag *tagging.Error
	var unit *orgtree.Error
	return errors.As(err, &tag) || errors.As(err, &unit) && !errors.Is(err, orgtree.ErrQuota)
}

func foldCode(code string) string { return text.Fold(code) }

// find1 returns the one customer that the line's identifying fields lead to, 0 if there
// is none. If they lead to several it returns errAmbiguous, and whom the surest leads to.
func (r *run) find1(tx *Reader, l *line) (found customer.ID, err error) {
	for _, f := range r.match {
		id, err := find(tx, f, l.checked)
		if err != nil {
			return 0, err
		}
		if found != 0 && id != 0 && id != found {
			return found, fmt.Errorf("%w: %d and %d", errAmbiguous, found, id)
		}
		if found == 0 {
			found = id
		}
	}
	return found, nil
}

// find returns the customer that has a field's value, 0 if there is none.
func find(tx *Reader, f Field, c *customer.Customer) (customer.ID, error) {
	ids := map[customer.ID]bool{}
	take := func(found *customer.Customer, err error) error {
		if err == nil {
			ids[found.ID] = true
		}
		if isNotFound(err) {
			return nil
		}
		return err
	}
	var err error
	if f == Code && c.Code != "" {
		err = take(tx.Customers.ByCode(c.Code))
	}
	scheme, ok := f.under(identifierOf)
	for _, x := range c.Identifiers {
		if err == nil && (ok && x.Scheme == scheme || f == AnyIdentifier) {
			err = take(tx.Customers.ByIdentifier(x.Scheme, x.Value))
		}
	}
	system, ok := f.under(sourceOf)
	for _, x := range c.SourceKeys {
		if err == nil && ok && x.System == system {
			err = take(tx.Customers.BySourceKey(x.System, x.Key))
		}
	}
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	if len(ids) > 1 {
		return 0, fmt.Errorf("%w by %s", errAmbiguous, f)
	}
	for id := range ids {
		return id, nil
	}
	return 0, nil
}

// apply settles a line in a transaction, in which the lines of some customers gave them codes.
func (r *run) apply(tx *Tx, l *line, coded map[customer.ID]bool) (fate, error) {
	if l.entry != nil {
		return l.entry.apply(r, tx, l)
	}
	id, err := r.find1(&tx.Reader, l)
	l.found = id
	if err != nil {
		return fate{}, err
	}
	if id != 0 {
		if r.im.Mode == CreateOnly {
			return fate{}, fmt.Errorf("%w: customer %d", errPresent, id)
		}
		if err := r.checkCode(tx, l, id, coded); err != nil {
			return fate{}, err
		}
		return r.change(tx, l, id, false)
	}
	if r.im.Mode == UpdateOnly {
		return fate{}, errNoCustomer
	}
	twin, err := r.twin(tx, l)
	if err != nil {
		return fate{}, err
	}
	if twin != 0 && r.im.Duplicates == SkipDuplicates {
		return fate{outcome: Duplicate, twin: twin}, nil
	}
	if twin != 0 && r.im.Duplicates == MergeDuplicates {
		return r.change(tx, l, twin, true)
	}
	if tx.Confirm != nil && r.im.Duplicates >= FlagDuplicates {
		tx.Confirm() // whoever imports has decided
	}
	c, err := tx.Customers.Create(l.draft)
	if err != nil {
		return fate{}, err
	}
	f := fate{outcome: Created, id: c.ID, version: c.Version, twin: twin}
	if err := r.tag(tx, l, &f); err != nil {
		return fate{}, err
	}
	if twin != 0 && tx.Flag != nil {
		err = tx.Flag(c.ID, twin)
	}
	return f, err
}

// twin returns the customer that a new one would duplicate, 0 if there is none.
func (r *run) twin(tx *Tx, l *line) (customer.ID, error) {
	if r.im.Duplicates == AllowDuplicates {
		return 0, nil
	}
	id, err := r.Twin(&tx.Reader, l.checked)
	if isNotFound(err) {
		return 0, nil
	}
	return id, err
}

// change updates a customer by a line. onlyAdd leaves alone what the customer has.
func (r *run) change(tx *Tx, l *line, id customer.ID, onlyAdd bool) (fate, error) {
	c, err := tx.Customers.Get(id)
	if err != nil {
		return fate{}, err
	}
	before := c.Version
	if r.im.Sync != nil && r.im.Sync.Archive && c.Status == customer.Archived { // it is back on the list
		if c, err = tx.Customers.Reactivate(id); err != nil {
			return fate{}, err
		}
	}
	name := c.Name
	e := editor{c: c, l: l, mapping: r.converter.mapping, onlyAdd: onlyAdd, clear: r.im.Clear && !onlyAdd}
	e.edit()
	if r.im.FormerNames && c.Name != name && !slices.Contains(c.Aliases, name) {
		c.Aliases = append(c.Aliases, name)
	}
	if c, err = tx.Customers.Update(c); err != nil {
		return fate{}, err
	}
	f := fate{outcome: Unchanged, id: id, version: c.Version, former: before}
	if err := r.tag(tx, l, &f); err != nil {
		return fate{}, err
	}
	if c.Version != before || len(f.tags) > 0 {
		f.outcome = Updated
	}
	if onlyAdd {
		f.twin = id
	}
	return f, nil
}

// tag gives the customer the line's tags, if it hasn't all of them. They take the place of
// those that imports gave in the dimensions.
func (r *run) tag(tx *Tx, l *line, f *fate) error {
	if len(l.tags) == 0 {
		return nil
	}
	before, err := tx.Tags.Of(f.id)
	if err != nil {
		return err
	}
	imported := func(tag tagging.TagID) bool {
		return slices.ContainsFunc(before.Assignments, func(a tagging.Assignment) bool { return a.Tag == tag && a.Origin == tagging.Imported })
	}
	var list []tagging.Assignment
	var given []tagging.TagID
	lacking := false
	for _, t := range l.tags {
		tag, err := tx.Tags.Tag(t.dimension, t.tag)
		if err != nil {
			return err
		}
		list = append(list, tagging.Assignment{Tag: tag.ID, Origin: tagging.Imported})
		lacking = lacking || !before.Has(tag.ID)
		if !imported(tag.ID) {
			given = append(given, tag.ID)
		}
	}
	if !lacking {
		return nil
	}
	after, err := tx.Tags.Replace(f.id, list...)
	if err == nil && after.Version != before.Version {
		f.tags, f.tagged = given, before.Version
	}
	return err
}

// editor changes a customer as a line says.
type editor struct {
	c       *customer.Customer
	l       *line
	mapping *Mapping
	onlyAdd bool // what the customer has stays
	clear   bool // empty cells clear
}

func (e *editor) edit() {
	c, n := e.c, e.l.checked
	e.set(Code, &c.Code, n.Code)
	e.set(Name, &c.Name, n.Name)
	if e.mapping.has(Country) {
		e.set(Country, &c.Country, n.Country)
	}
	e.set(Website, &c.Website, n.Website)
	e.set(Note, &c.Note, n.Note)
	e.set(Rep, &c.Rep, n.Rep)
	if e.given(Owner) && (!e.onlyAdd || c.Owner == 0) {
		c.Owner = n.Owner
	}
	if e.given(KindOf) && !e.onlyAdd {
		c.Kind = n.Kind
	}
	if e.given(PartyOf) && !e.onlyAdd {
		c.Party = n.Party
	}
	e.lists()
	for _, a := range n.Attributes {
		if _, has := c.Attribute(a.Name); !has || !e.onlyAdd {
			c.SetAttribute(a.Name, a.Value)
		}
	}
	if e.clear {
		e.clearAttributes()
	}
}

// given reports whether a column of a field has a value in the line.
func (e *editor) given(f Field) bool {
	for _, c := range e.mapping.Columns {
		if slices.Contains(c.all(), f) && slices.Contains(e.l.columns, c.Column) {
			return true
		}
	}
	return false
}

func (e *editor) set(f Field, to *string, value string) {
	switch {
	case value == "" && !(e.clear && e.mapping.has(f) && f != Code && f != Name):
	case e.onlyAdd && *to != "":
	case f == Note && value != "" && strings.Contains(*to, value):
		// A note that was added to keeps what stands in it.
	default:
		*to = value
	}
}

// lists brings in what the line has more of. A phone, e-mail or address takes the place
// of the only one with its label.
func (e *editor) lists() {
	c, n := e.c, e.l.checked
	for _, x := range n.Aliases {
		if !slices.Contains(c.Aliases, x) && x != c.Name {
			c.Aliases = append(c.Aliases, x)
		}
	}
	for _, x := range n.Identifiers {
		e.identifier(x)
	}
	for _, x := range n.SourceKeys {
		e.sourceKey(x)
	}
	c.Phones = bring(c.Phones, n.Phones, e.onlyAdd, func(p customer.Phone) string { return p.Label },
		func(a, b customer.Phone) bool {
			return a.Number == b.Number || a.E164 != "" && a.E164 == b.E164 && a.Extension == b.Extension
		})
	c.Emails = bring(c.Emails, n.Emails, e.onlyAdd, func(m customer.Email) string { return m.Label },
		func(a, b customer.Email) bool { return strings.EqualFold(a.Address, b.Address) })
	c.Addresses = bring(c.Addresses, n.Addresses, e.onlyAdd, func(a customer.Address) string { return a.Label },
		func(a, b customer.Address) bool { return text.Fold(a.Text) == text.Fold(b.Text) })
	c.Contacts = bring(c.Contacts, n.Contacts, e.onlyAdd, func(customer.Contact) string { return "" },
		func(a, b customer.Contact) bool {
			return a.Name == b.Name && a.Role == b.Role && a.Phone == b.Phone && a.Email == b.Email
		})
}

// bring returns the customer's list with what the file's has more of.
func bring[T any](has, file []T, onlyAdd bool, label func(T) string, same func(a, b T) bool) []T {
	for _, x := range file {
		if slices.ContainsFunc(has, func(y T) bool { return same(x, y) }) {
			continue
		}
		alike := func(y T) bool { return label(y) == label(x) }
		if !onlyAdd && count(has, alike) == 1 && count(file, alike) == 1 {
			has[slices.IndexFunc(has, alike)] = x
			continue
		}
		has = append(has, x)
	}
	return has
}

func count[T any](list []T, is func(T) bool) int {
	n := 0
	for _, x := range list {
		if is(x) {
			n++
		}
	}
	return n
}

// identifier takes the place of the only one of its scheme.
func (e *editor) identifier(x customer.Identifier) {
	list := e.c.Identifiers
	alike := func(y customer.Identifier) bool { return y.Scheme == x.Scheme }
	switch {
	case slices.ContainsFunc(list, func(y customer.Identifier) bool { return alike(y) && y.Value == x.Value }):
	case !e.onlyAdd && count(list, alike) == 1:
		list[slices.IndexFunc(list, alike)] = x
	default:
		e.c.Identifiers = append(list, x)
	}
}

// sourceKey adds an id of another system; one customer may have several there.
func (e *editor) sourceKey(x customer.SourceKey) {
	if !slices.ContainsFunc(e.c.SourceKeys, func(y customer.SourceKey) bool { return y.System == x.System && y.Key == x.Key }) {
		e.c.SourceKeys = append(e.c.SourceKeys, x)
	}
}

func (e *editor) clearAttributes() {
	e.c.Attributes = slices.DeleteFunc(e.c.Attributes, func(a customer.Attribute) bool {
		f := Field(attributeOf + a.Name)
		return e.mapping.has(f) && !e.given(f)
	})
}
