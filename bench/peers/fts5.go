//go:build sqlite_fts5 || fts5

package main

// hasFTS5 tells whether the C SQLite has full-text search: its driver has a build tag for it.
const hasFTS5 = true
