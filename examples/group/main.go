// Group keeps the customers of a company group: headquarters, three regions and twelve
// branches, with generated Chinese and English customers. It shows that branches don't see
// each other, what sharing and a transfer change, why a read is denied, live totals of
// every level with what is owed by how long it is due, and a review of who was given what.
//
//	go run ./examples/group [-customers 1200]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"

	"github.com/clientele-go/clientele"
)

// mostCustomers are what a book in memory holds.
const mostCustomers = 1_000_000

func main() {
	customers := flag.Int("customers", 1200, "how many customers the group has")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "group: takes no arguments, only -customers; what is %q?\n", flag.Arg(0))
		os.Exit(2)
	}
	if *customers < len(branches) || *customers > mostCustomers {
		fmt.Fprintf(os.Stderr, "group: -customers %d: use %d, one for each branch, to %d\n", *customers, len(branches), mostCustomers)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	slog.SetLogLoggerLevel(slog.LevelWarn)
	if err := run(ctx, os.Stdout, *customers); err != nil {
		fmt.Fprintln(os.Stderr, "group:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, customers int) error {
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true, TickEvery: -1})
	if err != nil {
		return err
	}
	defer book.Close()
	g := &group{ctx: ctx, out: out, book: book}
	for _, step := range []func() error{
		g.organise, func() error { return g.load(customers) }, g.give,
		g.isolation, g.sharing, g.transfer, g.totals, g.invoice, g.receivables, g.denied, g.review,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
