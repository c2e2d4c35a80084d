package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "github.com/mattn/go-sqlite3" // registers its driver
	_ "modernc.org/sqlite"          // registers its driver
)

// dialect is how an engine's SQL differs.
type dialect uint8

const (
	sqliteDialect dialect = iota
	postgresDialect
	duckDialect
)

// engine is an SQL engine that answers questions through database/sql, which adds 2 to
// 3 µs to a question.
type engine struct {
	name    string
	dialect dialect
	// open opens a new database in a directory of its own.
	open func(ctx context.Context, dir string) (*sql.DB, error)
	// fill appends rows to a table, as fast as the engine can.
	fill func(ctx context.Context, db *sql.DB, table string, columns []string, rows iter.Seq2[[]any, error]) error
	// finish gathers statistics and leaves the files as small as can be.
	finish string
}

// engines returns the SQL engines. PostgreSQL takes part when its cluster runs.
func engines(cluster *postgres) []*engine {
	const finish = "ANALYZE; VACUUM"
	all := []*engine{
		{sqliteName, sqliteDialect, openBySQL("sqlite3"), fillSQLite, finish},
		{moderncName, sqliteDialect, openBySQL("sqlite"), fillSQLite, finish},
	}
	if cluster != nil {
		all = append(all, &engine{postgresName, postgresDialect, cluster.openBySQL, fillPostgres, "VACUUM (FREEZE, ANALYZE)"})
	}
	return append(all, &engine{duckName, duckDialect, openDuck, fillDuck, "CHECKPOINT"})
}

// openBySQL returns the opener of a SQLite by its driver's name. Nothing is written after
// the filling, so it needs no journal.
func openBySQL(driver string) func(context.Context, string) (*sql.DB, error) {
	return func(ctx context.Context, dir string) (*sql.DB, error) {
		db, err := sql.Open(driver, filepath.Join(dir, fileName))
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(1)
		_, err = db.ExecContext(ctx, fmt.Sprintf(`PRAGMA page_size = %d; PRAGMA cache_size = -%d; PRAGMA mmap_size = %d; PRAGMA journal_mode = OFF;
			PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA threads = %d`, pageBytes, cacheBytes>>10, cacheBytes, runtime.GOMAXPROCS(0)))
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
		return db, nil
	}
}

func fillSQLite(ctx context.Context, db *sql.DB, table string, columns []string, rows iter.Seq2[[]any, error]) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	err = insertRows(ctx, tx, table, columns, rows)
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func insertRows(ctx context.Context, tx *sql.Tx, table string, columns []string, rows iter.Seq2[[]any, error]) error {
	insert, err := tx.Prepare(fmt.Sprintf("INSERT INTO %s (%s) VALUES %s", table, strings.Join(columns, ", "), parameters(len(columns))))
	if err != nil {
		return err
	}
	defer insert.Close()
	for row, err := range rows {
		if err != nil {
			return err
		}
		if _, err := insert.Exec(row...); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func fillPostgres(ctx context.Context, db *sql.DB, table string, columns []string, rows iter.Seq2[[]any, error]) error {
	return withDriver(ctx, db, func(c *stdlib.Conn) error {
		next, stop := iter.Pull2(rows)
		defer stop()
		_, err := c.Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
			row, err, _ := next()
			return row, err
		}))
		return err
	})
}

func openDuck(ctx context.Context, dir string) (*sql.DB, error) {
	db, err := sql.Open("duckdb", filepath.Join(dir, "customers.duckdb"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, fmt.Sprintf("SET threads = %d; SET memory_limit = '%dMiB'", runtime.GOMAXPROCS(0), 4*cacheBytes>>20))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func fillDuck(ctx context.Context, db *sql.DB, table string, _ []string, rows iter.Seq2[[]any, error]) error {
	return withDriver(ctx, db, func(c driver.Conn) error {
		to, err := duckdb.NewAppenderFromConn(c, "", table)
		if err != nil {
			return err
		}
		values := []driver.Value{}
		for row, err := range rows {
			values = values[:0]
			for _, v := range row {
				values = append(values, v)
			}
			if err := errors.Join(err, to.AppendRow(values...)); err != nil {
				return errors.Join(err, to.Close())
			}
		}
		return to.Close()
	})
}

// withDriver lends a connection as its driver knows it.
func withDriver[C any](ctx context.Context, db *sql.DB, use func(C) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	err = conn.Raw(func(raw any) error {
		c, ok := raw.(C)
		if !ok {
			return fmt.Errorf("the driver's connection is a %T", raw)
		}
		return use(c)
	})
	return errors.Join(err, conn.Close())
}

// sqlPeer is an engine with a database for a section's questions. Statements are prepared
// once.
type sqlPeer struct {
	*engine
	ctx        context.Context
	db         *sql.DB
	statements map[string]*sql.Stmt
}

// newSQLPeer opens a database of an engine in a directory and runs the statements that make
// its tables.
func newSQLPeer(ctx context.Context, e *engine, dir, setup string) (*sqlPeer, error) {
	db, err := e.open(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("%s: open: %w", e.name, err)
	}
	p := &sqlPeer{engine: e, ctx: ctx, db: db, statements: map[string]*sql.Stmt{}}
	if err := p.exec(setup); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// exec runs statements with semicolons between them, each by itself.
func (p *sqlPeer) exec(texts string) error {
	for text := range strings.SplitSeq(texts, ";") {
		if strings.TrimSpace(text) == "" {
			continue
		}
		if _, err := p.db.ExecContext(p.ctx, text); err != nil {
			return fmt.Errorf("%s: %s: %w", p.engine.name, strings.TrimSpace(text), err)
		}
	}
	return nil
}

func (p *sqlPeer) close() error {
	var err error
	for _, s := range p.statements {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, p.db.Close())
}

func (p *sqlPeer) name() string { return p.engine.name }

// query runs a statement with question marks in it, and hands each row to scan.
func (p *sqlPeer) query(text string, args []any, scan func(*sql.Rows) error) error {
	s, err := p.prepared(text)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(p.ctx, args...)
	if err != nil {
		return err
	}
	for err == nil && rows.Next() {
		err = scan(rows)
	}
	return errors.Join(err, rows.Err(), rows.Close())
}

func (p *sqlPeer) prepared(text string) (*sql.Stmt, error) {
	if s := p.statements[text]; s != nil {
		return s, nil
	}
	s, err := p.db.PrepareContext(p.ctx, p.dialect.rewritten(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	p.statements[text] = s
	return s, nil
}

// rewritten numbers the question marks, where the dialect has it so.
func (d dialect) rewritten(text string) string {
	if d != postgresDialect {
		return text
	}
	parts := strings.Split(text, "?")
	for i := range parts[:len(parts)-1] {
		parts[i] += fmt.Sprintf("$%d", i+1)
	}
	return strings.Join(parts, "")
}
