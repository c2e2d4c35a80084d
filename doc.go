// Package clientele keeps the customer master data of an accounting, invoicing or
// inventory product: in one process and one directory, without a server and without
// cgo.
//
// A [Book] is one company group's data set. Whoever works on it does so as an
// [Actor], in a [Session]:
//
//	book, err := clientele.Open(ctx, "data", clientele.Options{})
//	defer book.Close()
//
//	me := book.As(clientele.Actor{ID: "wang.li", Reason: "new account"})
//	err = me.Update(ctx, func(tx *clientele.Tx) error {
//		_, err := tx.Customers.Create(customer.Draft{Name: "台灣水泥股份有限公司"})
//		return err
//	})
//
// # Transactions
//
// [Session.Update] runs a function that reads and writes, and commits all of it or
// nothing. Transactions are serializable: each behaves as if it ran alone. To that
// end Update runs the function again when something that it read has been changed
// meanwhile, so the function must have no effect but on its transaction, and must not
// call Update. When Update returns nil, the change survives the crash of the process
// and of the machine. [Session.View] reads one consistent state.
//
// # Search
//
// The search index follows the journal some hundredths of a second behind.
// [Session.Sync] waits until it holds everything committed before.
//
// # Trust
//
// Every change is an entry of the journal, a Merkle log: [Book.Head] is its state at a
// moment, which can be signed and kept elsewhere, and later be used to prove that
// nothing before it was changed. [Book.Verify] compares everything that is stored
// twice and names every difference; [Book.Repair] mends what can be derived.
// [Book.Backup] and [Restore] copy books.
package clientele
