package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"github.com/mattn/go-sqlite3"
	"modernc.org/sqlite"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
)

// sqliteStore is SQLite as one who knows it would set it up: the searched fields in
// columns, lookups of which a customer has several in tables that are nothing but
// an index (WITHOUT ROWID), the rest of the record in one blob. It talks to the driver
// itself: database/sql on top would cost a read some microseconds more.
type sqliteStore struct {
	ctx    context.Context
	driver driver.Driver
	dir    string
	check  check // nil for customers that are taken as they are

	mu     sync.Mutex // SQLite has one writer
	writer *sqliteWriter

	*sqliteReader
}

const (
	pageBytes = 8 << 10
	fileName  = "customers.sqlite"
)

// keyTables are the tables of the lookups, each with its unique columns first.
var keyTables = [...]string{byIdentifier: "identifier", bySourceKey: "source_key", byPhone: "phone", byEmail: "email"}

const tables = `
CREATE TABLE customer (id INTEGER PRIMARY KEY, code TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL%s);
CREATE TABLE identifier (scope TEXT NOT NULL, value TEXT NOT NULL, customer INTEGER NOT NULL, PRIMARY KEY (scope, value)) WITHOUT ROWID;
CREATE TABLE source_key (scope TEXT NOT NULL, value TEXT NOT NULL, customer INTEGER NOT NULL, PRIMARY KEY (scope, value)) WITHOUT ROWID;
CREATE TABLE phone (value TEXT NOT NULL, customer INTEGER NOT NULL, PRIMARY KEY (value, customer)) WITHOUT ROWID;
CREATE TABLE email (value TEXT NOT NULL, customer INTEGER NOT NULL, PRIMARY KEY (value, customer)) WITHOUT ROWID;
`

func openSQLite(ctx context.Context, dir string) (store, error) {
	return &sqliteStore{ctx: ctx, driver: cDriver, dir: dir}, nil // load opens it: only then are there tables
}

// openCheckingSQLite is a SQLite that does with each customer what Clientele does before
// it stores one.
func openCheckingSQLite(ctx context.Context, dir string) (store, error) {
	check, err := newCheck()
	return &sqliteStore{ctx: ctx, driver: cDriver, dir: dir, check: check}, err
}

// openModernc is the SQLite that was translated to Go, and so needs no cgo either.
func openModernc(ctx context.Context, dir string) (store, error) {
	return &sqliteStore{ctx: ctx, driver: goDriver, dir: dir}, nil
}

// tables returns the statements that make the tables.
func (s *sqliteStore) tables() string {
	if s.check == nil {
		return fmt.Sprintf(tables, "")
	}
	return fmt.Sprintf(tables, ", code_key TEXT NOT NULL, name_key TEXT NOT NULL")
}

// indexes returns the statements that make the indexes of the customers' table.
func (s *sqliteStore) indexes() string {
	if s.check == nil {
		return "CREATE UNIQUE INDEX customer_code ON customer (code); CREATE INDEX customer_name ON customer (name);"
	}
	return "CREATE UNIQUE INDEX customer_code ON customer (code_key); CREATE INDEX customer_name ON customer (name_key);"
}

// columns is the number of columns of the customers' table.
func (s *sqliteStore) columns() int {
	if s.check == nil {
		return 4
	}
	return 6
}

// sqliteConn is a connection with the statements that were prepared on it.
type sqliteConn struct {
	rawConn
	statements []statement
}

// rawConn and rawStatement are what both drivers' own types can do.
type rawConn interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
}

type rawStatement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// The drivers: SQLite in C, and SQLite translated to Go.
var (
	cDriver  driver.Driver = &sqlite3.SQLiteDriver{}
	goDriver driver.Driver = &sqlite.Driver{}
)

// connect opens a connection and runs what sets it up.
func connect(by driver.Driver, dir, setup string) (*sqliteConn, error) {
	opened, err := by.Open(filepath.Join(dir, fileName))
	if err != nil {
		return nil, err
	}
	conn, ok := opened.(rawConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's connection is a %T", opened), opened.Close())
	}
	setup = fmt.Sprintf("PRAGMA page_size = %d; PRAGMA cache_size = -%d; PRAGMA temp_store = MEMORY;", pageBytes, cacheBytes>>10) + setup
	c := &sqliteConn{rawConn: conn}
	if err := c.exec(setup); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

// exec runs statements with semicolons between them.
func (c *sqliteConn) exec(texts string) error {
	_, err := c.ExecContext(context.Background(), texts, nil)
	return err
}

// prepare compiles statements, which close ends.
func (c *sqliteConn) prepare(texts ...string) ([]statement, error) {
	first := len(c.statements)
	for _, text := range texts {
		prepared, err := c.Prepare(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		s, ok := prepared.(rawStatement)
		if !ok {
			return nil, errors.Join(fmt.Errorf("the driver's statement is a %T", prepared), prepared.Close())
		}
		c.statements = append(c.statements, statement{s})
	}
	return c.statements[first:], nil
}

// close ends the statements first: SQLite would keep the file open for them.
func (c *sqliteConn) close() error {
	var err error
	for _, s := range c.statements {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, c.Close())
}

// statement is a prepared statement. For a context that can end the driver would start
// a goroutine each time.
type statement struct{ rawStatement }

func (s statement) exec(args arguments) (driver.Result, error) {
	return s.ExecContext(context.Background(), args)
}

func (s statement) query(args arguments) (driver.Rows, error) {
	return s.QueryContext(context.Background(), args)
}

// arguments are a statement's, in order.
type arguments []driver.NamedValue

func (a arguments) with(values ...driver.Value) arguments {
	for _, v := range values {
		a = append(a, driver.NamedValue{Ordinal: len(a) + 1, Value: v})
	}
	return a
}

// withKey appends the columns of a key's row.
func (a arguments) withKey(k key, id int64) arguments {
	if k.by.unique() {
		a = a.with(k.scope)
	}
	return a.with(k.value, id)
}

// connect opens the connections of everyday work.
func (s *sqliteStore) connect() error {
	// A commit is durable, and checkpoints come every 80 MiB instead of every 8.
	conn, err := connect(s.driver, s.dir, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 10000;")
	if err != nil {
		return err
	}
	if s.writer, err = newSQLiteWriter(conn, s.check); err != nil {
		return errors.Join(err, conn.close())
	}
	conn, err = connect(s.driver, s.dir, fmt.Sprintf("PRAGMA query_only = ON; PRAGMA mmap_size = %d;", cacheBytes))
	if err != nil {
		return err
	}
	if s.sqliteReader, err = newSQLiteReader(conn, s.check != nil); err != nil {
		return errors.Join(err, conn.close())
	}
	return nil
}

func (s *sqliteStore) close() error {
	var err error
	if s.sqliteReader != nil {
		err = s.sqliteReader.conn.close()
	}
	if s.writer != nil {
		err = errors.Join(err, s.writer.conn.close())
	}
	return err
}

// settle does nothing: SQLite works in the foreground.
func (s *sqliteStore) settle() error { return nil }

func (s *sqliteStore) compact() error {
	return s.writer.conn.exec("VACUUM; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);")
}

func (s *sqliteStore) size(dir string) (int64, error) { return sizeOf(dir) }

func (s *sqliteStore) create(c *customer.Customer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writer.create(c)
}

func (s *sqliteStore) count() (int, error) {
	rows, err := s.sqliteReader.conn.QueryContext(context.Background(), "SELECT count(*) FROM customer", nil)
	if err != nil {
		return 0, err
	}
	row := make([]driver.Value, 1)
	err = errors.Join(rows.Next(row), rows.Close())
	n, _ := row[0].(int64)
	return int(n), err
}

// repeated lets SQLite group a table that is nothing but an index in that order.
func (s *sqliteStore) repeated(by lookup) (repetition, error) {
	rows, err := s.sqliteReader.conn.QueryContext(context.Background(), repeatedSQL(by), nil)
	if err != nil {
		return repetition{}, err
	}
	row := make([]driver.Value, 3)
	err = errors.Join(rows.Next(row), rows.Close())
	var figures [3]int64
	for i, v := range row {
		figures[i], _ = v.(int64)
	}
	return repetition{int(figures[0]), int(figures[1]), uint64(figures[2])}, err
}

// repeatedSQL is the question for exact duplicates.
func repeatedSQL(by lookup) string {
	return `SELECT count(*), CAST(COALESCE(sum(n), 0) AS BIGINT), CAST(COALESCE(sum(ids), 0) AS BIGINT) FROM
		(SELECT count(*) AS n, sum(customer) AS ids FROM ` + keyTables[by] + ` GROUP BY value HAVING count(*) > 1) AS groups`
}

// view reads within one transaction.
func (s *sqliteStore) view(f func(reader) error) error {
	if err := s.sqliteReader.conn.exec("BEGIN"); err != nil {
		return err
	}
	err := f(s.sqliteReader)
	return errors.Join(err, s.sqliteReader.conn.exec("COMMIT"))
}

// sqliteWriter creates customers one by one.
type sqliteWriter struct {
	conn                              *sqliteConn
	begin, commit, rollback, customer statement
	keys                              []statement // by lookup
	check                             check
	args                              arguments
	body                              []byte
}

func newSQLiteWriter(conn *sqliteConn, check check) (*sqliteWriter, error) {
	w := &sqliteWriter{conn: conn, check: check}
	insert := "INSERT INTO customer (code, name, body) VALUES (?, ?, ?)"
	if check != nil {
		insert = "INSERT INTO customer (code, name, body, code_key, name_key) VALUES (?, ?, ?, ?, ?)"
	}
	all, err := conn.prepare("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", insert)
	if err != nil {
		return nil, err
	}
	w.begin, w.commit, w.rollback, w.customer = all[0], all[1], all[2], all[3]
	var inserts []string
	for by, table := range keyTables {
		inserts = append(inserts, "INSERT INTO "+table+" VALUES "+parameters(keyColumns(lookup(by))))
	}
	w.keys, err = conn.prepare(inserts...)
	return w, err
}

// keyColumns is the number of columns of a lookup's table.
func keyColumns(by lookup) int {
	if by.unique() {
		return 3
	}
	return 2
}

func (w *sqliteWriter) create(c *customer.Customer) error {
	if _, err := w.begin.exec(nil); err != nil {
		return err
	}
	err := w.insert(c)
	if err == nil {
		_, err = w.commit.exec(nil)
	}
	if err != nil {
		_, rollbackErr := w.rollback.exec(nil)
		return errors.Join(err, rollbackErr)
	}
	return nil
}

func (w *sqliteWriter) insert(c *customer.Customer) error {
	w.args = w.args[:0]
	if w.check != nil {
		checked, err := w.check(c)
		if err != nil {
			return err
		}
		c = checked
	}
	w.body = appendBody(w.body[:0], c)
	w.args = w.args.with(c.Code, c.Name, w.body)
	if w.check != nil {
		w.args = w.args.with(foldedCode(c), nameOrder(c))
	}
	result, err := w.customer.exec(w.args)
	if err != nil {
		return err
	}
	id, err := result.LastInsertId()
	if err != nil {
		return err
	}
	for _, k := range keysOf(c) {
		w.args = w.args[:0].withKey(k, id)
		if _, err := w.keys[k.by].exec(w.args); err != nil {
			return err
		}
	}
	return nil
}

// appendBody encodes what has no column of its own.
func appendBody(dst []byte, c *customer.Customer) []byte {
	rest := *c
	rest.Code, rest.Name = "", ""
	return appendRecord(dst, &rest)
}

// sqliteReader reads through prepared statements, each a transaction of its own
// unless one is open.
type sqliteReader struct {
	conn     *sqliteConn
	id, code statement
	keys     []statement // by lookup
	args     arguments
	row      []driver.Value
	folded   bool // codes are looked up in their folded form
}

func newSQLiteReader(conn *sqliteConn, folded bool) (*sqliteReader, error) {
	r := &sqliteReader{conn: conn, row: make([]driver.Value, 4), folded: folded}
	const columns = "SELECT id, code, name, body FROM customer WHERE "
	code := columns + "code = ?"
	if folded {
		code = columns + "code_key = ?"
	}
	all, err := conn.prepare(columns+"id = ?", code)
	if err != nil {
		return nil, err
	}
	r.id, r.code = all[0], all[1]
	var selects []string
	for by, table := range keyTables {
		where := " WHERE value = ?"
		if lookup(by).unique() {
			where = " WHERE scope = ? AND value = ?"
		}
		selects = append(selects, "SELECT customer FROM "+table+where+" ORDER BY customer")
	}
	r.keys, err = conn.prepare(selects...)
	return r, err
}

func (r *sqliteReader) byID(id customer.ID) (*customer.Customer, error) {
	return r.one(r.id, int64(id))
}

func (r *sqliteReader) byCode(code string) (*customer.Customer, error) {
	if r.folded {
		code = text.Fold(code)
	}
	return r.one(r.code, code)
}

func (r *sqliteReader) one(s statement, arg driver.Value) (*customer.Customer, error) {
	r.args = r.args[:0].with(arg)
	rows, err := s.query(r.args)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(rows.Next(r.row), rows.Close()); err != nil {
		return nil, fmt.Errorf("customer %v: %w", arg, err)
	}
	id, _ := r.row[0].(int64)
	body, _ := r.row[3].([]byte)
	c, err := decodeRecord(customer.ID(id), string(body))
	if err != nil {
		return nil, err
	}
	c.Code, _ = r.row[1].(string)
	c.Name, _ = r.row[2].(string)
	return c, nil
}

func (r *sqliteReader) holders(k key) ([]customer.ID, error) {
	r.args = r.args[:0]
	if k.by.unique() {
		r.args = r.args.with(k.scope)
	}
	r.args = r.args.with(k.value)
	rows, err := r.keys[k.by].query(r.args)
	if err != nil {
		return nil, err
	}
	var ids []customer.ID
	for err = rows.Next(r.row[:1]); err == nil; err = rows.Next(r.row[:1]) {
		id, _ := r.row[0].(int64)
		ids = append(ids, customer.ID(id))
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return ids, errors.Join(err, rows.Close())
}
