// Scratch tries SQLite variants.
package main
