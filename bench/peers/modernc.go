package main

// moderncVersion is the version of the SQLite that was translated to Go.
func moderncVersion() string { return moduleVersion("modernc.org/sqlite") }
