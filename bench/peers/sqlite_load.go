package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/clientele-go/clientele/customer"
)

// load fills the new file in the fastest way that SQLite has: no journal, since a
// failed load of a new file is begun again; one transaction; many rows a statement,
// encoded by a second goroutine; keys staged and put into their tables in order; the
// other indexes made afterwards by as many threads as there are cores. The file is
// synced at the end.
func (s *sqliteStore) load(customers iter.Seq2[*customer.Customer, error]) error {
	conn, err := connect(s.driver, s.dir, fmt.Sprintf(`
		PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA threads = %d;
		BEGIN;`, runtime.GOMAXPROCS(0))+s.tables())
	if err != nil {
		return err
	}
	err = s.fill(conn, customers)
	if err := errors.Join(err, conn.close()); err != nil {
		return err
	}
	if err := syncFile(filepath.Join(s.dir, fileName)); err != nil {
		return err
	}
	return s.connect()
}

func (s *sqliteStore) fill(conn *sqliteConn, customers iter.Seq2[*customer.Customer, error]) error {
	l, err := s.newLoader(conn)
	if err != nil {
		return err
	}
	if err := l.insert(s.ctx, customers); err != nil {
		return err
	}
	finish := s.indexes()
	for _, table := range keyTables {
		finish += fmt.Sprintf("INSERT INTO %s SELECT * FROM staged_%s ORDER BY 1, 2;", table, table)
	}
	return conn.exec(finish + "COMMIT")
}

func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// sqliteLoader inserts customers into the table and their keys into temporary ones.
type sqliteLoader struct {
	check     check
	customers *bulkInsert
	keys      [len(keyTables)]*bulkInsert
}

func (s *sqliteStore) newLoader(conn *sqliteConn) (*sqliteLoader, error) {
	l := &sqliteLoader{check: s.check}
	var err error
	if l.customers, err = newBulkInsert(conn, "customer", s.columns()); err != nil {
		return nil, err
	}
	for by, table := range keyTables {
		staged := "staged_" + table
		if err := conn.exec(fmt.Sprintf("CREATE TEMP TABLE %s AS SELECT * FROM %s", staged, table)); err != nil {
			return nil, err
		}
		if l.keys[by], err = newBulkInsert(conn, staged, keyColumns(lookup(by))); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *sqliteLoader) insert(ctx context.Context, customers iter.Seq2[*customer.Customer, error]) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the encoder when an insert fails
	for rows := range encode(ctx, customers, l.check) {
		for i := range rows {
			if err := l.row(&rows[i]); err != nil {
				return err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, b := range append(l.keys[:], l.customers) {
		if err := b.flush(); err != nil {
			return err
		}
	}
	return nil
}

func (l *sqliteLoader) row(r *encodedRow) error {
	if r.err != nil {
		return r.err
	}
	id := int64(r.customer.ID)
	row := []driver.Value{id, r.customer.Code, r.customer.Name, r.body, r.codeKey, r.nameKey}
	if err := l.customers.add(row[:l.customers.columns]...); err != nil {
		return err
	}
	for _, k := range r.keys {
		b := l.keys[k.by]
		b.args = b.args.withKey(k, id)
		if err := b.full(); err != nil {
			return err
		}
	}
	return nil
}

// encodedRow is a customer ready to be bound, or why there is none.
type encodedRow struct {
	customer *customer.Customer
	body     []byte
	keys     []key
	err      error

	codeKey, nameKey string // only when checking
}

func newRow(c *customer.Customer, check check) (r encodedRow) {
	if check != nil {
		id := c.ID
		if c, r.err = check(c); r.err != nil {
			return r
		}
		c.ID, r.codeKey, r.nameKey = id, foldedCode(c), nameOrder(c)
	}
	r.customer, r.body, r.keys = c, appendBody(nil, c), keysOf(c)
	return r
}

// encode prepares rows ahead of the inserts, on another core. The channel is closed
// after the last of them or when the context is done.
func encode(ctx context.Context, customers iter.Seq2[*customer.Customer, error], check check) <-chan []encodedRow {
	const batch = 500
	batches := make(chan []encodedRow, 4)
	go func() {
		defer close(batches)
		rows := make([]encodedRow, 0, batch)
		for c, err := range customers {
			r := encodedRow{err: err}
			if err == nil {
				r = newRow(c, check)
			}
			rows = append(rows, r)
			if len(rows) < batch {
				continue
			}
			select {
			case batches <- rows:
				rows = make([]encodedRow, 0, batch)
			case <-ctx.Done():
				return
			}
		}
		select {
		case batches <- rows:
		case <-ctx.Done():
		}
	}()
	return batches
}

// rowsPerInsert times the most columns stays far below SQLite's limit of 32,766
// parameters; more gain nothing.
const rowsPerInsert = 200

// bulkInsert collects rows of one table and inserts many by one statement.
type bulkInsert struct {
	many, one statement
	columns   int
	args      arguments
}

func newBulkInsert(conn *sqliteConn, table string, columns int) (*bulkInsert, error) {
	row := parameters(columns)
	insert := "INSERT INTO " + table + " VALUES "
	all, err := conn.prepare(insert+row+strings.Repeat(", "+row, rowsPerInsert-1), insert+row)
	if err != nil {
		return nil, err
	}
	return &bulkInsert{many: all[0], one: all[1], columns: columns}, nil
}

// parameters returns a row of placeholders: (?, ?, ?).
func parameters(n int) string { return "(?" + strings.Repeat(", ?", n-1) + ")" }

func (b *bulkInsert) add(row ...driver.Value) error {
	b.args = b.args.with(row...)
	return b.full()
}

// full inserts the rows once there are enough for a statement.
func (b *bulkInsert) full() error {
	if len(b.args) < rowsPerInsert*b.columns {
		return nil
	}
	err := run(b.many, b.args)
	b.args = b.args[:0]
	return err
}

// flush inserts the rest, row by row.
func (b *bulkInsert) flush() error {
	for row := range slices.Chunk(b.args, b.columns) {
		for i := range row {
			row[i].Ordinal = i + 1
		}
		if err := run(b.one, row); err != nil {
			return err
		}
	}
	b.args = b.args[:0]
	return nil
}

// run executes an insert as a query, which this driver does in a single call of C;
// as a command it would be one for each parameter.
func run(s statement, args arguments) error {
	rows, err := s.query(args)
	if err != nil {
		return err
	}
	return rows.Close()
}
