package capacity

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
)

// The environment of the process that is to be killed: the book's folder, and how its
// customers' codes begin.
const (
	childFolder = "CLIENTELE_CAPACITY_CHILD"
	childPrefix = "CLIENTELE_CAPACITY_PREFIX"
)

// Child reports whether this process was started to write until it is killed, and if so
// returns only when that fails. Programs and tests that call [Run] call it first.
func Child() bool {
	dir := os.Getenv(childFolder)
	if dir == "" {
		return false
	}
	fmt.Fprintln(os.Stderr, writeUntilKilled(dir, os.Getenv(childPrefix)))
	return true
}

// writeUntilKilled creates customers from several goroutines and prints the code of each
// once it is durable.
func writeUntilKilled(dir, prefix string) error {
	ctx := context.Background()
	b, err := clientele.Open(ctx, dir, clientele.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	me := b.As(clientele.Actor{ID: actor})
	var mu sync.Mutex
	failed := make(chan error)
	for w := range writers / 2 {
		go func() {
			for i := 0; ; i++ {
				d := customer.Draft{Name: "客户 " + prefix, Code: fmt.Sprintf("%s%d-%d", prefix, w, i)}
				err := me.Update(ctx, func(tx *clientele.Tx) error {
					_, err := tx.Customers.Create(d)
					return err
				})
				if err == nil {
					mu.Lock()
					_, err = fmt.Println(d.Code)
					mu.Unlock()
				}
				if err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	return <-failed
}

// killWriter starts a process that writes to the book of a folder, kills it after some
// writes, and returns the codes of the customers that it had acknowledged.
func killWriter(ctx context.Context, dir, prefix string) (codes []string, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), childFolder+"="+dir, childPrefix+"="+prefix)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	codes = acknowledged(out, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait() // tells of the kill
	if len(codes) == 0 {
		return nil, errors.Join(errors.New("the process that was to be killed wrote nothing"), ctx.Err())
	}
	return codes, nil
}

// The writer is killed after so many writes, or so long after the first.
const (
	killAfterWrites = 300
	killAfter       = time.Second
)

// acknowledged reads codes, calls kill, and reads on to the end. A last line that was cut
// off was not acknowledged.
func acknowledged(out io.Reader, kill func()) (codes []string) {
	var timer *time.Timer
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		codes = append(codes, line[:len(line)-1])
		switch len(codes) {
		case 1:
			timer = time.AfterFunc(killAfter, kill)
		case killAfterWrites:
			kill()
		}
	}
	if timer != nil {
		timer.Stop()
	}
	return codes
}
