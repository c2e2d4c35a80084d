package kvtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/clientele-go/clientele/storage/kv"
)

func transactionProperties() []property {
	return []property{
		{"Transaction/LostUpdate", lostUpdate},
		{"Transaction/WriteSkew", writeSkew},
		{"Transaction/Phantom", phantom},
		{"Transaction/ReadOnlyAnomaly", readOnlyAnomaly},
		{"Transaction/TransfersKeepTheSum", transfersKeepTheSum},
		{"Transaction/UniqueKeyHasOneWinner", uniqueKeyHasOneWinner},
		{"Transaction/StrictSerializability", strictSerializability},
	}
}

// transaction is the smallest optimistic transaction on the contract: it reads one
// snapshot, remembers what it read, and writes all at once if that still holds. It doesn't
// see its own writes.
type transaction struct {
	ctx      context.Context
	snapshot kv.Snapshot
	batch    kv.Batch
}

func begin(ctx context.Context, e kv.Engine) (*transaction, error) {
	snapshot, err := e.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return &transaction{ctx: ctx, snapshot: snapshot, batch: kv.Batch{Since: snapshot.Stamp()}}, nil
}

// get returns the value in normal form, "" when absent.
func (tx *transaction) get(key string) (string, error) {
	tx.batch.Reads = append(tx.batch.Reads, point(key))
	value, _, err := readKey(tx.ctx, tx.snapshot, key)
	return value, err
}

func (tx *transaction) number(key string) (int, error) {
	value, err := tx.get(key)
	if err != nil || value == "" {
		return 0, err
	}
	return strconv.Atoi(value)
}

func (tx *transaction) scan(r kv.Range) ([]pair, error) {
	tx.batch.Reads = append(tx.batch.Reads, r)
	return collect(tx.ctx, tx.snapshot, r, false)
}

func (tx *transaction) set(key string, value any) {
	tx.batch.Set([]byte(key), encode(key, fmt.Sprint(value)))
}

func (tx *transaction) commit(e kv.Engine) (kv.Position, error) {
	defer tx.snapshot.Close()
	return e.Apply(tx.ctx, &tx.batch)
}

func (tx *transaction) abandon() { tx.snapshot.Close() }

// update runs f in transactions until one commits, or fails otherwise than by conflict.
func update(ctx context.Context, e kv.Engine, f func(tx *transaction) error) (kv.Position, error) {
	for try := 0; ; try++ {
		at, err := attempt(ctx, e, f)
		if !errors.Is(err, kv.ErrConflict) {
			return at, err
		}
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("%d conflicts in a row: %w", try+1, err)
		}
		time.Sleep(rand.N(time.Duration(min(try, 20)+1) * 50 * time.Microsecond))
	}
}

func attempt(ctx context.Context, e kv.Engine, f func(tx *transaction) error) (kv.Position, error) {
	tx, err := begin(ctx, e)
	if err != nil {
		return 0, err
	}
	if err := f(tx); err != nil {
		tx.abandon()
		return 0, err
	}
	return tx.commit(e)
}

// begin starts a transaction for a scripted interleaving.
func (s *subject) begin() *transaction {
	s.t.Helper()
	tx, err := begin(s.t.ctx, s.Engine)
	if err != nil {
		s.t.Fatalf("Snapshot: %v", err)
	}
	s.t.Cleanup(tx.abandon)
	return tx
}

// must is for the errors of scripted transactions.
func must[T any](t *trial) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%v", err)
		}
		return value
	}
}

// interleave sees to it that of two transactions that began together only the first commits. The
// engine may refuse the first as well, but not for ever.
func (s *subject) interleave(what string, prepare func(), script func(first, second *transaction)) {
	s.t.Helper()
	s.t.eventually(what+": the first transaction to commit", func() error {
		prepare()
		first, second := s.begin(), s.begin()
		script(first, second)
		_, err := first.commit(s.Engine)
		s.t.note("%s, the first: %s", what, outcome(describeBatch(&first.batch), 0, err))
		if err != nil {
			second.abandon()
			return err
		}
		_, err = second.commit(s.Engine)
		s.t.note("%s, the second: %s", what, outcome(describeBatch(&second.batch), 0, err))
		if !errors.Is(err, kv.ErrConflict) {
			s.t.Fatalf("%s: the second transaction's Apply returned %v, want ErrConflict because the first wrote what it read", what, err)
		}
		return nil
	})
}

// Two read 0 and each writes 1 more: one of them must be told. Then many do so at once.
func lostUpdate(t *trial) {
	s := t.open()
	number := must[int](t)
	s.interleave("lost update", func() { s.apply(set("n", "0")) }, func(first, second *transaction) {
		first.set("n", number(first.number("n"))+1)
		second.set("n", number(second.number("n"))+1)
	})
	s.apply(set("n", "0"))
	const workers = 6
	busy := &shift{workers: workers}
	var increments atomic.Int64
	t.parallel(workers, func(ctx context.Context, _ int) error {
		for n := 0; busy.more(ctx, n, t.times(25)); n++ {
			if _, err := update(ctx, s.Engine, increment); err != nil {
				return err
			}
			increments.Add(1)
		}
		return nil
	})
	t.note("%d workers increment n %d times in all, in transactions", workers, increments.Load())
	s.want("n", fmt.Sprint(increments.Load()))
}

func increment(tx *transaction) error {
	n, err := tx.number("n")
	tx.set("n", n+1)
	return err
}

// Two are on call and each may leave while the other stays (Fekete et al., "Making
// snapshot isolation serializable", TODS 2005, §2).
func writeSkew(t *trial) {
	s := t.open()
	number := must[int](t)
	onCall := func() { s.apply(set("ann", "1"), set("bob", "1")) }
	s.interleave("write skew", onCall, func(first, second *transaction) {
		for tx, leaves := range map[*transaction]string{first: "ann", second: "bob"} {
			if number(tx.number("ann"))+number(tx.number("bob")) == 2 {
				tx.set(leaves, 0)
			}
		}
	})
	for round := range t.times(15) {
		onCall()
		t.parallel(2, func(ctx context.Context, i int) error {
			_, err := update(ctx, s.Engine, func(tx *transaction) error { return leave(tx, []string{"ann", "bob"}[i]) })
			return err
		})
		values := must[[]string](t)(readTogether(t.ctx, s.Engine, []string{"ann", "bob"}))
		if values[0] == "0" && values[1] == "0" {
			t.Fatalf("round %d: both left, each because the other stayed", round)
		}
	}
}

func leave(tx *transaction, who string) error {
	ann, err := tx.number("ann")
	if err != nil {
		return err
	}
	bob, err := tx.number("bob")
	if ann+bob == 2 {
		tx.set(who, 0)
	}
	return err
}

// A range may hold two entries and has one: two transactions each add another. Then many do so at once.
func phantom(t *trial) {
	s := t.open()
	s.needRanges()
	s.apply(set("seat/5", "1"))
	scan := must[[]pair](t)
	room := 0
	for _, keys := range [][2]string{{"1", "9"}, {"9", "1"}, {"4", "6"}, {"5", "5"}} {
		s.interleave("phantom", func() { room++; s.apply(set(fmt.Sprintf("room%d/5", room), "1")) },
			func(first, second *transaction) {
				prefix := fmt.Sprintf("room%d/", room)
				for i, tx := range []*transaction{first, second} {
					if len(scan(tx.scan(kv.Prefix([]byte(prefix))))) < 2 {
						tx.set(prefix+keys[i], i)
					}
				}
			})
	}
	const limit, workers = 10, 4
	busy := &shift{workers: workers}
	t.parallel(workers, func(ctx context.Context, i int) error {
		for n := 0; busy.more(ctx, n, t.times(15)); n++ {
			if _, err := update(ctx, s.Engine, func(tx *transaction) error { return takeSeat(tx, limit, fmt.Sprintf("seat/%d.%d", n, i)) }); err != nil {
				return err
			}
		}
		return nil
	})
	v := s.snapshot()
	if seats := scan(collect(t.ctx, v, kv.Prefix([]byte("seat/")), false)); len(seats) != limit {
		t.Fatalf("%d seats are taken, want %d: each transaction counted them before it took one", len(seats), limit)
	}
}

func takeSeat(tx *transaction, limit int, seat string) error {
	taken, err := tx.scan(kv.Prefix([]byte("seat/")))
	if len(taken) < limit {
		tx.set(seat, "taken")
	}
	return err
}

// Fekete, O'Neil and O'Neil, "A read-only transaction anomaly under snapshot isolation"
// (SIGMOD Record 2004): a withdrawal with a penalty begins, a deposit commits, a report
// sees the deposit and no penalty. Then the withdrawal, which saw no deposit, may not commit.
func readOnlyAnomaly(t *trial) {
	s := t.open()
	number := must[int](t)
	s.interleave("read-only anomaly", func() { s.apply(set("checking", "0"), set("savings", "0")) },
		func(deposit, withdrawal *transaction) {
			if number(withdrawal.number("checking"))+number(withdrawal.number("savings")) < 10 {
				withdrawal.set("checking", -11) // 10 and the penalty
			}
			deposit.set("savings", number(deposit.number("savings"))+20)
		})
	report := must[[]string](t)(readTogether(t.ctx, s.Engine, []string{"checking", "savings"}))
	if report[0] != "0" || report[1] != "20" {
		t.Fatalf("the report shows checking and savings as %s, want 0 and 20", describeStrings(report))
	}
}

// Money moves among accounts at random; no snapshot shows more or less of it.
func transfersKeepTheSum(t *trial) {
	s := t.open()
	const accounts, each, workers = 6, 100, 4
	var edits []edit
	for i := range accounts {
		edits = append(edits, set(fmt.Sprint("account", i), strconv.Itoa(each)))
	}
	s.apply(edits...)
	busy := &shift{workers: workers + 1}
	t.parallel(workers+1, func(ctx context.Context, i int) error {
		r := t.random(10 + i)
		for n := 0; busy.more(ctx, n, t.times(40)); n++ {
			if i == workers {
				if err := checkSum(ctx, s.Engine, accounts, accounts*each); err != nil {
					return err
				}
				continue
			}
			from := r.IntN(accounts)
			to := (from + 1 + r.IntN(accounts-1)) % accounts
			amount := r.IntN(each)
			if _, err := update(ctx, s.Engine, func(tx *transaction) error {
				return transfer(tx, fmt.Sprint("account", from), fmt.Sprint("account", to), amount)
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err := checkSum(t.ctx, s.Engine, accounts, accounts*each); err != nil {
		t.Fatalf("%v", err)
	}
}

func transfer(tx *transaction, from, to string, amount int) error {
	has, err := tx.number(from)
	if err != nil || has < amount {
		return err
	}
	gets, err := tx.number(to)
	tx.set(from, has-amount)
	tx.set(to, gets+amount)
	return err
}

func checkSum(ctx context.Context, e kv.Engine, accounts, want int) error {
	var keys []string
	for i := range accounts {
		keys = append(keys, fmt.Sprint("account", i))
	}
	values, err := readTogether(ctx, e, keys)
	sum := 0
	for _, value := range values {
		n, _ := strconv.Atoi(value) // what transfer wrote
		sum += n
	}
	if err == nil && sum != want {
		err = fmt.Errorf("the accounts hold %s, %d together, want %d", describeStrings(values), sum, want)
	}
	return err
}

// takenError is what the creator of a present key gets.
type takenError struct{ by string }

func (e takenError) Error() string { return "taken by " + e.by }

// 64 goroutines see that a key is absent, and then all create it: one does, 63 learn who.
func uniqueKeyHasOneWinner(t *trial) {
	s := t.open()
	const racers = 64
	for round := range t.times(3) {
		key := fmt.Sprint("code", round)
		haveSeen := newBarrier(racers)
		winners := make([]string, racers)
		t.parallel(racers, func(ctx context.Context, i int) error {
			me, tries := fmt.Sprint("racer ", i), 0
			_, err := update(ctx, s.Engine, func(tx *transaction) error {
				err := claim(tx, key, me)
				if tries++; tries == 1 {
					err = errors.Join(err, haveSeen.wait(ctx))
				}
				return err
			})
			var taken takenError
			switch {
			case err == nil:
				winners[i] = me
			case errors.As(err, &taken):
				winners[i] = taken.by
			default:
				return err
			}
			return nil
		})
		for i, winner := range winners {
			s.t.note("round %d: racer %d says that the winner is %s", round, i, winner)
			s.want(key, winner)
		}
	}
}

func claim(tx *transaction, key, me string) error {
	by, err := tx.get(key)
	if err != nil {
		return err
	}
	if by != "" {
		return takenError{by}
	}
	tx.set(key, me)
	return nil
}
