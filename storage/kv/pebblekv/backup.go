package pebblekv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/clientele-go/clientele/storage/kv"
)

// copyBytes is the portion after which a copy looks at the context and reports.
const copyBytes = 1 << 20

// Backup implements [kv.Engine]. The copy is what Open takes, in the operating
// system's file system even when the engine's is another. It holds what was committed
// when the call was made and perhaps a little more, all of it durable here. Making the
// checkpoint takes milliseconds and, while the copy is made, disk space for tables
// that would otherwise have been removed.
func (e *Engine) Backup(ctx context.Context, dir string, progress func(done, total int64)) error {
	if err := e.enter(ctx, "back up"); err != nil {
		return err
	}
	defer e.calls.leave()
	if cause := e.fs.err(); cause != nil {
		return stopped("back up", kv.ErrFailed, cause)
	}
	if err := makeEmpty(dir); err != nil {
		return wrap("back up to "+dir, err)
	}
	from, err := e.checkpoint()
	if err == nil {
		c := &copying{e: e, ctx: ctx, from: from, to: dir, progress: progress}
		err = wrap("back up to "+dir, c.run())
	}
	return errors.Join(err, e.dropCheckpoint(from))
}

func makeEmpty(dir string) error {
	if err := makeDirectory(vfs.Default, filepath.Clean(dir)); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%w: the directory is not empty", kv.ErrInvalid)
	}
	return err
}

// checkpoint freezes the present state in a directory, by hard links as far as it can.
// Of an engine that is read only, its own directory is such a state.
func (e *Engine) checkpoint() (dir string, err error) {
	if e.options.ReadOnly {
		return e.dir, nil
	}
	dir = e.temporaryName("backup")
	e.checkpoints.Lock()
	err = e.db.Checkpoint(dir, pebble.WithFlushedWAL())
	e.checkpoints.Unlock()
	if err != nil {
		return dir, wrap("back up", err)
	}
	// The log may have been copied with commits that were not synced yet. The copy
	// must not know of commits that a crash could still take back.
	return dir, e.sync()
}

func (e *Engine) dropCheckpoint(dir string) error {
	if e.options.ReadOnly {
		return nil
	}
	return wrap("back up: remove checkpoint", e.fs.RemoveAll(dir))
}

// copying copies one directory out of the engine's file system.
type copying struct {
	e           *Engine
	ctx         context.Context
	from, to    string
	progress    func(done, total int64)
	done, total int64
}

func (c *copying) run() error {
	names, err := c.files()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := c.file(name); err != nil {
			return err
		}
	}
	return syncDirectory(vfs.Default, c.to)
}

// files returns the names to copy and adds up their sizes.
func (c *copying) files() ([]string, error) {
	all, err := c.e.fs.List(c.from)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range all {
		info, err := c.e.fs.Stat(c.e.fs.PathJoin(c.from, name))
		if err != nil {
			return nil, err
		}
		if !info.IsDir() && name != "LOCK" {
			names = append(names, name)
			c.total += info.Size()
		}
	}
	return names, nil
}

func (c *copying) file(name string) (err error) {
	from, err := c.e.fs.Open(c.e.fs.PathJoin(c.from, name))
	if err != nil {
		return err
	}
	defer from.Close() // read only: nothing to lose
	to, err := os.OpenFile(filepath.Join(c.to, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	for {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		n, err := io.CopyN(to, from, copyBytes)
		c.done += n
		if c.progress != nil && n > 0 {
			c.progress(c.done, c.total)
		}
		if err == io.EOF {
			return to.Sync()
		}
		if err != nil {
			return err
		}
	}
}
