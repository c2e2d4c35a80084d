package storage

import (
	"context"
	"fmt"
	"runtime/debug"
)

// guardedView turns a panic of an embedder's view into an error of that view, so that
// it stands still and the book goes on.
type guardedView struct{ view DerivedView }

// guard ends a call of the view; use it deferred.
func (g guardedView) guard(method string, err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("storage: view %s panicked in %s: %v\n%s", g.view.Name(), method, cause, debug.Stack())
	}
}

func (g guardedView) Name() string { return g.view.Name() }

func (g guardedView) Cursor(ctx context.Context) (cursor Cursor, err error) {
	defer g.guard("Cursor", &err)
	return g.view.Cursor(ctx)
}

func (g guardedView) Apply(ctx context.Context, r *Reader, changes []Change, to Cursor) (err error) {
	defer g.guard("Apply", &err)
	return g.view.Apply(ctx, r, changes, to)
}

func (g guardedView) Rebuild(ctx context.Context, r *Reader, to Cursor, progress func(done int)) (err error) {
	defer g.guard("Rebuild", &err)
	return g.view.Rebuild(ctx, r, to, progress)
}

func (g guardedView) Verify(ctx context.Context, r *Reader, report func(Difference)) (err error) {
	defer g.guard("Verify", &err)
	return g.view.Verify(ctx, r, report)
}

func (g guardedView) Close() (err error) {
	defer g.guard("Close", &err)
	return g.view.Close()
}
