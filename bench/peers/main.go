// Peers runs the same work on Clientele and on its peers, side by side, and prints a
// table: bulk loads, durable single creates, lookups, exact duplicates, search in names,
// filters and cross-tabs of tags, aging of receivables.
//
//	go run . [-rows 200000] [-rounds 3] [-only load,get,…] [-json FILE] [-write FILE] …
//
// README.md says what is compared and how it is kept fair.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	p := plan{seed: 1, checks: 1000}
	flag.IntVar(&p.rows, "rows", 200_000, "customers to load, at most 9 million")
	flag.IntVar(&p.rounds, "rounds", 3, "rounds, in each of which every store does everything")
	flag.IntVar(&p.gets, "gets", 100_000, "lookups of each kind and round")
	flag.DurationVar(&p.creating, "for", 2*time.Second, "how long each store creates single customers")
	flag.DurationVar(&p.asking, "ask", 1500*time.Millisecond, "how long each store is asked each question about names, tags and receivables, in each round")
	flag.StringVar(&p.dir, "dir", os.TempDir(), "where the stores are made, and removed again")
	flag.Func("only", "the only kinds of work to do, with commas between them: "+strings.Join(kinds, ", "), func(text string) error {
		p.only = strings.Split(text, ",")
		return nil
	})
	flag.Func("stores", "who takes part beside Clientele, with semicolons between them: "+strings.Join(columns[1:], "; "), func(text string) error {
		for name := range strings.SplitSeq(text, ";") {
			p.stores = append(p.stores, strings.TrimSpace(name))
		}
		return nil
	})
	flag.StringVar(&p.json, "json", "", "a file for all figures of all rounds")
	flag.StringVar(&p.write, "write", "", "a Markdown file that has the marks between which the table is put, such as ../../docs/performance.md")
	flag.StringVar(&p.profile, "profile", "", "a file for the processor profile of Clientele's loads")
	flag.Parse()
	if err := p.check(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := p.run(ctx, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// check refuses what can't be run.
func (p plan) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("there are flags only, what is %q?", rest[0])
	case p.rows < 1 || p.rows > 9_000_000:
		return fmt.Errorf("-rows is %d; give 1 to 9,000,000, beyond which sample codes repeat", p.rows)
	case slices.ContainsFunc(p.only, func(kind string) bool { return !slices.Contains(kinds, kind) }):
		return fmt.Errorf("-only is %s; it can be some of %s", strings.Join(p.only, ","), strings.Join(kinds, ","))
	case slices.ContainsFunc(p.stores, func(name string) bool { return !slices.Contains(columns, name) }):
		return fmt.Errorf("-stores is %q; it can be some of %s", strings.Join(p.stores, "; "), strings.Join(columns[1:], "; "))
	case p.rounds < 1 || p.gets < 1 || p.creating <= 0 || p.asking <= 0:
		return fmt.Errorf("-rounds, -gets, -for and -ask must be above zero")
	}
	return nil
}
