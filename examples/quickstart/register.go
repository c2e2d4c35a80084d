package main

import (
	"bytes"
	"embed"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

//go:embed data/*.csv
var registers embed.FS

// system is the register's name in the crosswalk: companies are known by stock code.
const system = "twse"

func options() clientele.Options {
	return clientele.Options{Customers: customer.Options{Country: "TW"}}
}

// registerMapping says what the register's columns hold. A company is found by its stock
// code, or by its tax id when it has a new one.
func registerMapping() *exchange.Mapping {
	return &exchange.Mapping{Format: "csv", HeaderRow: 1, HeaderRows: 1, Columns: []exchange.Column{
		{Column: 1, Heading: "code", Field: exchange.Code, Prefix: "TW", Also: []exchange.Field{"source." + system}},
		{Column: 2, Heading: "name", Field: exchange.Name},
		{Column: 3, Heading: "address", Field: exchange.Address},
		{Column: 4, Heading: "chairman", Field: exchange.ContactName},
		{Column: 5, Heading: "phone", Field: "phone.office"},
		{Column: 6, Heading: "email", Field: exchange.Email},
		{Column: 7, Heading: "website", Field: exchange.Website},
		{Column: 8, Heading: "tax_id", Field: "identifier.tw.ubn"},
	}}
}

// registerFile is one export of the register.
func registerFile(name string) (*tabular.File, error) {
	content, err := registers.ReadFile("data/" + name)
	return &tabular.File{Name: name, Content: bytes.NewReader(content), Size: int64(len(content))}, err
}

// importRegister brings the book up to a register: companies that it knows are updated,
// others created, so importing twice changes nothing. Values that the book refuses go to
// the note rather than being lost, and are told. Companies that the register hasn't are
// archived if it is the newest.
func importRegister(t *tour, file, reason string, newest bool) (exchange.Progress, []exchange.Fault, error) {
	f, err := registerFile(file)
	if err != nil {
		return exchange.Progress{}, nil, err
	}
	var faults []exchange.Fault
	im := exchange.Import{
		File: f, Mapping: registerMapping(), Match: []exchange.Field{"source." + system, "identifier.tw.ubn"},
		ToNote: true, FormerNames: true, Duplicates: exchange.AllowDuplicates, // names may repeat in a register
		Again: true, Reason: reason, Faults: func(f exchange.Fault) { faults = append(faults, f) },
	}
	if newest {
		im.Sync = &exchange.Sync{System: system, Archive: true}
	}
	done, err := t.book.As(clientele.Actor{ID: "importer"}).Exchange().Import(t.ctx, im)
	return done, faults, err
}
