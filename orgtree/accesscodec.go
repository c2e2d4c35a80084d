package orgtree

import (
	"maps"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// The stored fields of access. A number is never used again for another meaning.
const (
	principalKind     = 1
	principalName     = 2 // 1 language, 2 text
	principalHome     = 3
	principalDisabled = 4

	roleName       = 1 // 1 language, 2 text
	rolePermission = 2 // 1 right, 2 kind of data + 1
	permitRight    = 1
	permitData     = 2

	grantPrincipal = 1
	grantRole      = 2
	grantAll       = 3
	grantUnit      = 4
	grantAlone     = 5
	grantOwn       = 6
	grantFilter    = 7
	grantMask      = 8
	grantFrom      = 9
	grantUntil     = 10
	grantDeny      = 11

	delegationFrom  = 1
	delegationTo    = 2
	delegationGrant = 3
	delegationBegin = 4
	delegationEnd   = 5
)

func writeBool(w *record.Writer, field int, b bool) {
	if b {
		w.Uint(field, 1)
	}
}

func writeNames(w *record.Writer, field int, names customer.Names) {
	for _, language := range slices.Sorted(maps.Keys(names)) {
		mark := w.Begin(field)
		w.String(1, language)
		w.String(2, names[language])
		w.End(mark)
	}
}

func readName(r *record.Reader, to *customer.Names) {
	var language, name string
	readNested(r, func(n *record.Reader) { readInto(n, &language, &name) })
	if *to == nil {
		*to = customer.Names{}
	}
	(*to)[language] = name
}

// readFields calls f for each field of a record and returns the raw fields that f
// skipped.
func readFields(src string, f func(r *record.Reader)) (rest string, err error) {
	r := record.NewReader(src)
	for r.Next() {
		f(&r)
	}
	return r.Unknown(), r.Err()
}

func appendPrincipal(dst []byte, p *Principal) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(principalKind, uint64(p.Kind))
	writeNames(&w, principalName, p.Names)
	w.Uint(principalHome, uint64(p.Home))
	writeBool(&w, principalDisabled, p.Disabled)
	w.Raw(p.rest)
	return w.Buf, nil
}

func decodePrincipal(src string, id string, m storage.Meta) (p *Principal, err error) {
	p = &Principal{ID: id, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	p.rest, err = readFields(src, func(r *record.Reader) {
		switch r.Field() {
		case principalKind:
			p.Kind = PrincipalKind(r.Uint())
		case principalName:
			readName(r, &p.Names)
		case principalHome:
			p.Home = customer.UnitID(r.Uint())
		case principalDisabled:
			p.Disabled = r.Uint() != 0
		default:
			r.Skip()
		}
	})
	return p, err
}

func appendRole(dst []byte, role *Role) ([]byte, error) {
	w := record.Writer{Buf: dst}
	writeNames(&w, roleName, role.Names)
	for _, p := range role.Permissions {
		mark := w.Begin(rolePermission)
		w.String(permitRight, string(p.Right))
		for _, d := range p.Data {
			w.Uint(permitData, uint64(d)+1)
		}
		w.End(mark)
	}
	w.Raw(role.rest)
	return w.Buf, nil
}

func decodeRole(src string, name string, m storage.Meta) (role *Role, err error) {
	role = &Role{Name: name, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	role.rest, err = readFields(src, func(r *record.Reader) {
		switch r.Field() {
		case roleName:
			readName(r, &role.Names)
		case rolePermission:
			role.Permissions = append(role.Permissions, readPermission(r))
		default:
			r.Skip()
		}
	})
	return role, err
}

func readPermission(r *record.Reader) (p Permission) {
	readNested(r, func(n *record.Reader) {
		switch n.Field() {
		case permitRight:
			p.Right = customer.Right(n.String())
		case permitData:
			p.Data = append(p.Data, customer.Data(n.Uint()-1))
		default:
			n.Skip()
		}
	})
	return p
}

func appendGrant(dst []byte, g *Grant) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.String(grantPrincipal, g.Principal)
	w.String(grantRole, g.Role)
	writeBool(&w, grantAll, g.Scope.All)
	w.Uint(grantUnit, uint64(g.Scope.Unit))
	writeBool(&w, grantAlone, g.Scope.Alone)
	writeBool(&w, grantOwn, g.Scope.Own)
	w.String(grantFilter, g.Scope.Filter)
	for _, field := range g.Mask.Fields() {
		w.String(grantMask, field)
	}
	writeTime(&w, grantFrom, g.From)
	writeTime(&w, grantUntil, g.Until)
	writeBool(&w, grantDeny, g.Deny)
	w.Raw(g.rest)
	return w.Buf, nil
}

func decodeGrant(src string, id GrantID, m storage.Meta) (*Grant, error) {
	g := &Grant{ID: id, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	var masked []string
	rest, err := readFields(src, func(r *record.Reader) {
		if r.Field() == grantMask {
			masked = append(masked, r.String())
			return
		}
		g.readField(r)
	})
	if err != nil {
		return nil, err
	}
	g.rest = rest
	// A field that this program can't hide makes the grant unreadable, not visible.
	g.Mask, err = customer.NewMask(masked...)
	return g, err
}

func (g *Grant) readField(r *record.Reader) {
	switch r.Field() {
	case grantPrincipal:
		g.Principal = r.String()
	case grantRole:
		g.Role = r.String()
	case grantAll:
		g.Scope.All = r.Uint() != 0
	case grantUnit:
		g.Scope.Unit = customer.UnitID(r.Uint())
	case grantAlone:
		g.Scope.Alone = r.Uint() != 0
	case grantOwn:
		g.Scope.Own = r.Uint() != 0
	case grantFilter:
		g.Scope.Filter = r.String()
	case grantFrom:
		g.From = readTime(r)
	case grantUntil:
		g.Until = readTime(r)
	case grantDeny:
		g.Deny = r.Uint() != 0
	default:
		r.Skip()
	}
}

func appendDelegation(dst []byte, d *Delegation) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.String(delegationFrom, d.From)
	w.String(delegationTo, d.To)
	for _, g := range d.Grants {
		w.Uint(delegationGrant, uint64(g))
	}
	writeTime(&w, delegationBegin, d.Begin)
	writeTime(&w, delegationEnd, d.End)
	w.Raw(d.rest)
	return w.Buf, nil
}

func decodeDelegation(src string, id DelegationID, m storage.Meta) (d *Delegation, err error) {
	d = &Delegation{ID: id, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	d.rest, err = readFields(src, func(r *record.Reader) {
		switch r.Field() {
		case delegationFrom:
			d.From = r.String()
		case delegationTo:
			d.To = r.String()
		case delegationGrant:
			d.Grants = append(d.Grants, GrantID(r.Uint()))
		case delegationBegin:
			d.Begin = readTime(r)
		case delegationEnd:
			d.End = readTime(r)
		default:
			r.Skip()
		}
	})
	return d, err
}
