package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/internal/sample"
	"github.com/clientele-go/clientele/internal/text"
)

// nameSet is what all stores have: the names of the run's customers, folded (traditional
// characters simplified, letters small), as whoever programs a peer would do it. The
// questions are drawn from the names, and a plain scan of them says what is right.
type nameSet struct {
	list   customerFile
	folded []string // by id - 1
	length []int    // in characters without spaces
	texts  [searchKinds][]string
}

// searchKind is a kind of text that users type.
type searchKind uint8

const (
	headHan searchKind = iota
	twoHan
	threeHan
	fourHan
	insideLatin
	byPinyin
	byInitials
	searchKinds
)

// worst is the rank of the last hits that are asked for; others were found by their
// address, say.
func (k searchKind) worst() search.Rank {
	if k == headHan {
		return search.RankPrefix
	}
	return search.RankContains
}

// searchVariants is the number of texts of each kind.
const searchVariants = 30

// pageHits is the length of a page: what a customer picker shows.
const pageHits = 20

// searchQuestion asks for the first page of customers whose name contains a text: those
// whose name begins with it first, shorter names first, then by id.
type searchQuestion struct {
	line *line
	kind searchKind
}

func (q searchQuestion) figure() *line { return q.line }

func (q searchQuestion) variants() int { return searchVariants }

var searchBuild = &line{"index of names made anew, customers/s", 1, 0}

var searchQuestions = []searchQuestion{
	{&line{"type-ahead: the name begins with two characters, µs", -1, 0}, headHan},
	{&line{"the name contains two characters, µs", -1, 0}, twoHan},
	{&line{"the name contains three characters, µs", -1, 0}, threeHan},
	{&line{"the name contains four characters, µs", -1, 0}, fourHan},
	{&line{"the name contains five Latin letters, µs", -1, 0}, insideLatin},
	{&line{"the name in pinyin, two syllables, µs", -1, 0}, byPinyin},
	{&line{"the name in pinyin initials, four letters, µs", -1, 0}, byInitials},
}

func newNameSet(list customerFile, seed uint64) (*nameSet, error) {
	s := &nameSet{list: list}
	for c, err := range list.all() {
		if err != nil {
			return nil, err
		}
		name := text.Fold(c.Name)
		s.folded = append(s.folded, name)
		s.length = append(s.length, utf8.RuneCountInString(name)-strings.Count(name, " "))
	}
	draw := rand.New(rand.NewPCG(seed, 7))
	for kind := range searchKinds {
		for tries := 0; len(s.texts[kind]) < searchVariants; tries++ {
			if tries > 1_000_000 {
				return nil, fmt.Errorf("the names have too few texts of kind %d", kind)
			}
			if t, ok := kind.draw(draw, s.folded[draw.IntN(len(s.folded))]); ok && (kind >= byPinyin || !s.ambiguous(kind, t)) {
				s.texts[kind] = append(s.texts[kind], t)
			}
		}
	}
	return s, nil
}

// ambiguous reports whether Clientele's index, which keeps pairs of characters and threes
// of letters without their places, takes a name for one that contains the text though it
// has its parts elsewhere, or for one that begins with it though it begins with its first
// character alone. It is so for few texts; they are not asked for.
func (s *nameSet) ambiguous(k searchKind, part string) bool {
	runes, size := []rune(part), 2
	if k == insideLatin {
		size = 3
	}
	for _, name := range s.folded {
		all := true
		for i := 0; i+size <= len(runes) && all; i++ {
			all = strings.Contains(name, string(runes[i:i+size]))
		}
		if all && (!strings.Contains(name, part) || strings.HasPrefix(name, string(runes[:size-1])) && !strings.HasPrefix(name, part)) {
			return true
		}
	}
	return false
}

// draw takes a text of the kind from a name, if the name has one.
func (k searchKind) draw(draw *rand.Rand, name string) (string, bool) {
	runes := []rune(name)
	han := 0 // the name's first characters
	for han < len(runes) && unicode.Is(unicode.Han, runes[han]) {
		han++
	}
	lengths := [...]int{headHan: 2, twoHan: 2, threeHan: 3, fourHan: 4, byPinyin: 2, byInitials: 4}
	switch {
	case k == insideLatin:
		return drawLatin(draw, name)
	case han < 4:
		return "", false
	case k == headHan:
		return string(runes[:2]), true
	}
	if k == byPinyin || k == byInitials {
		han = 4 // users spell the beginning, not the legal form
	}
	at := draw.IntN(han - lengths[k] + 1)
	part := string(runes[at : at+lengths[k]])
	switch k {
	case byPinyin:
		return text.PinyinWord(part), true
	case byInitials:
		return text.Initials(part), true
	}
	return part, true
}

// drawLatin takes five letters from within a word, none that could be pinyin or its
// initials, since Clientele would rightly find those too.
func drawLatin(draw *rand.Rand, name string) (string, bool) {
	for word := range strings.FieldsSeq(name) {
		if len(word) < 7 || strings.ContainsFunc(word, func(r rune) bool { return r < 'a' || r > 'z' }) {
			continue
		}
		at := 1 + draw.IntN(len(word)-6)
		part := word[at : at+5]
		if strings.ContainsAny(part, "iuv") && strings.Contains(part, "st") || strings.Contains(part, "v") {
			return part, true
		}
	}
	return "", false
}

// oracle is the right page, by looking at all names.
func (s *nameSet) oracle(k searchKind, part string) []customer.ID {
	found := []customer.ID{}
	for i, name := range s.folded {
		if strings.HasPrefix(name, part) || k != headHan && strings.Contains(name, part) {
			found = append(found, customer.ID(i+1))
		}
	}
	slices.SortFunc(found, func(a, b customer.ID) int {
		return cmp.Or(s.behind(a, part)-s.behind(b, part), s.length[a-1]-s.length[b-1], cmp.Compare(a, b))
	})
	return found[:min(len(found), pageHits)]
}

// behind is 0 for names that begin with the text, 1 for others.
func (s *nameSet) behind(id customer.ID, part string) int {
	if strings.HasPrefix(s.folded[id-1], part) {
		return 0
	}
	return 1
}

// searchBook is Clientele with its search index, which has all of a customer in it: names,
// aliases, numbers, addresses, contacts and notes, in characters, pinyin and initials.
type searchBook struct {
	ctx     context.Context
	set     *nameSet
	book    *clientele.Book
	session *clientele.Session
}

func newSearchBook(ctx context.Context, dir string, s *nameSet) (*searchBook, error) {
	book, err := clientele.Open(ctx, dir, clientele.Options{CacheBytes: cacheBytes, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	b := &searchBook{ctx, s, book, book.As(clientele.Actor{ID: "bench"})}
	err = b.session.Update(ctx, func(tx *clientele.Tx) error { return tx.Customers.SetSchema(sample.Schema()) })
	if err == nil {
		err = (&bookStore{ctx: ctx, book: book, session: b.session}).load(s.list.all())
	}
	if err == nil {
		err = b.session.Sync(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, book.Close())
	}
	return b, (&bookStore{ctx: ctx, book: book}).settle()
}

func (b *searchBook) build() error { return b.book.Rebuild(b.ctx, search.ViewName) }

func (b *searchBook) name() string { return clienteleName }

func (b *searchBook) close() error { return b.book.Close() }

func (b *searchBook) ask(q searchQuestion, variant int) (string, error) {
	hits, err := b.session.Pick(b.ctx, search.Query{Text: b.set.texts[q.kind][variant], Limit: pageHits, Exact: true})
	ids := make([]customer.ID, 0, len(hits))
	for _, h := range hits {
		if h.Rank <= q.kind.worst() {
			ids = append(ids, h.ID)
		}
	}
	return fmt.Sprint(ids), err
}

// oraclePeer is the scan, which is asked for its answers only.
type oraclePeer struct{ set *nameSet }

func (p oraclePeer) name() string { return "a scan of all names" }

func (p oraclePeer) close() error { return nil }

func (p oraclePeer) ask(q searchQuestion, variant int) (string, error) {
	if q.kind >= byPinyin {
		return "", errUnable
	}
	return fmt.Sprint(p.set.oracle(q.kind, p.set.texts[q.kind][variant])), nil
}

// searchPeer is an SQL engine with the names: a trigram index, and an index by the names'
// beginnings.
type searchPeer struct {
	*sqlPeer
	set  *nameSet
	made int // how often the index was made
}

const nameTable = "CREATE TABLE name (id BIGINT NOT NULL PRIMARY KEY, folded TEXT NOT NULL, length INTEGER NOT NULL)"

func newSearchPeer(ctx context.Context, e *engine, dir string, s *nameSet) (*searchPeer, error) {
	setup := nameTable
	if e.dialect == sqliteDialect {
		setup = strings.Replace(setup, "BIGINT NOT NULL", "INTEGER", 1) // the rowid itself
	}
	peer, err := newSQLPeer(ctx, e, dir, setup)
	if err != nil {
		return nil, err
	}
	if err := e.fill(ctx, peer.db, "name", []string{"id", "folded", "length"}, s.rows()); err != nil {
		return nil, errors.Join(err, peer.close())
	}
	return &searchPeer{sqlPeer: peer, set: s}, nil
}

func (s *nameSet) rows() iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for i, name := range s.folded {
			if !yield([]any{int64(i + 1), name, int32(s.length[i])}, nil) {
				return
			}
		}
	}
}

// The statements that make the indexes of a dialect.
var nameIndexes = map[dialect]string{
	sqliteDialect: `DROP INDEX IF EXISTS name_head; DROP TABLE IF EXISTS gram;
		CREATE INDEX name_head ON name (folded, length);
		CREATE VIRTUAL TABLE gram USING fts5(folded, tokenize = 'trigram case_sensitive 1', content = 'name', content_rowid = 'id');
		INSERT INTO gram (gram) VALUES ('rebuild'); INSERT INTO gram (gram) VALUES ('optimize')`,
	postgresDialect: `CREATE EXTENSION IF NOT EXISTS pg_trgm; DROP INDEX IF EXISTS name_head; DROP INDEX IF EXISTS name_gram;
		CREATE INDEX name_head ON name (folded COLLATE "C", length, id);
		CREATE INDEX name_gram ON name USING gin (folded gin_trgm_ops)`,
}

func (p *searchPeer) build() error { return p.exec(nameIndexes[p.dialect]) }

func (p *searchPeer) ask(q searchQuestion, variant int) (string, error) {
	if q.kind >= byPinyin {
		return "", errUnable
	}
	part := p.set.texts[q.kind][variant]
	statement, args := p.statement(q.kind, part)
	ids := make([]customer.ID, 0, pageHits)
	err := p.query(statement, args, func(r *sql.Rows) error {
		var id int64
		err := r.Scan(&id)
		ids = append(ids, customer.ID(id))
		return err
	})
	return fmt.Sprint(ids), err
}

// nameOrdered orders a page; the head is asked for once more.
const nameOrdered = " ORDER BY CASE WHEN substr(folded, 1, %d) = ? THEN 0 ELSE 1 END, length, id LIMIT 20"

func (p *searchPeer) statement(kind searchKind, part string) (text string, args []any) {
	ordered := fmt.Sprintf(nameOrdered, utf8.RuneCountInString(part))
	if kind == headHan {
		return p.headStatement(part)
	}
	switch {
	case p.dialect == postgresDialect:
		return "SELECT id FROM name WHERE folded LIKE ?" + ordered, []any{"%" + part + "%", part}
	case utf8.RuneCountInString(part) < 3: // less than a trigram
		return "SELECT id FROM name WHERE instr(folded, ?)" + ordered, []any{part, part}
	}
	return "SELECT id FROM gram JOIN name ON name.id = gram.rowid WHERE gram MATCH ?" +
		strings.ReplaceAll(ordered, "folded", "name.folded"), []any{`"` + part + `"`, part}
}

// headStatement finds the names that begin with the text.
func (p *searchPeer) headStatement(part string) (text string, args []any) {
	collation := ""
	if p.dialect == postgresDialect {
		collation = ` COLLATE "C"`
	}
	return fmt.Sprintf("SELECT id FROM name WHERE folded%[1]s >= ? AND folded%[1]s < ? ORDER BY length, id LIMIT 20", collation),
		[]any{part, part + "\U0010FFFF"}
}

// runSearch measures questions about names.
func runSearch(g *stage) (err error) {
	set, err := newNameSet(g.list, g.seed)
	if err != nil {
		return err
	}
	z := &quiz[searchQuestion]{stage: g, questions: searchQuestions}
	defer func() { err = errors.Join(err, z.close()) }()
	fmt.Fprintln(g.log, "  filling: Clientele")
	book, err := newSearchBook(g.ctx, filepath.Join(g.dir, "book"), set)
	if err != nil {
		return err
	}
	z.peers = append(z.peers, book)
	for _, e := range g.engines {
		peer, err := g.searchPeer(e, set)
		if err != nil {
			return err
		}
		if peer != nil {
			z.peers = append(z.peers, peer)
		}
	}
	for n := range g.rounds {
		for _, peer := range z.inTurn(n) {
			if err := g.buildIndex(peer.name(), peer.(interface{ build() error })); err != nil {
				return err
			}
		}
	}
	for _, p := range z.peers[1:] {
		if err := p.(*searchPeer).exec(p.(*searchPeer).finish); err != nil {
			return err
		}
	}
	if err := book.checkSpelled(); err != nil {
		return err
	}
	right := &quiz[searchQuestion]{stage: g, questions: searchQuestions, peers: []candidate[searchQuestion]{book, oraclePeer{set}}}
	for _, q := range searchQuestions {
		if err := right.check(q); err != nil {
			return err
		}
	}
	return z.run()
}

// searchPeer fills an engine with the names, or returns nil for one that has no index for them.
func (g *stage) searchPeer(e *engine, set *nameSet) (*searchPeer, error) {
	if nameIndexes[e.dialect] == "" {
		return nil, nil
	}
	if e.name == sqliteName && !hasFTS5 {
		g.table.absent[sqliteName+" in search"] = "its driver is built without FTS5; build with -tags sqlite_fts5. " + moderncName + " has it"
		return nil, nil
	}
	fmt.Fprintln(g.log, "  filling:", e.name)
	dir := filepath.Join(g.dir, e.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return newSearchPeer(g.ctx, e, dir, set)
}

func (g *stage) buildIndex(name string, x interface{ build() error }) error {
	fmt.Fprintln(g.log, "  indexing:", name)
	began := time.Now()
	if err := x.build(); err != nil {
		return fmt.Errorf("%s: index: %w", name, err)
	}
	g.table.add(searchBuild, name, float64(g.rows)/time.Since(began).Seconds())
	return g.ctx.Err()
}

// checkSpelled finds that somebody is found by pinyin and initials, which no peer knows.
// Whether they read so is for the tests of package search, which know of characters with
// several readings.
func (b *searchBook) checkSpelled() error {
	for _, q := range searchQuestions[byPinyin:] {
		for v := range searchVariants {
			answer, err := b.ask(q, v)
			if err != nil {
				return err
			}
			if answer == "[]" {
				return fmt.Errorf("%s: nobody is found by %q, taken from a name", q.line.name, b.set.texts[q.kind][v])
			}
		}
	}
	return nil
}
