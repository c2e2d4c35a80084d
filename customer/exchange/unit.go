package exchange

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/orgtree"
)

// unitRows reads units of the organisation.
type unitRows struct{}

var unitFields = []plainField{
	{Code, []string{"code", "unit code", "unit no", "organisation code", "department code", "branch code", "id", "no", "编码", "组织编码", "部门编码", "单位编码", "组织代码", "部门代码", "编号"}},
	{Name, []string{"name", "unit name", "unit", "department", "branch", "organisation", "名称", "组织名称", "部门名称", "部门", "组织", "单位名称", "分公司", "分公司名称"}},
	{UnitNameEnglish, []string{"english name", "name in english", "英文名称", "英文名"}},
	{UnitParent, []string{"parent", "parent code", "parent unit", "superior", "reports to", "上级", "上级编码", "上级组织", "上级部门", "上级部门编码", "上级组织编码", "所属组织", "父级编码"}},
	{UnitKind, []string{"kind", "type", "unit type", "level", "类型", "组织类型", "组织形态", "部门类型", "性质"}},
	{UnitQuota, []string{"quota", "most customers", "客户上限", "客户配额", "限额"}},
}

func (unitRows) fields() []plainField { return unitFields }
func (unitRows) required() [][]Field  { return [][]Field{{Code}} }
func (unitRows) about() bool          { return false }

func (unitRows) put(_ *converter, l *line, column int, f Field, value string) bool {
	return l.set(f, column, value)
}

// unitKinds are the words for kinds of units, the first as package orgtree says it.
var unitKinds = [][]string{
	{"group", "holding", "headquarters", "集团", "总部", "总公司"}, {"company", "subsidiary", "legal entity", "公司", "子公司", "法人公司", "法人"},
	{"branch", "office", "store", "分公司", "分支机构", "门店", "办事处"}, {"department", "division", "部门", "事业部"}, {"team", "group of people", "团队", "小组", "班组"},
	{"region", "area", "大区", "区域", "片区"},
}

func (unitRows) finish(_ *converter, l *line) entry {
	e := &unitEntry{code: l.cells[Code].text, parent: l.cells[UnitParent].text, names: customer.Names{}}
	if e.code == "" {
		l.bad(Code, customer.CodeRequired, "is missing", "give each unit its code")
	}
	if name := l.cells[Name].text; name != "" {
		e.names[languageOf(name)] = name
	}
	if name := l.cells[UnitNameEnglish].text; name != "" {
		e.names["en"] = name
	}
	if v := l.cells[UnitKind].text; v != "" {
		word, known := wordOf(v, unitKinds)
		if e.kind = new(orgtree.Kind); !known || e.kind.UnmarshalText([]byte(word)) != nil {
			l.bad(UnitKind, customer.CodeUnknown, "is no kind of unit", "one of group, company, branch, department, team, region")
		}
	}
	if v := l.cells[UnitQuota].text; v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if e.quota = &n; err != nil || n < 0 {
			l.bad(UnitQuota, customer.CodeMalformed, "is no number of customers", "a whole number, 0 for no limit")
		}
	}
	if l.refused {
		return nil
	}
	return e
}

// languageOf tells the language of a name by its script.
func languageOf(name string) string {
	for _, r := range name {
		if unicode.Is(unicode.Han, r) {
			return "zh-Hans"
		}
	}
	return "en"
}

// unitEntry is a unit on its way into the book. What the file doesn't say stays.
type unitEntry struct {
	code, parent string
	names        customer.Names
	kind         *orgtree.Kind
	quota        *int64
}

// parentsFirst puts units behind those of the same lines that they are below.
func parentsFirst(lines []*line) []*line {
	byCode := map[string]*line{}
	for _, l := range lines {
		if e, ok := l.entry.(*unitEntry); ok {
			byCode[text.Fold(e.code)] = l
		}
	}
	order := make([]*line, 0, len(lines))
	placed := map[*line]bool{}
	var place func(l *line)
	place = func(l *line) {
		if placed[l] {
			return
		}
		placed[l] = true // before its parent: a circle ends here, and the book refuses it
		if e, ok := l.entry.(*unitEntry); ok {
			if above := byCode[text.Fold(e.parent)]; above != nil && e.parent != "" {
				place(above)
			}
		}
		order = append(order, l)
	}
	for _, l := range lines {
		place(l)
	}
	return order
}

func (e *unitEntry) apply(r *run, tx *Tx, l *line) (fate, error) {
	parent, err := e.above(tx, l)
	if err != nil {
		return fate{}, err
	}
	u, err := tx.Org.UnitByCode(e.code)
	if errors.Is(err, customer.ErrNotFound) {
		return e.create(r, tx, parent)
	}
	if err != nil {
		return fate{}, err
	}
	if r.im.Mode == CreateOnly {
		return fate{}, fmt.Errorf("%w: unit %s", errPresent, e.code)
	}
	before := u.Version
	if e.edit(u) {
		if u, err = tx.Org.UpdateUnit(u); err != nil {
			return fate{}, err
		}
	}
	if e.parent != "" && u.Parent != parent {
		if u, err = tx.Org.MoveUnit(u.ID, parent, time.Time{}); err != nil {
			return fate{}, err
		}
	}
	f := fate{outcome: Unchanged, entry: uint64(u.ID), version: u.Version, former: before}
	if u.Version != before {
		f.outcome = Updated
	}
	return f, nil
}

// edit changes a unit as the row says, and reports whether anything is changed.
func (e *unitEntry) edit(u *orgtree.Unit) (changed bool) {
	for tag, name := range e.names {
		if u.Names[tag] != name {
			u.Names, changed = setName(u.Names, tag, name), true
		}
	}
	if e.kind != nil && u.Kind != *e.kind {
		u.Kind, changed = *e.kind, true
	}
	if e.quota != nil && u.Quota != *e.quota {
		u.Quota, changed = *e.quota, true
	}
	return changed
}

func setName(names customer.Names, tag, name string) customer.Names {
	next := customer.Names{tag: name}
	for other, n := range names {
		if other != tag {
			next[other] = n
		}
	}
	return next
}

func (e *unitEntry) create(r *run, tx *Tx, parent customer.UnitID) (fate, error) {
	if r.im.Mode == UpdateOnly {
		return fate{}, errNoUnit
	}
	u := orgtree.Unit{Code: e.code, Names: e.names, Parent: parent}
	if len(u.Names) == 0 {
		u.Names = customer.Names{"en": e.code}
	}
	if e.kind != nil {
		u.Kind = *e.kind
	}
	if e.quota != nil {
		u.Quota = *e.quota
	}
	created, err := tx.Org.CreateUnit(u)
	if err != nil {
		return fate{}, err
	}
	return fate{outcome: Created, entry: uint64(created.ID), version: created.Version}, nil
}

var errNoUnit = errors.New("no such unit")

// above returns the unit that the row's is below, 0 for the book.
func (e *unitEntry) above(tx *Tx, l *line) (customer.UnitID, error) {
	if e.parent == "" {
		return 0, nil
	}
	u, err := tx.Org.UnitByCode(e.parent)
	if err == nil {
		return u.ID, nil
	}
	if !errors.Is(err, customer.ErrNotFound) {
		return 0, err
	}
	units, err := tx.units()
	if err != nil {
		return 0, err
	}
	if id, known := units[text.Fold(e.parent)]; known {
		return id, nil
	}
	return 0, &cellError{field: UnitParent, code: customer.CodeUnknown, detail: "is no unit", remedy: "give the code of a unit of the book or of this file"}
}

// undoUnit closes a unit that was created, or gives one that was changed its former
// content and place.
func undoUnit(tx *Tx, row *settled) error {
	id := customer.UnitID(row.entry)
	if row.outcome == Created {
		_, err := tx.Org.CloseUnit(id, time.Time{})
		return err
	}
	history, err := tx.Org.UnitHistory(id)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(history, func(u *orgtree.Unit) bool { return u.Version == row.former })
	present, err := tx.Org.Unit(id)
	if err != nil || at < 0 {
		return err
	}
	former := history[at]
	present.Names, present.Kind, present.Quota = former.Names, former.Kind, former.Quota
	if _, err := tx.Org.UpdateUnit(present); err != nil {
		return err
	}
	if parent := former.Moves[len(former.Moves)-1].Parent; parent != present.Parent {
		_, err = tx.Org.MoveUnit(id, parent, time.Time{})
	}
	return err
}
