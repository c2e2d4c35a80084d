// Package phone turns telephone numbers as people write them into E.164.
//
// [Parse] reads "(02)2531-7099", "０２－２５３１－７０９９分機１２３", "+86 (0)21 3175-3698",
// "0086 137 1502 2661" and "86-2131753698", and gives one form for each line: a plus sign,
// the country's calling code and the national number (ITU-T E.164), with the extension apart.
//
// Mainland China and Taiwan, where most numbers come from, are recognised by rules of this
// package, in well under a microsecond. Plainly written numbers of other countries are
// looked up in the data of a port of Google's libphonenumber, each country's patterns made
// one automaton, as fast; whatever is unusual goes through that library itself, at some
// 20 µs. The three agree, except that any number of the form 1[3-9]x with 11 digits is held
// to be a mobile number of mainland China (save 179, which selects a carrier): new ranges
// open faster than that library's metadata follows.
//
// A number of Taiwan or mainland China that was written without an area code is refused
// rather than guessed: 2509-2188 exists in Taipei and in Taichung.
//
// All functions are pure and safe for concurrent use.
package phone
