// Package filter is the language in which people and programs say which customers they
// mean:
//
//	region:CN-31/* AND (level:vip OR rfm:champion) AND NOT status:dormant
//
// [Parse] makes an [Expr] of a text, functions such as [Is] and [AllOf] make one in Go, and
// its String method writes the canonical text that Parse reads back as the same
// expression. The package knows the syntax only. Which fields there are, what type they
// have and who matches is for others to say, who go through an expression by a type
// switch, [Walk], [Terms] or [Rewrite].
//
// # Terms
//
// A term is a field, a colon and what is asked of it, without blanks between them:
//
//	level:vip                     the tag vip of the dimension level
//	region:"North America"        a value with blanks or signs stands in quotes
//	level:(vip|gold)              one of several values
//	region:CN-31/*                a tag and everything below it
//	region:(CN-31/*|CN-32/*)      several of those
//	amount:5..10                  a range with both its ends
//	amount:>5..<10                without its ends; also 5..<10 and >5..10
//	level:>=silver                a range with one end; also > < <=
//	has:region                    any value in the field; also region:*
//	missing:region                no value in the field
//	segment:name                  a saved filter
//	*                             everything; NOT * is nothing
//
// A field is of lower-case ASCII letters, digits and underscores, with dots between words,
// and isn't a word of the language: and, or, not, has, missing, segment. A value without
// quotes is of letters, marks and digits of any script, the middle dot, and - _ . / : + @ #
// % & $, but neither begins with a colon nor begins or ends with a dot, and has neither ..
// nor /* in it. In quotes, a backslash stands before quotes and backslashes. Values mean
// what they say: case, width and blanks in quotes stay as they are.
//
// # Operators
//
// NOT binds tighter than AND, and AND tighter than OR, as in SQL and Go; in any case of
// letters. Parentheses group.
//
// Two terms without an operator between them are an error. GitHub's search takes them as
// AND, Lucene as OR, Microsoft's KQL as OR on the same field and AND otherwise, and
// Google's AIP-160 as an AND that binds tighter than its other AND, below which OR binds
// tighter still. A filter decides who gets credit or a reminder; it shouldn't depend on
// which of them its author has in mind. For the same reason an empty text is an error.
//
// # Chinese keyboards
//
// Full-width signs of the structure are read as the ASCII ones （ ） ： ｜ ＊ ／ ＜ ＝ ＞, ≤ and
// ≥ as <= and >=, the quotes “ ” ＂ 「 」 as quotes, and the words 且 或 非 as AND, OR and NOT. A
// canonical text has the ASCII ones. In a value without quotes none of the signs can stand, in
// a value with quotes they stay as they are.
//
// # Grammar
//
// In the EBNF of the Go specification, without the full-width signs:
//
//	filter    = or .
//	or        = and { "OR" and } .
//	and       = not { "AND" not } .
//	not       = { "NOT" } ( "(" or ")" | term ) .
//	term      = "*" | ( "has" | "missing" ) ":" field | "segment" ":" value
//	          | field ":" ( value | tree | list | range | "*" ) .
//	tree      = value "/*" .
//	list      = "(" value { ( "|" | "OR" ) value } ")" | "(" tree { ( "|" | "OR" ) tree } ")" .
//	range     = ( "<" | "<=" | ">" | ">=" ) value | [ lower ] ".." [ upper ] . // at least one value
//	lower     = "*" | [ ">" | ">=" ] value .
//	upper     = "*" | [ "<" | "<=" ] value .
//	value     = word | `"` { character | `\"` | `\\` } `"` .
//
// White space may stand before and after parentheses, the values of a list and operators;
// a term ends at white space, a closing parenthesis or the end.
//
// # Canonical form
//
// Parse returns, and String writes, the normal form of [Normalise]: no needless
// parentheses, NOT NOT, or everything and nothing where they change nothing; quotes only
// where they are needed; ranges that are open at an end by comparison. The order of terms
// and values, and terms that are there twice, stay as they are.
//
// # Errors and limits
//
// A [SyntaxError] has a code, the place in bytes and in lines and columns, and what would
// be right; its message shows the line with a caret below the place. Nothing that isn't
// UTF-8, has U+FFFD (text lost in an earlier conversion), control characters or invisible
// ones is taken; joiners, which scripts need, are. [MaxLength], [MaxDepth] and
// [MaxTerms] bound what a filter from outside can cost; [Check] holds an expression made
// in Go to the same.
package filter
