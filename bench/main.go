// Bench measures: go run ./bench <command> [flags].
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// command is a subcommand of the program.
type command struct {
	name, does string
	run        func(ctx context.Context, args []string, out io.Writer) error
}

var commands = []command{
	{"accuracy", "duplicate detection against labelled sets", runAccuracy},
	{"match", "duplicate detection on generated records: time, memory, accuracy", runMatch},
	{"names", "comparison of names against labelled pairs", runNames},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := dispatch(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 {
		for _, c := range commands {
			if c.name == args[0] {
				return c.run(ctx, args[1:], out)
			}
		}
	}
	usage := "usage: go run ./bench <command> [flags]"
	for _, c := range commands {
		usage += fmt.Sprintf("\n  %-10s %s", c.name, c.does)
	}
	return fmt.Errorf("%s", usage)
}
