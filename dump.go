package clientele

import (
	"context"
	"io"
)

// Dump writes the whole book, with its history, as JSON Lines that people and other
// programs can read and [Book.Fill] makes an equal book of. It shows everything: it is for
// who keeps the book, like Backup, which is faster. See [storage.Store.Dump].
func (b *Book) Dump(ctx context.Context, w io.Writer) error { return b.store.Dump(ctx, w) }

// Fill makes an empty book equal to the one that wrote a dump. A damaged dump is refused
// before anything is written. See [storage.Store.Fill].
func (b *Book) Fill(ctx context.Context, dump io.ReadSeeker) error { return b.store.Fill(ctx, dump) }
