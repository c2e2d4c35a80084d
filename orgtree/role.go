package orgtree

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/kv"
)

// Role is a set of permissions under a name. Roles belong to the caller.
type Role struct {
	Name        string // "clerk", unique
	Version     uint64
	Names       customer.Names // shown
	Permissions []Permission

	Recorded time.Time
	Actor    string
	Reason   string

	rest string
}

// Permission is a right on kinds of data; without any, on all kinds.
type Permission struct {
	Right customer.Right
	Data  []customer.Data
}

// AnyRight is every right, in a permission.
const AnyRight customer.Right = "*"

// MaxRole is the length of a role's name and of a right, in bytes; MaxPermissions the
// number of permissions of a role.
const (
	MaxRole        = 60
	MaxPermissions = 200
)

// dataSet is a set of kinds of data.
type dataSet uint8

const allData dataSet = 1<<dataKinds - 1

func dataSetOf(kinds ...customer.Data) (s dataSet) {
	for _, d := range kinds {
		if d < dataKinds {
			s |= 1 << d
		}
	}
	return s
}

func (s dataSet) has(d customer.Data) bool { return s&(1<<d) != 0 }

// kinds lists the set.
func (s dataSet) kinds() (list []customer.Data) {
	for _, d := range customer.AllData() {
		if s.has(d) {
			list = append(list, d)
		}
	}
	return list
}

// permits returns the kinds of data on which the role gives a right.
func (r *Role) permits(right customer.Right) (s dataSet) {
	for _, p := range r.Permissions {
		if p.Right != right && p.Right != AnyRight {
			continue
		}
		if len(p.Data) == 0 {
			return allData
		}
		s |= dataSetOf(p.Data...)
	}
	return s
}

// check brings the role into the form in which it is stored.
func (r *Role) check(op string) error {
	name := r.Name
	if err := cleanTexts(op, field{"Name", &r.Name, MaxRole}); err != nil {
		return err
	}
	if r.Name == "" || r.Name != name {
		return &Error{Op: op, Field: "Name", Value: name, Remedy: "give the role a short name, without spaces around it", Err: ErrInvalid}
	}
	if len(r.Permissions) > MaxPermissions {
		return &Error{Op: op, Field: "Permissions", Value: fmt.Sprint(len(r.Permissions)), Remedy: fmt.Sprintf("use at most %d", MaxPermissions), Err: ErrInvalid}
	}
	for _, p := range r.Permissions {
		if err := p.check(op); err != nil {
			return err
		}
	}
	return r.Names.Validate("Names")
}

func (p Permission) check(op string) error {
	if err := checkRight(op, p.Right, true); err != nil {
		return err
	}
	for _, d := range p.Data {
		if d >= dataKinds {
			return &Error{Op: op, Field: "Permissions.Data", Value: d.String(), Remedy: fmt.Sprintf("use one of %v", customer.AllData()), Err: ErrInvalid}
		}
	}
	return nil
}

// checkRight reports whether a right has the form of one.
func checkRight(op string, right customer.Right, orAny bool) error {
	if orAny && right == AnyRight {
		return nil
	}
	if right == "" || len(right) > MaxRole || strings.Trim(string(right), "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return &Error{Op: op, Field: "Right", Value: string(right), Remedy: fmt.Sprintf("use one of %v, or a word of your own in lower case", customer.Rights()), Err: ErrInvalid}
	}
	return nil
}

// SetRole stores a role, new or not. It needs the right to administer the whole book; who
// has that by a delegation changes no role that he has himself.
func (tx *Tx) SetRole(r Role) (*Role, error) {
	const op = "set role"
	r.Permissions = slices.Clone(r.Permissions)
	if err := r.check(op); err != nil {
		return nil, err
	}
	if err := tx.mayDefine(r.Name); err != nil {
		return nil, err
	}
	if old, err := tx.store.role.Get(tx.Reader.storage, r.Name); err == nil {
		r.rest = old.rest
	} else if !isNotFound(err) {
		return nil, err
	}
	if err := tx.store.role.Put(tx.tx, r.Name, &r, uint8(RoleSet)); err != nil {
		return nil, err
	}
	if err := tx.policyChanged(); err != nil {
		return nil, err
	}
	return tx.Role(r.Name)
}

// mayDefine returns nil when the session may say what a role permits.
func (tx *Tx) mayDefine(role string) error {
	if err := tx.mayAdminister(0); err != nil {
		return err
	}
	own, ok := tx.access().(*Access)
	if !ok || own.plan.administersItself() {
		return nil
	}
	for g, err := range tx.full().GrantsOfRole(role) {
		if err != nil {
			return err
		}
		if g.Principal == own.plan.actor {
			return beyond(own.plan.actor, customer.RightAdminister, customer.Identity)
		}
	}
	return nil
}

// RemoveRole removes a role that no grant names; otherwise it fails with ErrInUse.
func (tx *Tx) RemoveRole(name string) error {
	const op = "remove role"
	if err := tx.mayAdminister(0); err != nil {
		return err
	}
	for g, err := range tx.full().GrantsOfRole(name) {
		if err != nil {
			return err
		}
		return &Error{Op: op, Field: "Name", Value: name, Remedy: fmt.Sprintf("revoke grant %d and the others of this role first", g.ID), Err: ErrInUse}
	}
	if err := tx.store.role.Delete(tx.tx, name, uint8(RoleRemoved)); err != nil {
		return err
	}
	return tx.policyChanged()
}

// Role returns a role, or an error that wraps ErrNotFound. It costs one read.
func (r *Reader) Role(name string) (*Role, error) { return r.store.role.Get(r.storage, name) }

// Roles yields all roles, by name.
func (r *Reader) Roles() iter.Seq2[*Role, error] {
	return r.store.role.Records(r.storage, kv.Range{}, false)
}

// RoleHistory yields all versions of a role, oldest first.
func (r *Reader) RoleHistory(name string) iter.Seq2[*Role, error] {
	return livingVersions(r.store.role.Versions(r.storage, name))
}
