# SPDX-License-Identifier: GPL-2.0
# awk -v to=rust|c -f contract.awk words.h shim.h: prints the other side of both headers. Kbuild
# runs it.
#
# to=rust prints the numbers, lists of names, structures and functions of the headers in Rust, and a
# macro that compares the functions that C calls with their declarations. to=c prints assertions of
# the places of the fields of the structures, as this file computes them. The Rust side asserts the
# same. So neither compiler can see another structure than the other one, or than this file.
#
# This is not bindgen, because bindgen needs libclang, and flags of the kernel that a module does
# not get if it is built outside of the tree (DKMS). What is not as plain as shim.h is refused.

BEGIN {
	scalar("u8", "u8", 1); scalar("char", "c_char", 1); scalar("bool", "bool", 1)
	scalar("u32", "u32", 4); scalar("s32", "i32", 4)
	scalar("int", "c_int", 4); scalar("unsigned int", "c_uint", 4)
	scalar("u64", "u64", 8); scalar("s64", "i64", 8)
	scalar("long", "c_long", 8); scalar("unsigned long", "c_ulong", 8)
	scalar("size_t", "usize", 8)
	n = split("as fn in move priv ref self type", words, " ")
	for (i = 1; i <= n; i++)
		keyword[words[i]] = 1
	# The kernel crate knows all structures of the kernel that are used here, except these.
	opaque["tp_module"] = 1
	print (to == "rust" ? "// " : "/* ") "Made by contract.awk of words.h and shim.h." (to == "rust" ? "" : " */")
}

function scalar(c, rust, bytes) { rust_of[c] = rust; size[c] = bytes; align[c] = bytes }
function fail(why) {
	printf "%s:%d: contract.awk: %s: %s\n", FILENAME, FNR, why, $0 > "/dev/stderr"
	failed = 1
	exit 1
}
function trim(s) { gsub(/[ \t]+/, " ", s); sub(/^ /, "", s); sub(/ $/, "", s); return s }
function name_of(s) { return (s in keyword) ? "r#" s : s }
function sentence(s) {
	gsub(/@/, "", s)
	return toupper(substr(s, 1, 1)) substr(s, 2) (s ~ /[.]$/ ? "" : ".")
}
# camel(NAME): returns the name of a structure in Rust: SwapWait for rwb_swap_wait
function camel(s,  n, i, part, out) {
	sub(/^rwb_/, "", s)
	n = split(s, part, "_")
	for (i = 1; i <= n; i++)
		out = out toupper(substr(part[i], 1, 1)) substr(part[i], 2)
	return out
}

# type(T): returns the Rust type for the C type T
function type(t,  base) {
	t = trim(t)
	if (t in rust_of)
		return rust_of[t]
	if (t ~ /\*$/) {
		base = trim(substr(t, 1, length(t) - 1))
		if (sub(/^const /, "", base))
			return "*const " type(base)
		return "*mut " (base == "void" ? "c_void" : type(base))
	}
	if (t ~ /^struct rwb_[a-z_]+$/ && (substr(t, 8) in layout))
		return camel(substr(t, 8))
	if (t ~ /^struct [a-z_]+$/ && (substr(t, 8) in forward))
		return (substr(t, 8) in opaque) ? "c_void" : "bindings::" substr(t, 8)
	fail("a type that is not known: " t)
}

# args(LIST, NAMED): returns Rust's list of parameters for that of C
function args(list, named,  out, depth, i, c, one) {
	if (trim(list) == "void")
		return ""
	list = list ","
	for (i = 1; i <= length(list); i++) {
		c = substr(list, i, 1)
		depth += (c == "(") - (c == ")")
		if (c != "," || depth) {
			one = one c
			continue
		}
		out = out (out == "" ? "" : ", ") arg(trim(one), named)
		one = ""
	}
	return out
}

function arg(one, named,  t, n) {
	if (match(one, /\(\*[a-z_]+\)\(.*\)$/)) {
		n = substr(one, RSTART + 2)
		t = substr(n, index(n, ")(") + 2)
		n = substr(n, 1, index(n, ")(") - 1)
		t = "Option<" signature(substr(one, 1, RSTART - 1), substr(t, 1, length(t) - 1)) ">"
	} else if (match(one, /[a-z0-9_]+$/) && !(one in rust_of)) {
		n = substr(one, RSTART)
		t = type(substr(one, 1, RSTART - 1))
	} else {
		t = type(one)
	}
	return named ? name_of(n == "" ? "_" : n) ": " t : t
}

function result(t) { return trim(t) == "void" ? "" : " -> " type(t) }
function signature(ret, list) { return "unsafe extern \"C\" fn(" args(list, 0) ")" result(ret) }

function function_of(text,  name, ret, list) {
	text = trim(text)
	if (!match(text, /rwb_[a-z0-9_]+\(/) || text !~ /\)$/)
		fail("no function")
	ret = substr(text, 1, RSTART - 1)
	name = substr(text, RSTART, RLENGTH - 1)
	list = substr(text, RSTART + RLENGTH)
	list = substr(list, 1, length(list) - 1)
	if (name ~ /^rwb_rs_/)
		entries = entries "            const _: " signature(ret, list) " = " name ";\n"
	else
		externs = externs "    pub(crate) fn " name "(" args(list, 1) ")" result(ret) ";\n"
}

function field(text,  t, n, count, bytes, unit) {
	text = trim(text)
	sub(/;$/, "", text)
	count = ""
	if (match(text, /\[[A-Z0-9a-z_]+\]$/)) {
		count = substr(text, RSTART + 1, RLENGTH - 2)
		text = substr(text, 1, RSTART - 1)
		count = (count in number) ? number[count] : count
		if (count !~ /^[0-9]+$/)
			fail("a size that is not known: " count)
	}
	if (!match(text, /[a-z0-9_]+$/))
		fail("no field")
	n = substr(text, RSTART)
	t = trim(substr(text, 1, RSTART - 1))
	unit = (t in size) ? t : substr(t, 8)
	if (!(unit in size))
		fail("a type that has no size here: " t)
	bytes = size[unit] * (count == "" ? 1 : count)
	at = int((at + align[unit] - 1) / align[unit]) * align[unit]
	if (align[unit] > widest)
		widest = align[unit]
	offsets = offsets here("offset", structure, n, at)
	at += bytes
	if (!(n in doc))
		fail("a field without a word: " n)
	fields = fields "    /// " sentence(doc[n]) "\n    pub(crate) " name_of(n) ": " \
		(count == "" ? type(t) : "[" type(t) "; " count "]") ",\n"
	delete doc[n]
}

function here(what, s, n, value) {
	if (to == "c")
		return "static_assert(" (what == "size" ? "sizeof(struct " s ")" : \
			"offsetof(struct " s ", " n ")") " == " value ");\n"
	return "    assert!(" (what == "size" ? "core::mem::size_of::<" camel(s) ">()" : \
		"core::mem::offset_of!(" camel(s) ", " name_of(n) ")") " == " value ");\n"
}

function structure_done(  n) {
	size[structure] = int((at + widest - 1) / widest) * widest
	align[structure] = widest
	layout[structure] = 1
	offsets = offsets here("size", structure, "", size[structure])
	for (n in doc)
		fail("a word on a field that is not there: " n)
	if (to == "c")
		printf "%s", offsets
	else
		printf "\n/// %s\n#[repr(C)]\n#[derive(Clone, Copy, Zeroable)]\npub(crate) struct %s {\n%s}\n\nconst _: () = {\n%s};\n", \
			sentence(about), camel(structure), fields, offsets
	structure = ""
}

# --- comments; those of kernel-doc that describe structures and fields are kept

in_comment {
	line = $0
	in_comment = line !~ /\*\//
	sub(/\*\/.*/, "", line)
	sub(/^ \*[ \t]?/, "", line)
	line = trim(line)
	if (!kernel_doc || line == "")
		next
	if (match(line, /^struct rwb_[a-z_]+ - /)) {
		about = substr(line, RLENGTH + 1)
		word = ""
	} else if (match(line, /^@[a-z0-9_]+: /)) {
		word = substr(line, 2, RLENGTH - 3)
		doc[word] = substr(line, RLENGTH + 1)
	} else if (word != "") {
		doc[word] = doc[word] " " line
	} else {
		fail("kernel-doc that is not understood")
	}
	next
}
/^\/\*/ {
	kernel_doc = /^\/\*\*$/
	in_comment = !/\*\//
	next
}

# --- numbers and lists

in_list || /^#define RWB_[A-Z_]+\(X\)/ {
	if (!in_list) {
		list = $2
		sub(/\(X\).*/, "", list)
		names = ""
		n = 0
	}
	in_list = /\\$/
	item = ""
	if (match($0, /X\([0-9]+, "[a-z0-9_.-]*"\)/)) {
		item = substr($0, RSTART + 2, RLENGTH - 3)
	} else if (match($0, /X\([0-9]+, [a-z0-9_]+, /)) {
		# This is a parameter. C needs its name without quotation marks.
		item = substr($0, RSTART + 2, RLENGTH - 4) "\""
		sub(/, /, ", \"", item)
	}
	if (item != "") {
		if (item + 0 != n++)
			fail("not in order")
		sub(/^[0-9]+, /, "", item)
		names = names (names == "" ? "" : ", ") item
	} else if (!/^#define/) {
		fail("no item of a list")
	}
	if (!in_list && to == "rust")
		printf "pub(crate) const %s: [&str; %d] = [%s];\n", list, n, names
	next
}
/^#define RWB_[A-Z0-9_]+[ \t]+(0x[0-9a-f]+|[0-9]+)([ \t]+\/\*.*\*\/)?$/ {
	number[$2] = $3
	if (to == "rust")
		printf "pub(crate) const %s: u32 = %s;\n", $2, $3
	next
}
/^#(ifndef|define) RWB_(SHIM|WORDS)_H$/ || /^#endif/ || /^#include (<linux\/types.h>|"words.h")$/ || /^$/ { next }
/^#/ { fail("a line that is not understood") }

# --- structures and functions

/^struct [a-z_]+;$/ { sub(/;/, "", $2); forward[$2] = 1; next }
/^struct rwb_[a-z_]+ \{$/ {
	structure = $2
	fields = offsets = ""
	at = widest = 0
	if (about == "")
		fail("a structure without a word")
	next
}
structure != "" && /^\};$/ { structure_done(); about = ""; next }
structure != "" { field($0); next }
{
	declaration = declaration " " $0
	if (declaration ~ /;[ \t]*$/) {
		sub(/;[ \t]*$/, "", declaration)
		function_of(declaration)
		declaration = ""
	}
}

END {
	if (failed)
		exit 1
	if (in_comment || in_list || structure != "" || declaration != "" || entries == "")
		fail("it ends too early")
	if (to == "rust")
		printf "\nextern \"C\" {\n%s}\n\n%s\nmacro_rules! entries {\n    () => {\n        const _: () = {\n            use $crate::shim::*;\n            use ::kernel::ffi::*;\n%s        };\n    };\n}\npub(crate) use entries;\n", \
			externs, "/// Fails to compile unless Rust has the functions that C calls, as C declares them.", entries
}
