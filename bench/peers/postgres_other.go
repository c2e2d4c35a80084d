//go:build !unix

package main

import (
	"context"
	"os/exec"
	"path/filepath"
)

func (p *postgres) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, filepath.Join(p.bin, program), args...)
}

func (p *postgres) giveAway() error { return nil }
