package credit

import (
	"context"
	"errors"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
)

// misleading are the blocks, and the months of blocks in the log, of which some page tells
// wrongly what other pages there are or how it ends itself.
type misleading struct {
	blocks []customer.ID
	months []logKey // of first pages
}

// repairHeads sets right what pages tell of one another and of their ends. Whoever reads or
// writes few customers relies on it, those who repair customers among them.
func (s *Store) repairHeads(ctx context.Context, j Job) (int, error) {
	var found misleading
	err := j.Storage.View(ctx, func(r *storage.Reader) (err error) {
		found, err = newVerifier(s.Reader(r, nil)).findMisleading()
		return err
	})
	if err != nil {
		return 0, err
	}
	mend := func(f func(*Tx) error) error {
		_, err := j.Storage.Update(ctx, j.Session, func(tx *storage.Tx) error { return f(s.Tx(tx, j.Customers.Tx(tx))) })
		return err
	}
	for _, block := range found.blocks {
		if err := mend(func(tx *Tx) error { return tx.announcePages(block) }); err != nil {
			return 0, err
		}
	}
	for _, month := range found.months {
		if err := mend(func(tx *Tx) error { return tx.mendMonth(month) }); err != nil {
			return 0, err
		}
	}
	return len(found.blocks) + len(found.months), nil
}

// findMisleading reads all pages. Those that can't be read are left to the repair of their
// customers.
func (v *verifier) findMisleading() (found misleading, err error) {
	for p, err := range v.openPages(allKeys) {
		wrong, err := misleads(err)
		if err != nil {
			return found, err
		}
		if wrong {
			found.blocks = append(found.blocks, blockOf(p.key.customer))
		}
	}
	for p, err := range v.logPages(allKeys) {
		sound := err == nil
		wrong, err := misleads(err)
		if err != nil {
			return found, err
		}
		if wrong || sound && p.mendEnd() {
			found.months = append(found.months, p.key.first())
		}
	}
	found.blocks, found.months = slices.Compact(found.blocks), slices.Compact(found.months)
	return found, nil
}

// misleads tells by the error of a page whether its first one misleads.
func misleads(err error) (bool, error) {
	if err == nil || isDamage(err) {
		return false, nil
	}
	if errors.Is(err, errPage) {
		return true, nil
	}
	return false, err
}

// announcePages has the first page of a block tell whether there are others.
func (tx *Tx) announcePages(block customer.ID) error {
	first, err := tx.firstPage(block)
	if err != nil {
		return err
	}
	first.more = false
	for _, err := range tx.store.open.Records(tx.storage, after(blockPages(first.key)), false) {
		if err != nil && !isDamage(err) {
			return err
		}
		first.more = true
		break
	}
	return tx.store.open.Put(tx.tx, first.key, first, uint8(Amended))
}

// mendMonth has each page of a block and month tell its latest and its last entry, and the first
// one how many there are.
func (tx *Tx) mendMonth(month logKey) error {
	last := uint64(0)
	var wrong []*logPage
	for p, err := range tx.store.log.Records(tx.storage, logRange(month.log, month.month, month.block, month.block+1), false) {
		if isDamage(err) {
			continue
		}
		if err != nil {
			return err
		}
		last = p.key.number
		if p.mendEnd() {
			wrong = append(wrong, p)
		}
	}
	for _, p := range wrong {
		if err := tx.putLog(p); err != nil {
			return err
		}
	}
	first, err := tx.logPage(month)
	if err != nil || first.last == last {
		return err
	}
	first.last = last
	return tx.putLog(first)
}

// mendEnd sets what a page tells of its latest and its last entry. It reports whether that was
// wrong; a later day than there is makes nobody pass the page over, and stays.
func (p *logPage) mendEnd() bool {
	var r logReader
	told := *p
	p.tail = logTail{}
	for r.reset(p); r.next(); {
		p.on, p.recorded = max(p.on, r.entry.on), max(p.recorded, r.entry.recorded)
		p.tail = logTail{r.entry.item, r.entry.due, r.allocation}
	}
	return r.err() == nil && (p.on != told.on || p.recorded != told.recorded || p.tail != told.tail)
}
