package credit

import (
	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/customer"
)

// briefItem is what the sums of a report need of an item in a page: all but its number.
type briefItem struct {
	head, due, age, amount uint64 // as in the page
}

// read reads the item at a place, its age only if that is asked for, and returns the place
// behind it, which may be followed by what is contested. Most items have a head and a due
// day of one byte each, and the rest in eight.
func (i *briefItem) read(src string, at int, aged bool) (behind int) {
	if at > len(src)-2-wordBytes {
		return i.readLong(src, at, aged)
	}
	i.head, i.due = uint64(src[at]), uint64(src[at+1])
	w := wordAt(src, at+2)
	ends := endsIn(w)
	item := ends & -ends
	ends &= ends - 1
	age := ends & -ends
	ends &= ends - 1
	amount := ends & -ends
	if i.head|i.due > oneByte || amount == 0 {
		return i.readLong(src, at, aged)
	}
	i.age, i.amount = 0, between(w, age, amount)
	if aged {
		i.age = between(w, item, age)
	}
	return at + 2 + bytesTo(amount)
}

func (i *briefItem) readLong(src string, at int, aged bool) (behind int) {
	i.head, at = uvarintAt(src, at)
	i.due, at = uvarintAt(src, at)
	_, at = uvarintAt(src, at)
	i.age, at = uvarintAt(src, at)
	i.amount, at = uvarintAt(src, at)
	if !aged {
		i.age = 0
	}
	return at
}

// briefEntry is what the sums of a report need of an entry of the log: all but the numbers
// of item and allocation.
type briefEntry struct {
	head, kind, due, age, on, recorded, amount uint64 // as in the page
}

func (e *briefEntry) customer(block customer.ID) customer.ID {
	return block + customer.ID(e.head&(1<<logBlockBits-1))
}

// days returns from when the entry counts and when it was recorded, given its month's first day.
func (e *briefEntry) days(first date.Date) (on, recorded date.Date) {
	on = first + date.Date(unzigzag(e.on))
	return on, on + date.Date(unzigzag(e.recorded))
}

func (e *briefEntry) change() Change { return Change(e.head >> logChange & changeMask) }

// read reads the entry at a place, its age only if that is asked for, and returns the place
// behind it. Most entries have a head of one byte or two, a kind of one, due day, item and age
// in eight, both days of one each, and the rest in eight.
func (e *briefEntry) read(src string, at int, aged bool) (behind int) {
	if at > len(src)-5-2*wordBytes {
		return e.readLong(src, at, aged)
	}
	start := at
	e.head = uint64(src[at])
	if e.head > oneByte {
		at++
		e.head = e.head&oneByte | uint64(src[at])<<7
	}
	e.kind = uint64(src[at+1])
	w := wordAt(src, at+2)
	ends := endsIn(w)
	due := ends & -ends
	ends &= ends - 1
	item := ends & -ends
	ends &= ends - 1
	age := ends & -ends
	e.due, e.age = upTo(w, due), 0
	if aged {
		e.age = between(w, item, age)
	}
	at += 2 + bytesTo(age)
	e.on, e.recorded = uint64(src[at]), uint64(src[at+1])
	w = wordAt(src, at+2)
	ends = endsIn(w)
	e.amount = upTo(w, ends&-ends)
	ends &= ends - min(uint64(e.change()), 1) // the amount's, if an allocation follows
	if age == 0 || ends == 0 || e.kind|e.on|e.recorded > oneByte || e.head > oneByte<<7|oneByte {
		return e.readLong(src, start, aged)
	}
	return at + 2 + bytesTo(ends&-ends)
}

func (e *briefEntry) readLong(src string, at int, aged bool) (behind int) {
	e.head, at = uvarintAt(src, at)
	e.kind, at = uvarintAt(src, at)
	e.due, at = uvarintAt(src, at)
	_, at = uvarintAt(src, at)
	e.age, at = uvarintAt(src, at)
	e.on, at = uvarintAt(src, at)
	e.recorded, at = uvarintAt(src, at)
	e.amount, at = uvarintAt(src, at)
	if e.change() != ItemPosted {
		_, at = uvarintAt(src, at)
	}
	if !aged {
		e.age = 0
	}
	return at
}
