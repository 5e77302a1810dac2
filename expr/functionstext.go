package expr

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"

	"pqjoin/batch"
)

var textFunctions = inGroup("Texts",
	fn("upper(s) -> string", "upper case", "upper('abc')", bindText, nil).also("ucase"),
	fn("lower(s) -> string", "lower case", "lower('ÄBC')", bindText, nil).also("lcase"),
	fn("initcap(s) -> string", "the first letter of every word in upper case, the others in lower case", "initcap('new yORK')", bindText, eachText(appendInitcap)),
	fn("trim(s) -> string; trim(s, characters)", "s without spaces (or the characters) at both ends", "trim('  a ')", bindText, nil),
	fn("ltrim(s) -> string; ltrim(s, characters)", "s without spaces (or the characters) at the start", "ltrim('xxa', 'x')", bindText, nil),
	fn("rtrim(s) -> string; rtrim(s, characters)", "s without spaces (or the characters) at the end", "rtrim('a  ')", bindText, nil),
	fn("replace(s, from, to) -> string", "s with every from replaced by to", "replace('banana', 'an', 'o')", bindText, nil),
	fn("translate(s, from, to) -> string", "s with each character of from replaced by the one at its place in to, or dropped where there is none", "translate('12345', '143', 'ax')", bindText, kernelTranslate),
	fn("reverse(s) -> string", "the characters in reverse order", "reverse('abc')", bindText, nil),
	fn("repeat(s, n) -> string", "s, n times over", "repeat('ab', 3)", bindSubstr, kernelRepeat).failing(),
	fn("lpad(s, n, pad) -> string", "s made n characters long, by pad in front of it or by cutting its end", "lpad('7', 3, '0')", bindPad, kernelPad).failing(),
	fn("rpad(s, n, pad) -> string", "s made n characters long, by pad behind it or by cutting its end", "rpad('ab', 4, '.')", bindPad, kernelPad).failing(),
	fn("substr(s, start) -> string; substr(s, start, length)", "part of s by characters; the first is 1, negative starts count from the end", "substr('hello', 2, 3)", bindSubstr, nil).also("substring"),
	fn("left(s, n) -> string", "the first n characters; without the last -n where negative", "left('hello', 2)", bindSubstr, nil),
	fn("right(s, n) -> string", "the last n characters; without the first -n where negative", "right('hello', -2)", bindSubstr, nil),
	fn("split_part(s, separator, n) -> string", "the n-th part of s between separators, from the end where n is negative; '' where there is none", "split_part('a,b,c', ',', 2)", bindSplitPart, kernelSplitPart),
	fn("concat(x, ...) -> string", "all values as texts, one after the other; nulls are passed over (|| gives null)", "concat('a', null, 1)", bindConcat, nil),
	fn("concat_ws(separator, x, ...) -> string", "all values that are not null, as texts with separators between them", "concat_ws('-', 2024, null, 'x')", bindConcat, nil),
	fn("length(s) -> int64", "characters (Unicode code points)", "length('né')", textTo(batch.Of(batch.Int64)), nil).also("len", "char_length", "character_length"),
	fn("strlen(s) -> int64", "bytes of a text", "strlen('né')", bindBytesTo(batch.Of(batch.Int64)), byteLength(1)).also("octet_length"),
	fn("bit_length(s) -> int64", "bits of a text", "bit_length('né')", bindBytesTo(batch.Of(batch.Int64)), byteLength(8)),
	fn("strpos(s, part) -> int64", "the character at which part first occurs in s, 0 where it does not", "strpos('hello', 'l')", textTo(batch.Of(batch.Int64)), kernelStrpos).also("instr", "position"),
	fn("starts_with(s, prefix) -> bool", "whether s begins with the prefix", "starts_with('abc', 'ab')", textTo(batch.Of(batch.Bool)), nil).also("prefix"),
	fn("ends_with(s, suffix) -> bool", "whether s ends with the suffix", "ends_with('abc', 'bc')", textTo(batch.Of(batch.Bool)), nil).also("suffix"),
	fn("contains(s, part) -> bool", "whether part occurs in s", "contains('abc', 'b')", textTo(batch.Of(batch.Bool)), nil),
	fn("ascii(s) -> int64", "the code point of the first character, 0 where there is none", "ascii('é')", textTo(batch.Of(batch.Int64)), firstRune(0)),
	fn("unicode(s) -> int64", "the code point of the first character, -1 where there is none", "unicode('é')", textTo(batch.Of(batch.Int64)), firstRune(-1)).also("ord"),
	fn("chr(n) -> string", "the character of a code point", "chr(233)", bindChr, kernelChr).failing(),
	fn("levenshtein(a, b) -> int64", "how many bytes to insert, drop or replace to make a into b", "levenshtein('kitten', 'sitting')", textTo(batch.Of(batch.Int64)), kernelDistance(false)).failing().also("editdist3"),
	fn("damerau_levenshtein(a, b) -> int64", "levenshtein where a swap of neighbours counts as one", "damerau_levenshtein('abcd', 'acbd')", textTo(batch.Of(batch.Int64)), kernelDistance(true)).failing(),
	fn("hamming(a, b) -> int64", "at how many bytes two texts of the same length differ", "hamming('abc', 'abd')", textTo(batch.Of(batch.Int64)), kernelHamming).failing().also("mismatches"),
)

var patternFunctions = inGroup("Patterns",
	fn("regexp_matches(s, pattern) -> bool; regexp_matches(s, pattern, options)", "whether the regular expression matches a part of s", `regexp_matches('order 66', '\d+')`, bindRegexp, kernelRegexpMatches),
	fn("regexp_full_match(s, pattern) -> bool; regexp_full_match(s, pattern, options)", "whether the regular expression matches all of s", `regexp_full_match('66', '\d+')`, bindRegexp, kernelRegexpMatches),
	fn("regexp_replace(s, pattern, to) -> string; regexp_replace(s, pattern, to, options)", `s with the first match (every match with option g) replaced; \1 is the first group`, `regexp_replace('ab', '(\w)(\w)', '\2\1')`, bindRegexp, kernelRegexpReplace),
	fn("regexp_extract(s, pattern) -> string; regexp_extract(s, pattern, group); regexp_extract(s, pattern, group, options)", "the first match, or a group of it; '' where there is none", `regexp_extract('2024-05', '(\d+)-(\d+)', 2)`, bindRegexp, kernelRegexpExtract),
)

var codeFunctions = inGroup("Codes and digests",
	fn("hex(x) -> string", "the bytes of a text or binary, or the bits of a whole number, in hexadecimal", "hex('né')", bindHex, kernelHex).also("to_hex"),
	fn("unhex(s) -> binary", "the bytes that hexadecimal digits mean", "decode(unhex('6162'))", textTo(batch.Of(batch.Binary)), kernelUnhex).failing().also("from_hex"),
	fn("to_base64(x) -> string", "the bytes of a text or binary in base64", "to_base64('ab')", bindBytesTo(batch.Of(batch.String)), eachText(appendBase64)).also("base64"),
	fn("from_base64(s) -> binary", "the bytes that base64 means", "decode(from_base64('YWI='))", textTo(batch.Of(batch.Binary)), kernelFromBase64).failing(),
	fn("encode(s) -> binary", "the bytes of a text in UTF-8", "hex(encode('é'))", textTo(batch.Of(batch.Binary)), eachText(appendBytes)),
	fn("decode(b) -> string", "bytes that are UTF-8 as a text", "decode(encode('é'))", bindBytesTo(batch.Of(batch.String)), kernelDecode).failing(),
	fn("url_encode(s) -> string", "s with reserved characters written as %xx", "url_encode('a b/é')", bindText, eachText(appendURL)),
	fn("url_decode(s) -> string", "s with %xx replaced by what they mean", "url_decode('a%20b')", bindText, kernelURLDecode).failing(),
	fn("md5(x) -> string", "the MD5 digest of a text or binary in hexadecimal", "md5('a')", bindBytesTo(batch.Of(batch.String)), eachText(func(dst, s []byte) []byte { d := md5.Sum(s); return appendHex(dst, d[:]) })),
	fn("sha1(x) -> string", "the SHA-1 digest in hexadecimal", "sha1('a')", bindBytesTo(batch.Of(batch.String)), eachText(func(dst, s []byte) []byte { d := sha1.Sum(s); return appendHex(dst, d[:]) })),
	fn("sha256(x) -> string", "the SHA-256 digest in hexadecimal", "sha256('a')", bindBytesTo(batch.Of(batch.String)), eachText(func(dst, s []byte) []byte { d := sha256.Sum256(s); return appendHex(dst, d[:]) })),
)
