package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/clientele-go/clientele/customer"
)

// postgresStore is PostgreSQL with the tables that SQLite has too, through pgx, which
// prepares each statement once. Customers are taken as they are.
type postgresStore struct {
	ctx     context.Context
	cluster *postgres
	name    string
	pool    *pgxpool.Pool
	postgresReader
}

func (p *postgres) open(ctx context.Context, _ string) (store, error) {
	name, err := p.newDatabase(ctx)
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(p.source(name))
	if err != nil {
		return nil, err
	}
	config.MaxConns = 20
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	reading, err := pool.Acquire(ctx) // for as long as the store is open
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &postgresStore{ctx, p, name, pool, postgresReader{ctx, reading}}, nil
}

// postgresTable is a table with what fills it.
type postgresTable struct {
	name, create, index string
	columns             []string
	rows                func(c *customer.Customer) [][]any
}

func postgresTables() []postgresTable {
	all := []postgresTable{{
		name: "customer", columns: []string{"id", "code", "name", "body"},
		create: `CREATE TABLE customer (id BIGINT NOT NULL, code TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL, body BYTEA NOT NULL)`,
		index:  "ALTER TABLE customer ADD PRIMARY KEY (id); CREATE UNIQUE INDEX customer_code ON customer (code); CREATE INDEX customer_name ON customer (name)",
		rows: func(c *customer.Customer) [][]any {
			return [][]any{{int64(c.ID), c.Code, c.Name, appendBody(nil, c)}}
		},
	}}
	for by, table := range keyTables {
		t := postgresTable{name: table, columns: []string{"value", "customer"}}
		t.create = fmt.Sprintf(`CREATE TABLE %s (value TEXT COLLATE "C" NOT NULL, customer BIGINT NOT NULL)`, table)
		t.index = fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (value, customer)", table)
		if lookup(by).unique() {
			t.columns = []string{"scope", "value", "customer"}
			t.create = fmt.Sprintf(`CREATE TABLE %s (scope TEXT COLLATE "C" NOT NULL, value TEXT COLLATE "C" NOT NULL, customer BIGINT NOT NULL)`, table)
			t.index = fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (scope, value) INCLUDE (customer)", table)
		}
		t.rows = func(c *customer.Customer) (rows [][]any) {
			for _, k := range keysOf(c) {
				if k.by == lookup(by) {
					rows = append(rows, keyRow(k, int64(c.ID)))
				}
			}
			return rows
		}
		all = append(all, t)
	}
	return all
}

func keyRow(k key, id int64) []any {
	if k.by.unique() {
		return []any{k.scope, k.value, id}
	}
	return []any{k.value, id}
}

// load copies each table in a transaction that made it, so that no log is written, two at
// a time, and indexes it afterwards; each reads the list for itself.
func (s *postgresStore) load(customers iter.Seq2[*customer.Customer, error]) error {
	group, ctx := errgroup.WithContext(s.ctx)
	group.SetLimit(2)
	for _, t := range postgresTables() {
		group.Go(func() error { return s.copy(ctx, t, customers) })
	}
	return group.Wait()
}

func (s *postgresStore) copy(ctx context.Context, t postgresTable, customers iter.Seq2[*customer.Customer, error]) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, t.create); err != nil {
			return err
		}
		next, stop := iter.Pull2(t.each(customers))
		defer stop()
		_, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromFunc(func() ([]any, error) {
			row, err, _ := next()
			return row, err
		}))
		if err == nil {
			_, err = tx.Exec(ctx, t.index, pgx.QueryExecModeSimpleProtocol)
		}
		return err
	})
}

// each yields the table's rows; nil is the end.
func (t postgresTable) each(customers iter.Seq2[*customer.Customer, error]) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for c, err := range customers {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, row := range t.rows(c) {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

func (s *postgresStore) settle() error {
	_, err := s.pool.Exec(s.ctx, "CREATE SEQUENCE customer_id")
	if err == nil {
		_, err = s.pool.Exec(s.ctx, "SELECT setval('customer_id', (SELECT max(id) FROM customer))")
	}
	return err
}

func (s *postgresStore) compact() error {
	_, err := s.pool.Exec(s.ctx, "VACUUM (FREEZE, ANALYZE)")
	if err == nil {
		_, err = s.pool.Exec(s.ctx, "CHECKPOINT")
	}
	return err
}

func (s *postgresStore) size(string) (bytes int64, err error) {
	err = s.pool.QueryRow(s.ctx, "SELECT pg_database_size(current_database())").Scan(&bytes)
	return bytes, err
}

// create sends the rows of a customer in one batch, which is one turn to the server and
// one transaction.
func (s *postgresStore) create(c *customer.Customer) error {
	batch := &pgx.Batch{}
	batch.Queue("INSERT INTO customer VALUES (nextval('customer_id'), $1, $2, $3)", c.Code, c.Name, appendBody(nil, c))
	for _, k := range keysOf(c) {
		if k.by.unique() {
			batch.Queue("INSERT INTO "+keyTables[k.by]+" VALUES ($1, $2, currval('customer_id'))", k.scope, k.value)
		} else {
			batch.Queue("INSERT INTO "+keyTables[k.by]+" VALUES ($1, currval('customer_id'))", k.value)
		}
	}
	return s.pool.SendBatch(s.ctx, batch).Close()
}

func (s *postgresStore) count() (n int, err error) {
	err = s.pool.QueryRow(s.ctx, "SELECT count(*) FROM customer").Scan(&n)
	return n, err
}

func (s *postgresStore) repeated(by lookup) (r repetition, err error) {
	var sum int64
	err = s.pool.QueryRow(s.ctx, repeatedSQL(by)).Scan(&r.keys, &r.customers, &sum)
	r.sum = uint64(sum)
	return r, err
}

func (s *postgresStore) close() error {
	s.from.Release()
	s.pool.Close()
	return s.cluster.dropDatabase(context.WithoutCancel(s.ctx), s.name)
}

// view reads within one transaction.
func (s *postgresStore) view(f func(reader) error) error {
	return pgx.BeginTxFunc(s.ctx, s.from, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(pgx.Tx) error {
		return f(&s.postgresReader)
	})
}

// postgresReader reads through one connection.
type postgresReader struct {
	ctx  context.Context
	from *pgxpool.Conn
}

func (r *postgresReader) byID(id customer.ID) (*customer.Customer, error) {
	return r.one("SELECT id, code, name, body FROM customer WHERE id = $1", int64(id))
}

func (r *postgresReader) byCode(code string) (*customer.Customer, error) {
	return r.one("SELECT id, code, name, body FROM customer WHERE code = $1", code)
}

func (r *postgresReader) one(text string, arg any) (*customer.Customer, error) {
	var id int64
	var code, name string
	var body []byte
	if err := r.from.QueryRow(r.ctx, text, arg).Scan(&id, &code, &name, &body); err != nil {
		return nil, fmt.Errorf("customer %v: %w", arg, err)
	}
	c, err := decodeRecord(customer.ID(id), string(body))
	if err != nil {
		return nil, err
	}
	c.Code, c.Name = code, name
	return c, nil
}

func (r *postgresReader) holders(k key) ([]customer.ID, error) {
	where, args := " WHERE value = $1", []any{k.value}
	if k.by.unique() {
		where, args = " WHERE scope = $1 AND value = $2", []any{k.scope, k.value}
	}
	rows, err := r.from.Query(r.ctx, "SELECT customer FROM "+keyTables[k.by]+where+" ORDER BY customer", args...)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	found := make([]customer.ID, len(ids))
	for i, id := range ids {
		found[i] = customer.ID(id)
	}
	return found, errors.Join(err, rows.Err())
}
