// Bench measures: go run ./bench <command> [flags].
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/clientele-go/clientele/bench/capacity"
	"github.com/clientele-go/clientele/bench/scale"
)

// command is a subcommand of the program.
type command struct {
	name, does string
	run        func(ctx context.Context, args []string, out io.Writer) error
}

var commands = []command{
	{"capacity", "how many customers this machine holds", onStderr(capacity.Command)},
	{"compare", "two reports of capacity: what has changed", capacity.CompareCommand},
	{"soak", "a long mixed load: what creeps", onStderr(capacity.SoakCommand)},
	{"scale", "what a hundred million customers take, by a report of capacity", scale.Command},
	{"accuracy", "duplicate detection against labelled sets", runAccuracy},
	{"match", "duplicate detection on generated records: time, memory, accuracy", runMatch},
	{"names", "comparison of names against labelled pairs", runNames},
}

// onStderr lets a command tell how far it is.
func onStderr(run func(ctx context.Context, args []string, out, log io.Writer) error) func(context.Context, []string, io.Writer) error {
	return func(ctx context.Context, args []string, out io.Writer) error { return run(ctx, args, out, os.Stderr) }
}

func main() {
	if capacity.Child() {
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := dispatch(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) { // which has told
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
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		usage = fmt.Sprintf("bench: no command %q\n%s", args[0], usage)
	}
	for _, c := range commands {
		usage += fmt.Sprintf("\n  %-10s %s", c.name, c.does)
	}
	return fmt.Errorf("%s", usage)
}
