package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"golang.org/x/text/width"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
)

// tour walks through a book and tells what it sees.
type tour struct {
	ctx     context.Context
	out     io.Writer
	book    *clientele.Book
	work    string // a folder for the backup and the restored book
	started time.Time
	step    int
}

func (t *tour) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

func (t *tour) title(title, subtitle string) {
	t.say("\n  %s\n  %s", title, subtitle)
}

func (t *tour) heading(text string) {
	t.step++
	t.say("\n  %d  %s\n  %s", t.step, text, strings.Repeat("─", 74))
}

func (t *tour) took(since time.Time) string {
	d := time.Since(since)
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}

func (t *tour) loadOld() error {
	t.heading("Load the list of November 2022 · 导入")
	return t.load("listed-2022-11.csv", "register of 2022-11-19", false)
}

func (t *tour) loadNew() error {
	t.heading("Load the list of October 2024 on top: same companies, no duplicates")
	return t.load("listed-2024-10.csv", "register of 2024-10-29", true)
}

func (t *tour) load(file, reason string, newest bool) error {
	start := time.Now()
	done, faults, err := importRegister(t, file, reason, newest)
	if err != nil {
		return err
	}
	s := done.Summary
	t.say("     %d read = %d created + %d updated + %d unchanged + %d refused, in %s, each change durable and in the journal",
		s.Read, s.Created, s.Updated, s.Unchanged, s.Refused, t.took(start))
	for i, f := range faults {
		if i == 3 {
			t.say("     … and %d more; values that are not in order go to the note", len(faults)-i)
			break
		}
		t.say("     not in order: %s", f)
	}
	if newest && s.Missing > 0 {
		return t.showArchived(s.Missing)
	}
	return nil
}

// showArchived tells which companies the newest list no longer has.
func (t *tour) showArchived(n int) error {
	var gone []string
	err := t.book.As(clientele.Actor{ID: "reader"}).View(t.ctx, func(tx *clientele.ReadTx) error {
		gone = nil
		for c, err := range tx.Customers.List(customer.List{Statuses: []customer.Status{customer.Archived}}) {
			if err != nil {
				return err
			}
			gone = append(gone, c.Name)
		}
		return nil
	})
	if err == nil {
		t.say("     %d left the exchange and were archived: %s", n, strings.Join(gone, ", "))
	}
	return err
}

func (t *tour) searchAll() error {
	t.heading("Search · 查询")
	me := t.book.As(clientele.Actor{ID: "reader"})
	start := time.Now()
	if err := me.Sync(t.ctx); err != nil {
		return err
	}
	t.say("     (the search index had caught up after %s)", t.took(start))
	for _, q := range []struct{ how, text string }{
		{"initials of the pinyin", "twsn"},
		{"pinyin", "jiti dianlu"},
		{"simplified for traditional", "台湾积体电路"},
		{"part of a name", "水泥"},
		{"tax id", "22099131"},
		{"end of a phone number", "6688"},
		{"e-mail", "invest@tsmc.com"},
		{"English, with a typo", "playnitrde"},
		{"a street", "敦化南路"},
		{"the chairman", "張安平"},
	} {
		if err := t.search(me, q.how, q.text); err != nil {
			return err
		}
	}
	return nil
}

func (t *tour) search(me *clientele.Session, how, text string) error {
	start := time.Now()
	result, err := me.Search(t.ctx, search.Query{Text: text, Limit: 3})
	if err != nil {
		return err
	}
	took := time.Since(start)
	var names []string
	err = me.View(t.ctx, func(tx *clientele.ReadTx) error {
		for _, hit := range result.Hits {
			c, err := tx.Customers.Get(hit.ID)
			if err != nil {
				return err
			}
			names = append(names, c.Name)
		}
		return nil
	})
	more := ""
	if rest := int(result.Total) - len(names); rest > 0 {
		more = fmt.Sprintf(" and %d more", rest)
	}
	t.say("     %s %s %s%s  (%s)", pad(how, 27), pad(text, 16), strings.Join(names, ", "), more, took.Round(10*time.Microsecond))
	return err
}

func (t *tour) changeOne() error {
	t.heading("Change a company and look at its history · 历史")
	clerk := t.book.As(clientele.Actor{ID: "wang.li", Reason: "call of the new secretary"})
	var id customer.ID
	err := clerk.Update(t.ctx, func(tx *clientele.Tx) error {
		c, err := tx.Customers.BySourceKey(system, "1101")
		if err != nil {
			return err
		}
		id = c.ID
		c.Note = "invoices to the Hualien plant from " + time.Now().Format("January 2006") + " on"
		_, err = tx.Customers.Update(c)
		return err
	})
	if err != nil {
		return err
	}
	return clerk.View(t.ctx, func(tx *clientele.ReadTx) error {
		for v, err := range tx.Customers.History(id) {
			if err != nil {
				return err
			}
			t.say("     version %d  %s  %s %s %s", v.Version, v.Recorded.Format("15:04:05.000"), pad(v.Actor, 9), pad(v.Reason, 26), v.Name+"  "+v.Note)
		}
		return nil
	})
}

func (t *tour) count() error {
	t.heading("Count by status and city · 盘点")
	return t.book.As(clientele.Actor{ID: "reader"}).View(t.ctx, func(tx *clientele.ReadTx) error {
		counts, err := tx.Customers.Counts()
		if err != nil {
			return err
		}
		for _, c := range counts {
			t.say("     %s %s %6d", pad(c.Status.String(), 10), pad(c.Party.String(), 13), c.N)
		}
		places, err := tx.Customers.CountsByPlace()
		if err != nil {
			return err
		}
		t.say("")
		t.bars(activeByCity(places))
		return nil
	})
}

// activeByCity adds up the active companies of each city, the largest first.
func activeByCity(places []customer.PlaceCount) []customer.PlaceCount {
	var cities []customer.PlaceCount
	for _, p := range places {
		if p.Status != customer.Active {
			continue
		}
		if p.City == "" {
			p.City = "(not recognised)"
		}
		cities = append(cities, p)
	}
	sort.SliceStable(cities, func(i, j int) bool { return cities[i].N > cities[j].N })
	return cities
}

func (t *tour) bars(cities []customer.PlaceCount) {
	const shown = 8
	rest := int64(0)
	for i, c := range cities {
		if i >= shown {
			rest += c.N
			continue
		}
		length := int(c.N * 40 / cities[0].N)
		t.say("     %s %5d %s", pad(c.City, 18), c.N, strings.Repeat("▇", max(length, 1)))
	}
	if rest > 0 {
		t.say("     %s %5d", pad(fmt.Sprintf("%d others", len(cities)-shown), 18), rest)
	}
}

func (t *tour) verify() error {
	t.heading("Verify · 校验")
	start := time.Now()
	report, err := t.book.Verify(t.ctx, nil)
	if err != nil {
		return err
	}
	if !report.OK() {
		return fmt.Errorf("the book does not agree with itself: %v", report.Differences)
	}
	head, err := t.book.Head(t.ctx)
	if err != nil {
		return err
	}
	t.say("     %d records, %d earlier versions, %d index entries, journal and search index agree, in %s",
		report.Records, report.Versions, report.IndexKeys, t.took(start))
	t.say("     journal: %d entries, Merkle root %s", head.Size, head.Root)
	return nil
}

func (t *tour) backUp() error {
	t.heading("Back up and restore · 备份与恢复")
	backup, copied := filepath.Join(t.work, "backup"), filepath.Join(t.work, "restored")
	start := time.Now()
	manifest, err := t.book.Backup(t.ctx, backup, nil)
	if err != nil {
		return err
	}
	size := int64(0)
	for _, f := range manifest.Files {
		size += f.Bytes
	}
	t.say("     backed up %d files, %.1f MB, read back and hashed, in %s", len(manifest.Files), float64(size)/1e6, t.took(start))
	start = time.Now()
	if _, err := clientele.Restore(t.ctx, backup, copied); err != nil {
		return err
	}
	restored, err := open(t.ctx, copied)
	if err != nil {
		return err
	}
	defer restored.Close()
	report, err := restored.Verify(t.ctx, nil)
	if err != nil {
		return err
	}
	head, err := restored.Head(t.ctx)
	if err != nil {
		return err
	}
	if !report.OK() || head.Root.String() != manifest.Root {
		return fmt.Errorf("the restored book differs: %v", report.Differences)
	}
	t.say("     restored to a second folder, opened and verified in %s: the same %d entries, the same root", t.took(start), head.Size)
	return nil
}

// padLeft writes a number at the right of a width.
func padLeft(n int64, cells int) string { return fmt.Sprintf("%*d", cells, n) }

// pad fills s to a width in terminal cells, in which a Han character takes two.
func pad(s string, cells int) string {
	for _, r := range s {
		cells--
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			cells--
		}
	}
	return s + strings.Repeat(" ", max(cells, 0))
}
