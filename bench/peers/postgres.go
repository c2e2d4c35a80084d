package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// postgres is a cluster of its own that runs as long as the program, on a socket in a
// directory that only it uses.
type postgres struct {
	dir     string
	bin     string
	server  *exec.Cmd
	created atomic.Int64 // databases
}

// errNoPostgres tells that the machine has no PostgreSQL.
var errNoPostgres = errors.New("its programs are not on this machine (Debian: postgresql-15)")

// postgresPrograms returns the directory of initdb and postgres: the newest version's, as
// Debian has it, or the one in the path.
func postgresPrograms() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		return filepath.Dir(slices.Max(found)), nil
	}
	if program, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(program), nil
	}
	return "", errNoPostgres
}

// postgresVersion returns the version of the server's program.
func postgresVersion() string {
	bin, err := postgresPrograms()
	if err != nil {
		return "absent"
	}
	out, _ := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	fields := strings.Fields(string(out))
	if len(fields) < 3 {
		return "of an unknown version"
	}
	return fields[2]
}

// startPostgres makes a cluster in a directory and starts it. It is set up as for a machine
// that it has for itself: commits are durable, and a load into a table that is made in the
// same transaction needs no log.
func startPostgres(ctx context.Context, dir string) (*postgres, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	p := &postgres{dir: dir, bin: bin}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := p.giveAway(); err != nil {
		return nil, err
	}
	init := p.command(ctx, "initdb", "-D", p.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s; the account that it runs as must be able to pass through -dir", err, out)
	}
	args := []string{"-D", p.data(), "-k", p.dir}
	for _, setting := range []string{
		"listen_addresses=", "max_connections=60",
		fmt.Sprintf("shared_buffers=%dMB", cacheBytes>>20), "effective_cache_size=4GB", "work_mem=256MB", "maintenance_work_mem=1GB",
		"wal_level=minimal", "max_wal_senders=0", "max_wal_size=8GB", "checkpoint_timeout=30min", "wal_compression=lz4",
		"fsync=on", "synchronous_commit=on", "random_page_cost=1.1", "effective_io_concurrency=200", "jit=off", "huge_pages=try",
		fmt.Sprintf("max_parallel_workers_per_gather=%d", runtime.GOMAXPROCS(0)),
		fmt.Sprintf("max_parallel_maintenance_workers=%d", runtime.GOMAXPROCS(0)),
	} {
		args = append(args, "-c", setting)
	}
	p.server = p.command(context.Background(), "postgres", args...) // stop ends it in order
	log, err := os.Create(p.log())
	if err != nil {
		return nil, err
	}
	p.server.Stdout, p.server.Stderr = log, log
	if err := errors.Join(p.server.Start(), log.Close()); err != nil {
		return nil, err
	}
	if err := p.await(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *postgres) log() string { return filepath.Join(p.dir, "server.log") }

// await waits until the server answers.
func (p *postgres) await(ctx context.Context) error {
	db, err := sql.Open("pgx", p.source("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for waited := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		err := db.PingContext(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if time.Since(waited) > time.Minute {
			said, _ := os.ReadFile(p.log())
			return fmt.Errorf("the server does not start: %w: %s", err, said)
		}
	}
}

// source names a database of the cluster for the driver.
func (p *postgres) source(database string) string {
	return fmt.Sprintf("host=%s user=postgres dbname=%s", p.dir, database)
}

// newDatabase makes a database and returns its name.
func (p *postgres) newDatabase(ctx context.Context) (string, error) {
	db, err := sql.Open("pgx", p.source("postgres"))
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("peers%d", p.created.Add(1))
	_, err = db.ExecContext(ctx, "CREATE DATABASE "+name)
	return name, errors.Join(err, db.Close())
}

func (p *postgres) dropDatabase(ctx context.Context, name string) error {
	db, err := sql.Open("pgx", p.source("postgres"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
	return errors.Join(err, db.Close())
}

// openBySQL opens a new database for questions.
func (p *postgres) openBySQL(ctx context.Context, _ string) (*sql.DB, error) {
	name, err := p.newDatabase(ctx)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("pgx", p.source(name))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// stop ends the server, which takes its sessions' end for granted.
func (p *postgres) stop() error {
	if p == nil {
		return nil
	}
	if err := p.server.Process.Signal(os.Interrupt); err != nil { // "fast shutdown"
		return err
	}
	return p.server.Wait()
}
