package orgtree

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
)

// FindingKind is what an access review finds.
type FindingKind uint8

const (
	Unused     FindingKind = iota // a grant that was not used
	Wider                         // a grant of whose rights some were not used
	Expired                       // a grant whose time has ended
	Orphaned                      // a grant of a disabled principal, or on a unit that is closed
	Conflict                      // a principal with duties that exclude each other, delegated ones too
	SelfGiven                     // a grant that the holder gave to itself
	Everything                    // a grant of every right on the whole book
	Widened                       // a grant on a unit that was merged since: it holds in all of the survivor
	Overdue                       // a campaign that is open after its due date; the principal is its reviewer

	findingKinds = iota
)

var findingNames = enum.Names{"unused", "wider", "expired", "orphaned", "conflict", "self given", "everything", "widened", "overdue"}

func (k FindingKind) String() string { return findingNames.Of(uint8(k)) }

// Finding is one thing that a review finds.
type Finding struct {
	Kind      FindingKind
	Principal string
	Grant     *Grant           // nil for a conflict and a campaign
	Campaign  *Campaign        // of Overdue
	Rights    []customer.Right // not used, or those in conflict
	Since     time.Time        // from when on it was not used, or when it expired, became wider or was due
	What      string           // for Orphaned: "principal disabled", "unit closed"
	Through   string           // for Conflict: by whose delegation there is one, empty without
}

// Duties are two permissions that one principal should not have both, such as to set
// limits and to approve them.
type Duties [2]Permission

// ReviewOptions say what a review looks for. The zero value is 90 days without conflicts.
type ReviewOptions struct {
	UnusedDays int             // 0 is 90
	Conflicts  []Duties        // the matrix
	Unit       customer.UnitID // of the grants whose scope names it or a unit below; 0 for all
}

// Review looks through all grants. What counts as used is told at [Use]; what was used
// since the last [Store.FlushUses] isn't known yet. A grant is not blamed for disuse
// before it is as old as UnusedDays. It needs the right to review or to administer the
// whole book, and costs some tens of microseconds for each grant.
func (r *Reader) Review(opts ReviewOptions) ([]Finding, error) {
	if err := r.mayReview(); err != nil {
		return nil, err
	}
	tree, err := r.Tree()
	if err != nil {
		return nil, err
	}
	if opts.UnusedDays == 0 {
		opts.UnusedDays = 90
	}
	v := &reviewer{Reader: r, tree: tree, opts: opts, since: r.now().AddDate(0, 0, -opts.UnusedDays), held: map[string][]duty{}}
	for g, err := range r.Grants() {
		if err != nil {
			return nil, err
		}
		if opts.Unit != 0 && (g.Scope.Unit == 0 || !tree.Contains(opts.Unit, g.Scope.Unit)) {
			continue
		}
		if err := v.grant(g); err != nil {
			return nil, err
		}
	}
	if err := v.delegated(); err != nil {
		return nil, err
	}
	v.conflicts()
	return v.found, v.overdue()
}

// reviewer collects findings.
type reviewer struct {
	*Reader
	tree  *Tree
	opts  ReviewOptions
	since time.Time
	held  map[string][]duty // by principal
	found []Finding
}

// duty is a role that a principal has.
type duty struct {
	grant GrantID
	role  *Role
	from  string // who delegated it, empty for its own
}

func (v *reviewer) add(kind FindingKind, g *Grant, f Finding) {
	f.Kind, f.Principal, f.Grant = kind, g.Principal, g
	v.found = append(v.found, f)
}

func (v *reviewer) grant(g *Grant) error {
	role, err := v.Role(g.Role)
	if err != nil {
		return err
	}
	if !g.Until.IsZero() && !v.now().Before(g.Until) {
		v.add(Expired, g, Finding{Since: g.Until})
		return nil
	}
	who, err := v.principal(g.Principal)
	if err != nil {
		return err
	}
	if what := v.orphan(g, who); what != "" {
		v.add(Orphaned, g, Finding{What: what})
		return nil
	}
	if g.Deny {
		return nil
	}
	if g.Actor == g.Principal {
		v.add(SelfGiven, g, Finding{})
	}
	if g.Scope.All && role.permits(AnyRight) == allData {
		v.add(Everything, g, Finding{})
	}
	if at, wider := v.widened(g); wider {
		v.add(Widened, g, Finding{Since: at})
	}
	if g.at(v.now()) {
		v.held[g.Principal] = append(v.held[g.Principal], duty{grant: g.ID, role: role})
	}
	return v.use(g, role)
}

// orphan says why a grant has no effect, "" when it has.
func (v *reviewer) orphan(g *Grant, who *Principal) string {
	switch {
	case who.Version == 0 || who.Disabled:
		return "principal disabled"
	case g.Scope.Unit == 0:
		return ""
	}
	if u, found := v.tree.Unit(v.tree.Resolve(g.Scope.Unit)); found && u.closedAt(v.now()) {
		return "unit closed"
	}
	return ""
}

func (v *reviewer) use(g *Grant, role *Role) error {
	began := g.Recorded
	if g.From.After(began) {
		began = g.From
	}
	if began.After(v.since) {
		return nil
	}
	stored, err := v.uses(g.ID)
	if err != nil {
		return err
	}
	used := map[customer.Right]bool{}
	for _, u := range stored {
		if !u.Last.Before(v.since.Truncate(24 * time.Hour)) {
			used[u.Right] = true
		}
	}
	if len(used) == 0 {
		v.add(Unused, g, Finding{Since: v.since})
		return nil
	}
	if rights := unusedRights(role, used); len(rights) > 0 {
		v.add(Wider, g, Finding{Rights: rights, Since: v.since})
	}
	return nil
}

// unusedRights returns the rights of a role that were not used, sorted.
func unusedRights(role *Role, used map[customer.Right]bool) (rights []customer.Right) {
	for _, p := range role.Permissions {
		named := []customer.Right{p.Right}
		if p.Right == AnyRight {
			named = customer.Rights()
		}
		for _, right := range named {
			known := slices.Contains(rightPlaces, right)
			if !used[right] && (known || !used[AnyRight]) {
				rights = append(rights, right)
			}
		}
	}
	slices.Sort(rights)
	return slices.Compact(rights)
}

// delegated adds to each principal's duties those that are delegated to it now.
func (v *reviewer) delegated() error {
	lent := map[string][]duty{}
	for d, err := range v.Delegations() {
		if err != nil {
			return err
		}
		to, err := v.principal(d.To)
		if err != nil {
			return err
		}
		if !d.at(v.now()) || to.Version == 0 || to.Disabled {
			continue
		}
		for _, own := range v.held[d.From] {
			if d.covers(own.grant) {
				lent[d.To] = append(lent[d.To], duty{own.grant, own.role, d.From})
			}
		}
	}
	for id, duties := range lent {
		v.held[id] = append(v.held[id], duties...)
	}
	return nil
}

// overdue adds the campaigns on the units that are reviewed which should be over.
func (v *reviewer) overdue() error {
	for c, err := range v.Campaigns() {
		if err != nil {
			return err
		}
		if c.Overdue(v.now()) && (v.opts.Unit == 0 || c.Unit != 0 && v.tree.Contains(v.opts.Unit, c.Unit)) {
			v.found = append(v.found, Finding{Kind: Overdue, Principal: c.Reviewer, Campaign: c, Since: c.Due})
		}
	}
	return nil
}

// conflicts adds the principals that hold both of two duties.
func (v *reviewer) conflicts() {
	for _, id := range slices.Sorted(maps.Keys(v.held)) {
		for _, pair := range v.opts.Conflicts {
			one, holds := holdsDuty(v.held[id], pair[0])
			other, both := holdsDuty(v.held[id], pair[1])
			if holds && both {
				v.found = append(v.found, Finding{Kind: Conflict, Principal: id, Rights: []customer.Right{pair[0].Right, pair[1].Right}, Through: cmp.Or(one.from, other.from)})
			}
		}
	}
}

// holdsDuty returns the first duty by which a permission is held: own ones come first.
func holdsDuty(list []duty, p Permission) (duty, bool) {
	kinds := dataSetOf(p.Data...)
	if len(p.Data) == 0 {
		kinds = allData
	}
	i := slices.IndexFunc(list, func(x duty) bool { return x.role.permits(p.Right)&kinds != 0 })
	if i < 0 {
		return duty{}, false
	}
	return list[i], true
}

// Text tells the finding to people, in Chinese for a Chinese tag, otherwise in English.
func (f Finding) Text(tag language.Tag) string {
	words := wordsOf(tag)
	values := map[string]string{"principal": f.Principal, "since": f.Since.Format(time.DateOnly), "what": words.what(f.What)}
	var rights []string
	for _, right := range f.Rights {
		rights = append(rights, words.right(right))
	}
	values["rights"] = strings.Join(rights, words.comma)
	if f.Grant != nil {
		values["grant"], values["role"] = strconv.FormatUint(uint64(f.Grant.ID), 10), f.Grant.Role
	}
	if f.Campaign != nil {
		values["campaign"] = f.Campaign.Name
	}
	if int(f.Kind) >= len(words.findings) {
		return f.Kind.String()
	}
	text := words.findings[f.Kind]
	if f.Through != "" {
		values["from"] = f.Through
		text += words.through
	}
	return words.fill(text, values)
}
