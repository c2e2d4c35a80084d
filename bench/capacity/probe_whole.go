package capacity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/clientele-go/clientele"
)

// backup copies the book to a folder beside it and removes the copy.
type backup struct {
	*book
	journal uint64
}

func newBackup(ctx context.Context, b *book) (probe, error) {
	h, err := b.Health(ctx)
	return backup{b, uint64(h.Journal)}, err
}

func (p backup) ask(ctx context.Context, _ int) (time.Duration, error) {
	dir := filepath.Join(filepath.Dir(p.dir), "backup.tmp")
	if err := os.RemoveAll(dir); err != nil {
		return 0, err
	}
	began := time.Now()
	m, err := p.Backup(ctx, dir, nil)
	took := time.Since(began)
	err = errors.Join(err, os.RemoveAll(dir))
	if err == nil && uint64(m.Journal) < p.journal {
		err = wrong("the number of journal entries in the backup", m.Journal, p.journal)
	}
	return took, err
}

// reopen closes the book, and opens it until it has answered.
type reopen struct {
	*book
	subjects []subject
}

func newReopen(_ context.Context, b *book) (probe, error) { return &reopen{b, b.subjects(10, 64)}, nil }

func (p *reopen) ask(ctx context.Context, number int) (time.Duration, error) {
	if err := p.Close(); err != nil {
		return 0, err
	}
	return p.reopened(ctx, of(p.subjects, number))
}

// reopened opens the book and reads a customer.
func (b *book) reopened(ctx context.Context, s *subject) (time.Duration, error) {
	began := time.Now()
	if err := b.open(ctx); err != nil {
		return 0, err
	}
	_, err := b.reading(ctx, func(tx *clientele.ReadTx) error {
		c, err := tx.Customers.Get(s.id)
		if err == nil && c.Code != s.draft.Code {
			err = wrong("the code of customer "+s.id.String(), c.Code, s.draft.Code)
		}
		return err
	})
	return time.Since(began), err
}

// recovery kills a process that writes to the book, and opens the book until it answers
// and search has all that was acknowledged.
type recovery struct {
	*book
	subjects []subject
}

func newRecovery(_ context.Context, b *book) (probe, error) {
	return &recovery{b, b.subjects(11, 64)}, nil
}

func (p *recovery) ask(ctx context.Context, number int) (time.Duration, error) {
	prefix, err := p.fresh(ctx)
	if err != nil {
		return 0, err
	}
	if err := p.Close(); err != nil {
		return 0, err
	}
	codes, err := killWriter(ctx, p.dir, "X"+prefix+"-")
	if err != nil {
		return 0, errors.Join(err, p.open(ctx))
	}
	began := time.Now()
	if _, err := p.reopened(ctx, of(p.subjects, number)); err != nil {
		return 0, err
	}
	if err := p.session.Sync(ctx); err != nil {
		return 0, err
	}
	took := time.Since(began)
	return took, p.checkAcknowledged(ctx, codes)
}

func (b *book) checkAcknowledged(ctx context.Context, codes []string) error {
	_, err := b.reading(ctx, func(tx *clientele.ReadTx) error {
		for _, code := range codes {
			if _, err := tx.Customers.ByCode(code); err != nil {
				return fmt.Errorf("customer %s was acknowledged before the crash: %w", code, err)
			}
		}
		return nil
	})
	return err
}
