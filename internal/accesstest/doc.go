// Package accesstest has a [customer.Access] for tests that says what it is told to,
// without units, roles and grants.
package accesstest
