// Package enum gives the values of an enumeration their names, as texts and in JSON.
package enum
