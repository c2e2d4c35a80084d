// Quickstart keeps the register of Taiwan's listed companies: it loads the list of
// 2022, searches, changes a company, loads the list of 2024 on top, counts, classifies,
// invoices, ages what is owed, blocks an order,
// verifies, backs up and restores, and tells what it did.
//
//	go run ./examples/quickstart [-dir BOOK]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/clientele-go/clientele"
)

func main() {
	dir := flag.String("dir", "", "keep the book in this folder; without, it is made in a temporary one and removed")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "quickstart: takes no arguments, only -dir; what is %q?\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	slog.SetLogLoggerLevel(slog.LevelWarn)
	if err := run(ctx, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string) error {
	work, err := os.MkdirTemp("", "clientele-quickstart-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	kept := dir != ""
	if !kept {
		dir = filepath.Join(work, "book")
	}
	tour := &tour{ctx: ctx, out: os.Stdout, work: work, started: time.Now()}
	if err := tour.walk(dir); err != nil {
		return err
	}
	if kept {
		fmt.Printf("\n  The book is kept in %s; run it again and see that nothing doubles.\n", dir)
	}
	return nil
}

// open opens the book of a folder for a Taiwanese product.
func open(ctx context.Context, dir string) (*clientele.Book, error) {
	return clientele.Open(ctx, dir, options())
}

// walk shows one thing after another.
func (t *tour) walk(dir string) (err error) {
	t.title("Clientele quickstart · 客户主数据", "the register of Taiwan's listed companies, in two exports two years apart")
	if t.book, err = open(t.ctx, dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.book.Close()) }()
	for _, step := range []func() error{
		t.loadOld, t.searchAll, t.changeOne, t.loadNew, t.count, t.classify, t.receivables, t.verify, t.backUp,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	t.say("\n  Done in %s. Next: README.md, docs/embedding.md, and this program's own source.", t.took(t.started))
	return nil
}
