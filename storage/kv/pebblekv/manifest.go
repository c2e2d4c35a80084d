package pebblekv

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// startManifest has Pebble begin a new manifest, the file that lists the tables with their
// least and greatest keys. An old one still tells those of replaced tables.
//
// Pebble begins one, since MaxManifestFileSize is small, when an edit is made and more tables
// have come and gone since the last one than there are. So here come, and go, some
// empty ones.
func (e *Engine) startManifest(ctx context.Context) error {
	before := e.jobs.manifest.Load()
	for e.jobs.manifest.Load() == before && e.fs.err() == nil {
		m := e.db.Metrics()
		if err := e.addEmptyTables(ctx, int(m.Total().TablesCount)/2+1); err != nil {
			return err
		}
		if err := e.db.Excise(ctx, pebble.KeyRange{Start: emptyKey(0), End: []byte{private, emptyTag + 1}}); err != nil {
			return err
		}
	}
	return nil
}

// addEmptyTables adds n tables of one key each, which lies below all others.
func (e *Engine) addEmptyTables(ctx context.Context, n int) error {
	in := &ingestion{e: e, dir: e.temporaryName("purge")}
	pieces := make([]piece, n)
	for i := range pieces {
		pieces[i] = piece{n: 1, own: true, entry: func(int) (key, value []byte) { return emptyKey(i), nil }}
	}
	err := e.fs.MkdirAll(in.dir, 0o755)
	if err == nil {
		err = in.build(ctx, pieces)
	}
	if err == nil {
		err = e.db.Ingest(ctx, in.tables)
	}
	return errors.Join(err, in.cleanUp())
}

func emptyKey(i int) []byte {
	return binary.BigEndian.AppendUint32([]byte{private, emptyTag}, uint32(i))
}
