//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// command is a program of PostgreSQL's. It refuses to run as root, who lends it the account
// that Debian's package makes.
func (p *postgres) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(p.bin, program), args...)
	c.Dir = p.dir
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt of the terminal is ours to pass on
	if id, ok := account(); ok {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: id.uid, Gid: id.gid}
	}
	return c
}

type accountID struct{ uid, gid uint32 }

// account is whom the server runs as instead of root.
func account() (accountID, bool) {
	if os.Getuid() != 0 {
		return accountID{}, false
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return accountID{}, false
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return accountID{}, false
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return accountID{uint32(uid), uint32(gid)}, err == nil
}

// giveAway hands the directory to the server's account, and lets it pass through those above.
func (p *postgres) giveAway() error {
	id, ok := account()
	if !ok {
		return nil
	}
	if err := os.Chmod(filepath.Dir(p.dir), 0o711); err != nil {
		return err
	}
	return os.Chown(p.dir, int(id.uid), int(id.gid))
}
