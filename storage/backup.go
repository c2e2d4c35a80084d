package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Manifest describes a backup. It stands beside the engine's files in manifest.json.
type Manifest struct {
	Format  int       `json:"format"` // of the manifest
	Book    string    `json:"book"`
	Made    time.Time `json:"made"`
	Journal int64     `json:"journal"` // entries in the backup's journal, at least
	Root    string    `json:"root"`    // of the journal's Merkle tree at that size, base64
	Files   []File    `json:"files"`
}

// File is one file of a backup.
type File struct {
	Name   string `json:"name"` // slash-separated, below the backup's folder
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

const (
	manifestName   = "manifest.json"
	manifestFormat = 1
	backupData     = "book" // the engine's files within a backup
)

// Backup writes a copy of the book into dir, which must not exist or be empty,
// while writers go on. The copy holds at least everything committed before the call.
// Every file is read back and its hash noted; a backup without its manifest was not
// finished. Views are left out: they are rebuilt after a restore.
func (s *Store) Backup(ctx context.Context, dir string, progress func(done, total int64)) (*Manifest, error) {
	defer s.observe("backup", time.Now())
	m, err := s.backup(ctx, dir, progress)
	if err != nil {
		return nil, &Error{Op: "back up to", Key: dir, Err: err}
	}
	return m, nil
}

func (s *Store) backup(ctx context.Context, dir string, progress func(done, total int64)) (*Manifest, error) {
	if err := emptyDir(dir); err != nil {
		return nil, err
	}
	if _, err := s.Purge(ctx); err != nil {
		return nil, err
	}
	head, err := s.Head(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.engine.Backup(ctx, filepath.Join(dir, backupData), progress); err != nil {
		return nil, err
	}
	m := &Manifest{Format: manifestFormat, Book: s.book, Made: s.Now(), Journal: head.Size, Root: head.Root.String()}
	if m.Files, err = hashFiles(ctx, dir); err != nil {
		return nil, err
	}
	return m, writeManifest(dir, m)
}

// emptyDir makes dir, or makes sure that it is empty.
func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return checkFree(dir)
}

// checkFree reports a dir that holds anything.
func checkFree(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && len(entries) > 0:
		return fmt.Errorf("%w: the folder is not empty; name a new one", ErrExists)
	}
	return err
}

func hashFiles(ctx context.Context, dir string) ([]File, error) {
	var files []File
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == manifestName && filepath.Dir(path) == dir {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		file, err := hashFile(path)
		file.Name = filepath.ToSlash(name)
		files = append(files, file)
		return err
	})
	return files, err
}

func hashFile(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return File{Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, err
}

// writeManifest writes the manifest last and durably: its presence says that the
// backup is whole.
func writeManifest(dir string, m *Manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, manifestName))
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Sync(), f.Close(), syncDir(dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// CheckBackup reads a whole backup and compares it with its manifest. It fails with
// an error that wraps ErrDamagedBackup and names the first file that is wrong.
func CheckBackup(ctx context.Context, dir string) (*Manifest, error) {
	m, err := checkBackup(ctx, dir)
	if err != nil {
		return nil, &Error{Op: "check backup", Key: dir, Err: err}
	}
	return m, nil
}

func checkBackup(ctx context.Context, dir string) (*Manifest, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: it has no %s, so it was not finished or is no backup", ErrDamagedBackup, manifestName)
	}
	if err != nil {
		return nil, err
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamagedBackup, manifestName, err)
	}
	if m.Format != manifestFormat {
		return nil, fmt.Errorf("%w: the backup has format %d, this program knows %d", ErrFormat, m.Format, manifestFormat)
	}
	found, err := hashFiles(ctx, dir)
	if err != nil {
		return nil, err
	}
	for _, want := range m.Files {
		if !strings.HasPrefix(want.Name, backupData+"/") { // Restore would write it elsewhere
			return nil, fmt.Errorf("%w: file %s does not lie in the folder %s", ErrDamagedBackup, want.Name, backupData)
		}
		i := slices.IndexFunc(found, func(f File) bool { return f.Name == want.Name })
		if i < 0 {
			return nil, fmt.Errorf("%w: file %s is missing", ErrDamagedBackup, want.Name)
		}
		if found[i] != want {
			return nil, fmt.Errorf("%w: file %s does not match its hash", ErrDamagedBackup, want.Name)
		}
	}
	if len(found) != len(m.Files) {
		return nil, fmt.Errorf("%w: it holds %d files, its manifest lists %d", ErrDamagedBackup, len(found), len(m.Files))
	}
	return &m, nil
}

// Restore checks a backup and copies it into dir, which must not exist or be empty;
// an engine of the same kind can then open dir. A damaged backup is refused before
// anything is written. The copy is made in a folder beside dir, whose name begins like
// dir's, and takes dir's place when it is whole; so a crash leaves dir as it was.
func Restore(ctx context.Context, backup, dir string) (*Manifest, error) {
	m, err := CheckBackup(ctx, backup)
	if err != nil {
		return nil, err
	}
	if err := restore(ctx, backup, dir, m); err != nil {
		return nil, &Error{Op: "restore to", Key: dir, Err: err}
	}
	return m, nil
}

func restore(ctx context.Context, backup, dir string, m *Manifest) error {
	if err := checkFree(dir); err != nil {
		return err
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	unfinished, err := os.MkdirTemp(parent, filepath.Base(dir)+".unfinished-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(unfinished) // gone by then, unless something failed
	if err := copyFiles(ctx, backup, unfinished, m); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := errors.Join(os.Chmod(unfinished, 0o755), os.Rename(unfinished, dir)); err != nil {
		return err
	}
	return syncDir(parent)
}

func copyFiles(ctx context.Context, backup, dir string, m *Manifest) error {
	for _, f := range m.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		name, err := filepath.Rel(backupData, filepath.FromSlash(f.Name))
		if err != nil {
			return err
		}
		if err := copyFile(filepath.Join(backup, filepath.FromSlash(f.Name)), filepath.Join(dir, name), f); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

// copyFile copies durably and makes sure that what it read is what was checked.
func copyFile(from, to string, want File) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, h), in)
	err = errors.Join(err, out.Sync(), out.Close())
	if err == nil && hex.EncodeToString(h.Sum(nil)) != want.SHA256 {
		err = fmt.Errorf("%w: file %s changed while it was copied", ErrDamagedBackup, want.Name)
	}
	return err
}
